"""Each `signum` command line in our pages is one that the command would take; and each command is in one."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from cli.main import app
from tests.docs.markdown import PAGES, blocks, code

SIGNUM = re.compile(r"(?:^|exec \w+ |run --rm |-- |/)signum (.+)")
ROOT: Any = typer.main.get_command(app)


def command_lines() -> list[str]:
    """The words behind `signum` in code and in shell blocks."""
    said = [word for page in PAGES for word in code(page)]
    said += [line for page in PAGES for block in blocks(page, "sh") for line in block.text.splitlines()]
    return sorted({found[1] for line in said if (found := SIGNUM.search(line))})


def commands(group: Any, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of each command there is."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*before, name))
        else:
            yield (*before, name)


@pytest.mark.parametrize("line", command_lines())
def test_a_command_line_is_one_that_signum_takes(line: str) -> None:
    command, words = ROOT, shlex.split(line, comments=True)
    while words and hasattr(command, "commands") and not words[0].startswith("-"):
        command = command.commands[words.pop(0)]
    if command is ROOT and words in [[name] for param in ROOT.params for name in param.opts]:
        return  # it would be done at once: the completion would be installed here
    if words and words != ["--help"]:  # a command that is only named may lack its arguments
        command.make_context("signum", words)


def test_every_command_is_in_our_pages() -> None:
    said = [tuple(shlex.split(line, comments=True)) for line in command_lines()]
    assert [words for words in commands(ROOT) if not any(line[: len(words)] == words for line in said)] == []
