"""The rows of the ETL's file, each as an Item that can be stored or as a Refusal with its reason.

A row that PostgreSQL could not store is refused here: else it would fail the whole batch.
"""

from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import Any, NamedTuple

from api.ingest.cells import (
    RowRefused,
    day,
    fit_to_store,
    is_storable,
    item_number,
    moment,
    quoted,
    trimmed,
    whole,
    without_fraction,
)
from api.ingest.gunzip import UnreadableFile
from api.ingest.tsv import Record
from runtime.call_number import is_relabelled

COLUMNS = (
    "item_record_id",
    "item_number",
    "barcode",
    "bib_record_id",
    "bib_number",
    "best_author",
    "best_title",
    "itype_code_num",
    "item_type_name",
    "material_code",
    "material_name",
    "classification",
    "shelfmark_json",
)
# Of an item that Sierra has deleted, the date; all else in its row but the key counts for nothing.
DELETED_ON = "deleted_on"
# Those that only some ETLs send. A file without one leaves what is stored of it.
FURTHER_COLUMNS = ("item_call_number", "item_updated_at", "location_code", "location_name")

# An entry of the index on barcode has a largest size; no real barcode comes near this limit.
BARCODE_LIMIT = 255
KEPT_LINE_BYTES = 8 * 1024


class Item(NamedTuple):
    """A row that can be stored: an item as the ETL sent it."""

    item_record_id: int
    item_number: str | None
    barcode: str | None
    bib_record_id: int | None
    bib_number: str | None
    best_author: str | None
    best_title: str | None
    itype_code_num: int | None
    item_type_name: str | None
    material_code: str | None
    material_name: str | None
    classification: str | None
    shelfmark_json: str | None
    # Of these None means that the file lacks the column, and an empty text that the item has none.
    item_call_number: str | None = None
    item_updated_at: str | None = None
    location_code: str | None = None
    location_name: str | None = None
    deleted_on: str | None = None
    # None where the file has no call numbers, or the row no classification.
    is_relabelled: bool | None = None


_KEY_ALONE = Item(0, None, None, None, None, None, None, None, None, None, None, None, None)


class Refusal(NamedTuple):
    """A row that can't be stored. Its ids are None where they could not be read; `line` can be stored."""

    item_record_id: int | None
    bib_record_id: int | None
    reason_code: str
    reason: str
    line: str


def read_header(records: Iterator[Record]) -> list[str]:
    """Return the names in the header line. Raises UnreadableFile if the file has none."""
    header = next(records, None)
    if header is None:
        raise UnreadableFile("the file is empty: it has no header line")
    return header.fields


def make_row_reader(header: list[str]) -> Callable[[list[str]], Item | Refusal]:
    """Return a function that reads the rows below this header: columns by name, in any order, unknown ones ignored."""
    for problem, columns in (
        ("lacks", [column for column in COLUMNS if column not in header]),
        (
            "has more than one",
            [column for column in (*COLUMNS, *FURTHER_COLUMNS, DELETED_ON) if header.count(column) > 1],
        ),
    ):
        if columns:
            raise UnreadableFile(f"the header line {problem} {', '.join(columns)}")
    pick = itemgetter(*map(header.index, COLUMNS))
    deletion = header.index(DELETED_ON) if DELETED_ON in header else None
    further = [(column, header.index(column)) for column in FURTHER_COLUMNS if column in header]

    def read_row(fields: list[str]) -> Item | Refusal:
        item_record_id = bib_record_id = None
        try:
            if len(fields) != len(header):
                raise RowRefused("field_count", f"has {len(fields)} fields, the header has {len(header)}")
            cells = pick(fields)
            item_record_id = _key(cells[0])
            if deletion is not None and fields[deletion]:
                return _KEY_ALONE._replace(item_record_id=item_record_id, deleted_on=day(DELETED_ON, fields[deletion]))
            bib_record_id = whole("bib_record_id", cells[3], 64)
            item = _read_item(item_record_id, bib_record_id, cells)
            return _with_further(item, {column: fields[place] for column, place in further}) if further else item
        except RowRefused as refused:
            return Refusal(item_record_id, bib_record_id, refused.reason_code, str(refused), _kept_line(fields))

    return read_row


def _key(text: str) -> int:
    key = whole("item_record_id", text, 64)
    if key is None:
        raise RowRefused("no_item_record_id", "has no item_record_id")
    return key


def _read_item(item_record_id: int, bib_record_id: int | None, cells: tuple[str, ...]) -> Item:
    _, number, barcode, _, bib_number, author, title, itype, itype_name, material, material_name, class_, json = cells
    if not is_storable("\t".join(cells)):
        _check_storable(cells[:-1])
        json = fit_to_store(json)  # a broken cell here costs the shelfmark at most, not the row
    barcode = trimmed(barcode)
    if len(barcode) > BARCODE_LIMIT:
        raise RowRefused("barcode", f"barcode is longer than {BARCODE_LIMIT} characters")
    return Item(
        item_record_id,
        item_number(number),
        barcode or None,
        bib_record_id,
        without_fraction("bib_number", trimmed(bib_number)),
        author or None,
        title or None,
        whole("itype_code_num", itype, 32),
        itype_name or None,
        material or None,
        material_name or None,
        class_ or None,
        json or None,
    )


def _with_further(item: Item, cells: dict[str, Any]) -> Item:
    for column, cell in cells.items():
        if not is_storable(cell):
            raise RowRefused("character", f"{column} {quoted(cell)} holds NUL or half a surrogate pair")
    if cells.get("item_updated_at"):
        cells["item_updated_at"] = moment("item_updated_at", cells["item_updated_at"])
    if "item_call_number" in cells:
        cells["is_relabelled"] = is_relabelled(cells["item_call_number"], item.classification)
    return item._replace(**cells)


def _check_storable(cells: tuple[str, ...]) -> None:
    for column, cell in zip(COLUMNS, cells, strict=False):
        if not is_storable(cell):
            raise RowRefused("character", f"{column} {quoted(cell)} holds NUL or half a surrogate pair")


def _kept_line(fields: list[str]) -> str:
    return fit_to_store("\t".join(fields)).encode()[:KEPT_LINE_BYTES].decode(errors="ignore")
