"""CSV in a spreadsheet: what was text stays text, and each row is one line."""

import csv
import io
from datetime import UTC, datetime

import pytest

from runtime.spreadsheet import csv_lines


def read(text: str, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(text), delimiter=delimiter))


@pytest.mark.parametrize("begin", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "＝1", "－1"])
def test_no_text_is_taken_for_a_formula(begin: str) -> None:
    ((cell,),) = read("".join(csv_lines([[begin]])))
    assert cell.startswith("'")
    assert "".join(csv_lines([[begin]])).count("\n") == 1


def test_numbers_stay_numbers_and_other_texts_as_they_are() -> None:
    at = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
    row = [-12, 1.5, None, "84.31 Jännitys", 'a "b"; c', {"item_numbers": ["1"]}, at]
    expected = ["-12", "1.5", "", "84.31 Jännitys", 'a "b"; c', '{"item_numbers": ["1"]}', "2026-11-26 12:00:00+00:00"]
    for delimiter in (",", ";"):
        assert read("".join(csv_lines([row], delimiter)), delimiter) == [expected]


def test_a_line_end_within_a_text_ends_no_row() -> None:
    assert len("".join(csv_lines([["a\nb\r\nc\u2028d"]])).splitlines()) == 1
