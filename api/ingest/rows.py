"""The rows of the ETL's file, each as an Item that can be stored or as a Refusal with its reason.

A row that PostgreSQL could not store is refused here: else it would fail the whole batch.
"""

import re
from collections.abc import Callable, Iterator
from datetime import MAXYEAR, datetime
from operator import itemgetter
from typing import Any, NamedTuple

from api.ingest.gunzip import UnreadableFile
from api.ingest.tsv import Record
from runtime.characters import is_invisible

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
# Those that only some ETLs send. A file without one leaves what is stored of it.
FURTHER_COLUMNS = ("item_call_number", "item_updated_at", "location_code", "location_name")

# An entry of the index on barcode has a largest size; no real barcode comes near this limit.
BARCODE_LIMIT = 255
KEPT_LINE_BYTES = 8 * 1024
QUOTED_CHARACTERS = 60

# pandas writes a column of whole numbers as 1000001.0 as soon as one row of the batch lacks it.
_WHOLE = re.compile(r"(-?[0-9]{1,19})(?:\.0*)?")
_DECIMAL = re.compile(r"(-?[0-9]+)\.([0-9]*)")
_DIGITS = re.compile(r"[0-9]+")
# From 2^53 on a float stands for several whole numbers, and 1e15 for as many as have its first digits.
_EXACT = 1 << 53
_EXACT_DIGITS = len(str(_EXACT))
_POWER = re.compile(r"[+-]?[0-9.]+[eE][+-]?[0-9]+")
_UNSTORABLE = re.compile(r"[\0\ud800-\udfff]")


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


class Refusal(NamedTuple):
    """A row that can't be stored. Its ids are None where they could not be read; `line` can be stored."""

    item_record_id: int | None
    bib_record_id: int | None
    reason_code: str
    reason: str
    line: str


class _RowRefused(Exception):
    def __init__(self, reason_code: str, reason: str) -> None:
        super().__init__(reason)
        self.reason_code = reason_code


def read_rows(records: Iterator[Record]) -> Iterator[tuple[int, Item | Refusal]]:
    """Yield each row with its line number. Raises UnreadableFile if the header is missing or lacks a column."""
    header = next(records, None)
    if header is None:
        raise UnreadableFile("the file is empty: it has no header line")
    read = make_row_reader(header.fields)
    return ((record.line_number, read(record.fields)) for record in records)


def make_row_reader(header: list[str]) -> Callable[[list[str]], Item | Refusal]:
    """Return a function that reads the rows below this header: columns by name, in any order, unknown ones ignored."""
    for problem, columns in (
        ("lacks", [column for column in COLUMNS if column not in header]),
        ("has more than one", [column for column in (*COLUMNS, *FURTHER_COLUMNS) if header.count(column) > 1]),
    ):
        if columns:
            raise UnreadableFile(f"the header line {problem} {', '.join(columns)}")
    pick = itemgetter(*map(header.index, COLUMNS))
    further = [(column, header.index(column)) for column in FURTHER_COLUMNS if column in header]

    def read_row(fields: list[str]) -> Item | Refusal:
        item_record_id = bib_record_id = None
        try:
            if len(fields) != len(header):
                raise _RowRefused("field_count", f"has {len(fields)} fields, the header has {len(header)}")
            cells = pick(fields)
            item_record_id = _key(cells[0])
            bib_record_id = _whole("bib_record_id", cells[3], 64)
            item = _read_item(item_record_id, bib_record_id, cells)
            return _with_further(item, {column: fields[place] for column, place in further}) if further else item
        except _RowRefused as refused:
            return Refusal(item_record_id, bib_record_id, refused.reason_code, str(refused), _kept_line(fields))

    return read_row


def _key(text: str) -> int:
    key = _whole("item_record_id", text, 64)
    if key is None:
        raise _RowRefused("no_item_record_id", "has no item_record_id")
    return key


def _read_item(item_record_id: int, bib_record_id: int | None, cells: tuple[str, ...]) -> Item:
    _, number, barcode, _, bib_number, author, title, itype, itype_name, material, material_name, class_, json = cells
    _check_storable(cells[:-1])
    barcode = _trimmed(barcode)
    if len(barcode) > BARCODE_LIMIT:
        raise _RowRefused("barcode", f"barcode is longer than {BARCODE_LIMIT} characters")
    return Item(
        item_record_id,
        _item_number(number),
        barcode or None,
        bib_record_id,
        _without_fraction("bib_number", _trimmed(bib_number)),
        author or None,
        title or None,
        _whole("itype_code_num", itype, 32),
        itype_name or None,
        material or None,
        material_name or None,
        class_ or None,
        # A broken cell here costs the shelfmark at most, not the row.
        (json if _is_storable(json) else _fit_to_store(json)) or None,
    )


def _with_further(item: Item, cells: dict[str, Any]) -> Item:
    for column, cell in cells.items():
        if not _is_storable(cell):
            raise _RowRefused("character", f"{column} {_quoted(cell)} holds NUL or half a surrogate pair")
    if cells.get("item_updated_at"):
        cells["item_updated_at"] = _moment("item_updated_at", cells["item_updated_at"])
    return item._replace(**cells)


def _moment(column: str, text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or not 1 < moment.year < MAXYEAR:
        raise _RowRefused(column, f"{column} {_quoted(text)} is no ISO 8601 date and time with offset")
    return moment.isoformat()


def _whole(column: str, text: str, bits: int) -> int | None:
    if not text:
        return None
    match = _WHOLE.fullmatch(text)
    number = int(match[1]) if match else None
    if number is None or not -(1 << bits - 1) <= number < 1 << bits - 1:
        raise _RowRefused(column, f"{column} {_quoted(text)} is no whole number of {bits} bits")
    if "." in text:
        _check_exact(column, text, str(abs(number)))
    return number


def _item_number(text: str) -> str | None:
    number = _without_fraction("item_number", text)
    if number is not None and not _DIGITS.fullmatch(number):
        raise _RowRefused("item_number", f"item_number {_quoted(text)} is not all digits")
    return number


def _without_fraction(column: str, text: str) -> str | None:
    if text.isdigit() and text.isascii():
        return text
    if _POWER.fullmatch(text):
        raise _RowRefused(column, f"{column} {_quoted(text)} names no record for sure")
    match = _DECIMAL.fullmatch(text) if "." in text else None
    if match is None:
        return text or None
    if match[2].strip("0"):
        raise _RowRefused(column, f"{column} {_quoted(text)} is no whole number")
    _check_exact(column, text, match[1].lstrip("-0"))
    return match[1]


def _check_exact(column: str, text: str, digits: str) -> None:
    if len(digits) > _EXACT_DIGITS or int(digits or 0) >= _EXACT:
        raise _RowRefused(column, f"{column} {_quoted(text)} is too large a float to name a record for sure")


def _trimmed(text: str) -> str:
    """Return the text without blanks, line ends and invisible characters at its ends: no scanner reads those."""
    if text.isalnum():
        return text
    visible = [index for index, character in enumerate(text) if not character.isspace() and not is_invisible(character)]
    return text[visible[0] : visible[-1] + 1] if visible else ""


def _check_storable(cells: tuple[str, ...]) -> None:
    if _is_storable("\t".join(cells)):
        return
    column, cell = next((column, cell) for column, cell in zip(COLUMNS, cells, strict=False) if not _is_storable(cell))
    raise _RowRefused("character", f"{column} {_quoted(cell)} holds NUL or half a surrogate pair")


def _is_storable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def _kept_line(fields: list[str]) -> str:
    return _fit_to_store("\t".join(fields)).encode()[:KEPT_LINE_BYTES].decode(errors="ignore")


def _fit_to_store(text: str) -> str:
    return _UNSTORABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _quoted(text: str) -> str:
    """Return the text in quotes, short, as it can be stored and shown."""
    return ascii(text[:QUOTED_CHARACTERS]) if not _is_storable(text) else repr(text[:QUOTED_CHARACTERS])
