"""The short way of an ordinary row stores what the careful way does, and takes no row that the careful way refuses."""

from typing import Any

import psycopg
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from api.ingest.ordinary import make_line_maker, read_batch
from api.ingest.rows import COLUMNS, DELETED_ON, FURTHER_COLUMNS, make_row_reader
from api.ingest.store import columns_of
from api.ingest.tsv import Record
from db import sync
from tests.fix_postgres import TestDatabase

ORDINARY = {
    "item_record_id": "450971566081",
    "item_number": "1000001",
    "barcode": "44010000000001",
    "bib_record_id": "42",
    "bib_number": "3000001",
    "best_author": "Järvi, Äiti",
    "best_title": "日本語 'n' \"q\"",
    "itype_code_num": "100",
    "item_type_name": "Kirja",
    "material_code": "a",
    "material_name": "",
    "classification": "84.2",
    "shelfmark_json": "[{'marc_tag': '100', 'content': \"stranger's\"}]",
}
HEADER = [*COLUMNS]
NUMBERS = {"item_record_id", "bib_record_id", "itype_code_num"}

numbers = ["", "0", "007", "-1", "+1", "1.0", "1e3", "1_0", " 1", "١", "²"]
lengths = ["9" * digits for digits in (9, 10, 18, 19)]
texts = [
    "\\N",
    "\\.",
    "\\",
    "a\tb",
    "a\nb",
    "a\rb",
    "a\0b",
    "\ud800",
    "\x85",
    "\u2028",
    "\u200b1",
    "NULL",
    '"',
    "x" * 256,
]
hostile = [*numbers, *lengths, *texts]
rows = st.dictionaries(st.sampled_from(COLUMNS), st.sampled_from(hostile) | st.text(max_size=5), max_size=3)


def stored(columns: tuple[Any, ...]) -> list[str | None]:
    return [None if value is None else str(value) for value in columns]


def read_line(line: bytes) -> list[str | None]:
    """Return what COPY makes of a line without escapes, numbers without zeros in front."""
    assert line.endswith(b"\n")
    cells = line[:-1].decode().split("\t")
    assert not {"\n", "\r"} & {*line[:-1].decode()}
    assert not any("\\" in cell for cell in cells if cell != "\\N")
    named = zip(["", *HEADER, *[""] * len(cells)], cells, strict=False)
    return [None if cell == "\\N" else str(int(cell)) if name in NUMBERS else cell for name, cell in named]


def check(changes: dict[str, str]) -> None:
    """Fail unless both ways store the same of an ordinary row with these changes, if the short way is open."""
    fields = [(ORDINARY | changes)[column] for column in HEADER]
    line = make_line_maker(HEADER)(7, fields)
    assert line is not None or changes
    if line is not None:
        assert read_line(line) == stored(columns_of(7, make_row_reader(HEADER)(fields)))


@given(rows)
@example({})
def test_line_of_an_ordinary_row_holds_what_the_careful_way_stores(changes: dict[str, str]) -> None:
    check(changes)


@pytest.mark.parametrize("column", COLUMNS)
def test_hostile_cell_is_stored_as_the_careful_way_does(column: str) -> None:
    for cell in hostile:
        check({column: cell})


@pytest.mark.parametrize("fields", [[*ORDINARY.values(), "more"], [*ORDINARY.values()][:-1], []], ids=len)
def test_row_of_another_length_than_its_header_is_not_ordinary(fields: list[str]) -> None:
    assert make_line_maker(HEADER)(7, fields) is None


@pytest.mark.parametrize("column", [DELETED_ON, *FURTHER_COLUMNS])
def test_row_with_a_further_column_is_not_ordinary(column: str) -> None:
    assert make_line_maker([*HEADER, column])(7, [*ORDINARY.values(), ""]) is None


def test_columns_are_found_by_their_names() -> None:
    header, fields = HEADER[::-1], [*ORDINARY.values()][::-1]
    line = make_line_maker([*header, "unknown"])(7, [*fields, "\\"])
    assert line == make_line_maker(HEADER)(7, [*ORDINARY.values()])


def test_ordinary_rows_and_others_are_copied_alike(database: TestDatabase) -> None:
    changes: list[dict[str, str]] = [{}, {"barcode": " 44"}, {}, {"best_title": "C:\\N"}, {"itype_code_num": "x"}, {}]
    fields = [[*(ORDINARY | change).values()] for change in changes]
    records = [Record(1, HEADER), *(Record(place, row) for place, row in enumerate(fields, start=2))]
    columns = sync.SQL["copy_batch"].partition("(")[2].partition(")")[0]
    with psycopg.connect(**database.parameters) as connection:
        sync.fill_batch(connection, read_batch(iter(records)))
        found = connection.execute(f"SELECT {columns} FROM batch ORDER BY line_number".encode()).fetchall()
    read = make_row_reader(HEADER)
    assert found == [columns_of(place, read(row)) for place, row in enumerate(fields, start=2)]
