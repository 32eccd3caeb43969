"""docs/log-lines.md explains what the processes log and why items are rejected, in the words that the code says."""

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest

from tests.docs.markdown import HOUSE, table

PAGE = "docs/log-lines.md"
LOGGED = {"warning": "WARNING", "error": "ERROR", "exception": "ERROR"}


def test_every_line_that_is_logged_from_warning_on_is_explained() -> None:
    explained = {line.strip("`"): level for line, level, *_ in table(PAGE, "Log lines")}
    for level, line in logged_lines():
        assert level in explained.get(line, ""), f"{PAGE} has no {level} line {line!r}"


@pytest.mark.parametrize("heading", ["Log lines", "Reasons", "Reasons of the breaker"])
def test_every_line_that_is_explained_is_said_somewhere(heading: str) -> None:
    explained = {row[0].strip("`") for row in table(PAGE, heading)}
    assert explained - sayings() == set()


@cache
def trees() -> list[ast.Module]:
    """The processes' code."""
    files = [
        file
        for folder in ("api", "console", "notifier", "db", "etl", "runtime")
        for file in sorted((HOUSE / folder).rglob("*.py"))
    ]
    return [ast.parse(file.read_text(encoding="utf-8")) for file in files]


def logged_lines() -> Iterator[tuple[str, str]]:
    """Level and text of what is logged as a text of its own; a `…` stands for what varies."""
    for node in (node for tree in trees() for node in ast.walk(tree)):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="log"), attr=attr), args=[ast.Constant(value=str()), *_]
            ):
                if attr in LOGGED and (line := _template(node.args[0])) != "…":
                    yield LOGGED[attr], line


@cache
def sayings() -> set[str]:
    """All texts of the processes' code; a `…` stands for what varies."""
    return {
        _template(node) for tree in trees() for node in ast.walk(tree) if isinstance(node, ast.Constant | ast.JoinedStr)
    }


def _template(node: ast.AST) -> str:
    match node:
        case ast.Constant(value=str() as text):
            return re.sub(r"%[a-z]", "…", text)
        case ast.JoinedStr(values=values):
            return "".join("…" if isinstance(value, ast.FormattedValue) else _template(value) for value in values)
    return ""
