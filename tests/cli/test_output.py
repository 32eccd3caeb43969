"""Answers are made for people: ages in a unit that fits, and lines that a pipe does not break."""

import io
import sys

import pytest

from cli.output import replace_unencodable, show_record, span
from tests.fix_postgres import TestDatabase
from tests.fix_signum import Signum


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.0849, "85 ms"),
        (1.9, "1900 ms"),
        (45, "45 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7199, "119 min"),
        (3 * 3600 + 59, "3 h"),
        (400 * 86_400, "400 d"),
    ],
)
def test_age_is_told_in_the_largest_unit_that_it_fills_twice(seconds: float, shown: str) -> None:
    assert span(seconds) == shown


def test_table_in_a_pipe_has_one_line_per_row_however_long(signum: Signum, database: TestDatabase) -> None:
    item = database.add_item(1001, best_title="x" * 500)
    database.fetch("INSERT INTO update_queue (item_record_id) VALUES (%s)", item)
    assert len(signum("queue", "list").out.splitlines()) == 2


@pytest.mark.parametrize(("as_json", "shown"), [(False, b"Y? ?"), (True, b"Y\\u00f6 \\u2014")])
def test_character_beyond_the_terminals_encoding_is_replaced_and_in_json_escaped(
    monkeypatch: pytest.MonkeyPatch, as_json: bool, shown: bytes
) -> None:
    terminal = io.TextIOWrapper(written := io.BytesIO(), "ascii", write_through=True)
    monkeypatch.setattr(sys, "stdout", terminal)
    replace_unencodable()
    show_record({"title": "Yö —"}, as_json)
    assert shown in written.getvalue()


def test_answer_that_can_not_be_written_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)  # as Python has it after `>&-`
    show_record({"name": "desk 1"}, as_json=False)
