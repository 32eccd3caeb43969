"""Rows are stored as Items; those that can't be are refused, with the reason."""

from typing import Any

import pytest

from api.ingest.gunzip import UnreadableFile
from api.ingest.ordinary import read_batch
from api.ingest.rows import BARCODE_LIMIT, COLUMNS, KEPT_LINE_BYTES, Item, Refusal, make_row_reader
from api.ingest.tsv import Record
from tests.fix_batch import FIRST_ID, heading, row


def read(**cells: str) -> Item | Refusal:
    fields = row(1, **cells)
    return make_row_reader(list(COLUMNS))([fields[column] for column in COLUMNS])


def item(**cells: str) -> Item:
    found = read(**cells)
    assert isinstance(found, Item), found
    return found


def refusal(**cells: str) -> Refusal:
    found = read(**cells)
    assert isinstance(found, Refusal), found
    return found


def test_row_becomes_an_item() -> None:
    assert item() == Item(
        item_record_id=FIRST_ID + 1,
        item_number="1000001",
        barcode="33010000000001",
        bib_record_id=420_907_800_001,
        bib_number="2000001",
        best_author="Waltari, Mika",
        best_title="Sinuhe 1",
        itype_code_num=100,
        item_type_name="Kirja",
        material_code="a",
        material_name="Kirja",
        classification="84.2",
        shelfmark_json=heading("Waltari, Mika,"),
    )


def test_columns_are_found_by_name_in_any_order_and_unknown_ones_ignored() -> None:
    header = ["checksum", *reversed(COLUMNS), "checksum"]
    cells = row(1)
    read_row = make_row_reader(header)
    assert read_row(["\0", *(cells[column] for column in reversed(COLUMNS)), "2"]) == item()


@pytest.mark.parametrize("column", COLUMNS)
def test_missing_or_doubled_column_is_named(column: str) -> None:
    without = [name for name in COLUMNS if name != column]
    with pytest.raises(UnreadableFile, match=f"lacks {column}$"):
        make_row_reader(without)
    with pytest.raises(UnreadableFile, match=f"more than one {column}$"):
        make_row_reader([*COLUMNS, column])


def test_empty_file_has_no_header() -> None:
    with pytest.raises(UnreadableFile, match="no header"):
        list(read_batch(iter([])))


def test_header_alone_has_no_rows() -> None:
    assert list(read_batch(iter([Record(1, list(COLUMNS))]))) == []


@pytest.mark.parametrize("column", [column for column in COLUMNS if column != "item_record_id"])
def test_empty_field_is_null(column: str) -> None:
    assert getattr(item(**{column: ""}), column) is None


@pytest.mark.parametrize("text", ["NA", "NULL", "None", "nan", " "])
def test_words_for_nothing_are_texts(text: str) -> None:
    assert item(best_author=text).best_author == text


@pytest.mark.parametrize(
    ("column", "cell", "value"),
    [
        ("item_record_id", f"{FIRST_ID}.0", FIRST_ID),
        ("item_record_id", str(2**63 - 1), 2**63 - 1),
        ("item_record_id", str(-(2**63)), -(2**63)),
        ("item_record_id", "9007199254740991.0", 2**53 - 1),
        ("item_record_id", "9007199254740993", 2**53 + 1),
        ("item_number", "1000001.0", "1000001"),
        ("item_number", "00009007199254740991.0", "00009007199254740991"),
        ("item_number", "0012", "0012"),
        ("bib_record_id", "420907800001.00", 420_907_800_001),
        ("bib_number", "2000001.0", "2000001"),
        ("bib_number", "b2000001", "b2000001"),
        ("itype_code_num", "300.0", 300),
        ("itype_code_num", "-2147483648", -(2**31)),
    ],
)
def test_whole_numbers_may_come_as_pandas_writes_them(column: str, cell: str, value: Any) -> None:
    assert getattr(item(**{column: cell}), column) == value


UNSEEN = ["", " ", "\r\n", "\t", "\x1b", "\x85", "\xa0", "\xad", "\u200b", "\u2028", "\u3000", "\ufeff", " \u200b\r\n "]


@pytest.mark.parametrize("end", UNSEEN)
def test_what_no_reader_reads_is_taken_off_the_ends_of_a_barcode(end: str) -> None:
    assert item(barcode=f"{end}3123 4000").barcode == "3123 4000"
    assert item(barcode=f"3123\u200b4000{end}").barcode == "3123\u200b4000"
    assert item(barcode=end).barcode is None
    assert item(bib_number=f"{end}b2000001{end}").bib_number == "b2000001"
    assert item(bib_number=f"2000001.0{end}").bib_number == "2000001"


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("item_record_id", ""),
        ("item_record_id", "x"),
        ("item_record_id", "1.5"),
        ("item_record_id", "1_000"),
        ("item_record_id", " 1"),
        ("item_record_id", "١"),
        ("item_record_id", "1e5"),
        ("item_record_id", str(2**63)),
        ("item_record_id", "9" * 500_000),
        ("bib_record_id", "x"),
        ("bib_record_id", str(-(2**63) - 1)),
        ("itype_code_num", str(2**31)),
        ("itype_code_num", "1.25"),
        ("itype_code_num", "NA"),
        ("item_number", "1000001.5"),
        ("item_number", "i1000001"),
        ("item_number", "-5"),
        ("item_number", " 1000001"),
        ("bib_number", "2000001.25"),
        ("bib_number", "2.000001e+06"),
        ("bib_number", "9007199254740992.0"),
        ("bib_record_id", "1e+15"),
        ("bib_record_id", "9007199254740992.0"),
        ("bib_record_id", "-9007199254740992."),
        ("item_record_id", "1E15"),
        ("item_record_id", "9007199254740992.0"),
        ("item_record_id", f"{2**63 - 1}.0"),
        ("item_number", "1e15"),
        ("item_number", "9007199254740993.0"),
        ("item_number", "1" * 5000 + ".0"),
        ("barcode", "x" * (BARCODE_LIMIT + 1)),
        ("barcode", "3301\0"),
        ("best_title", "Sinuhe\0"),
        ("best_author", "\ud800"),
        ("classification", "84.2\udfff"),
    ],
)
def test_row_that_can_not_be_stored_is_refused_with_its_column(column: str, cell: str) -> None:
    refused = refusal(**{column: cell})
    assert column in refused.reason
    assert refused.item_record_id == (None if column == "item_record_id" else FIRST_ID + 1)


@pytest.mark.parametrize("fields", [["1"], [*row(1).values(), "more"], list(row(1).values())[1:]])
def test_row_with_another_number_of_fields_is_refused_and_none_is_taken_for_its_id(fields: list[str]) -> None:
    refused = make_row_reader(list(COLUMNS))(fields)
    assert isinstance(refused, Refusal)
    assert refused.item_record_id is None
    assert refused.reason == f"has {len(fields)} fields, the header has 13"


def test_refused_line_is_kept_short_and_fit_to_be_stored() -> None:
    refused = refusal(best_title="\0\ud800", best_author="ä" * KEPT_LINE_BYTES)
    assert len(refused.line.encode()) <= KEPT_LINE_BYTES
    assert refusal(best_title="a\0b\ud800c").line.split("\t")[6] == "a\\u0000b\\ud800c"


def test_reason_is_short_and_fit_to_be_stored() -> None:
    reason = refusal(item_number="\ud800" + "x" * 1000).reason
    reason.encode()
    assert "\0" not in reason
    assert len(refusal(item_number="x" * 1000).reason) < 150


@pytest.mark.parametrize(
    ("cell", "stored"),
    [
        ("nonsense", "nonsense"),
        (heading("x" * 900_000), heading("x" * 900_000)),
        ("[{'content': '\\x00'}]", "[{'content': '\\x00'}]"),
        ("[{'content': '\0'}]", "[{'content': '\\u0000'}]"),
        ("[{'content': '\ud800'}]", "[{'content': '\\ud800'}]"),
        ("", None),
    ],
    ids=lambda cell: str(cell)[:30],
)
def test_subfields_never_cost_the_row(cell: str, stored: str | None) -> None:
    assert item(shelfmark_json=cell).shelfmark_json == stored
