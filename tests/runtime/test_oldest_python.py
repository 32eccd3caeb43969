"""What is written here runs on the oldest Python that is promised, 3.11.0, though the tests run on a newer one."""

import ast
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
FOLDERS = ("alembic", "api", "cli", "db", "notifier", "runtime", "sandbox")


@pytest.mark.parametrize("folder", FOLDERS)
def test_nothing_is_raised_in_an_except_star(folder: str) -> None:
    """Until 3.11.4 it leaves the block in a group, which the `except` that waits for it does not catch."""
    raised = [
        f"{file.relative_to(HOUSE)}:{inner.lineno}"
        for file in (HOUSE / folder).rglob("*.py")
        for outer in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(outer, ast.TryStar)
        for handler in outer.handlers
        for inner in ast.walk(handler)
        if isinstance(inner, ast.Raise)
    ]
    assert raised == []
