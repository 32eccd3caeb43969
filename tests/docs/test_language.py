"""Docstrings are statements: a module's first sentence asks nothing, and none begins with who, what, how or where."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.docs.markdown import HOUSE

# Without alembic/: a migration that is merged is frozen.
FOLDERS = ("api", "bench", "cli", "console", "db", "etl", "notifier", "runtime", "sandbox", "tests")
RIDDLE = re.compile(r"(?:What|Who|Whom|Whose|Whoever|Which|Whether|Nobody|Somebody|How|Where)\b")


def docstrings(file: Path) -> Iterator[tuple[int, str, bool]]:
    """Each docstring with its line, and whether it is the module's."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield node.body[0].lineno, text, node is tree


def test_every_docstring_is_a_statement() -> None:
    questions = [
        f"{file.relative_to(HOUSE)}:{line}: {text.splitlines()[0]}"
        for folder in FOLDERS
        for file in sorted((HOUSE / folder).rglob("*.py"))
        for line, text, is_module in docstrings(file)
        if RIDDLE.match(text) or (is_module and re.match(r"[^.:]*\?", text))
    ]
    assert questions == []
