"""Rows as CSV that a spreadsheet shows as they are: no text is taken for a formula, and each row is one line.

For a person's download and a command alike.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from json import dumps
from typing import Literal

from runtime.logging import one_line

BYTE_ORDER_MARK = "\ufeff"  # by which Excel knows UTF-8
FORMULA_BEGINS = "=+-@\t\r＝＋－＠"
Delimiter = Literal[",", ";"]


def csv_lines(rows: Iterable[Iterable[object]], delimiter: Delimiter = ",") -> Iterator[str]:
    """A line for each row, its end included. None is an empty cell; times are ISO 8601, structures JSON."""
    for row in rows:
        yield delimiter.join(map(_cell, row)) + "\n"


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, int | float):
        return str(value)
    match value:
        case datetime():
            text = value.isoformat(sep=" ", timespec="seconds")
        case date():
            text = value.isoformat()
        case _:
            text = _text(value)
    # `'` in front: a spreadsheet shows the rest, and computes nothing.
    guarded = f"'{text}" if text.startswith(tuple(FORMULA_BEGINS)) else text
    return '"' + guarded.replace('"', '""') + '"'


def _text(value: object) -> str:
    text = value if isinstance(value, str) else dumps(value, ensure_ascii=False, default=str)
    # The first character decides before unprintable ones are shown as escapes.
    return ("'" if text.startswith(("\t", "\r")) else "") + one_line(text)
