"""--csv: each command that lists has it beside --json, with the same fields."""

import csv
import io

import pytest

from tests.cli.test_json import commands
from tests.fix_postgres import TestDatabase
from tests.fix_signum import Signum

LISTS = {
    ("queue", "list"): (),
    ("queue", "not-shown"): (),
    ("history",): ("33010002043111",),
    ("client", "list"): (),
    ("acts",): (),
    ("progress",): ("--by", "day"),
}


def test_commands_that_list_are_those() -> None:
    assert {words for words, command in commands() if any("--csv" in param.opts for param in command.params)} == {
        *LISTS
    }


@pytest.mark.parametrize("words", LISTS)
def test_csv_has_the_fields_of_json(filled: TestDatabase, signum: Signum, words: tuple[str, ...]) -> None:
    rows = list(csv.DictReader(io.StringIO(signum(*words, *LISTS[words], "--csv").out)))
    told = signum(*words, *LISTS[words], "--json").json
    assert rows
    assert [list(row) for row in rows] == [list(row) for row in told]
    assert signum(*words, *LISTS[words], "--csv", "--json").code == 2


def test_csv_of_nothing_has_its_headings(signum: Signum) -> None:
    assert signum("queue", "list", "--csv").out.startswith('"item_number","barcode"')
