"""From a record before and after a change to what SierraDNA's base tables are told. Pure.

Only what differs is written: a column of a record's one row, a link, the fields of one tag. So whatever else is odd in
the rows (a missing property row, an order that is NULL) stays as it is, as it does in Sierra.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sandbox.dna_bibs import BibChange, BibRecord
from sandbox.dna_rows import Row, Rows, bib_rows, item_rows, record_key
from sandbox.records import Change, Record

INDEX_PRODUCTS = ("item_record_property", "bib_record_property", "phrase_entry")  # Sierra makes them behind the edit
_ONE_ROW = {  # the tables in which a record has one row, each with the column that has the record's key
    "item_record": "record_id",
    "item_record_property": "item_record_id",
    "bib_record": "record_id",
    "bib_record_property": "bib_record_id",
}
_UNCOMPARED = {"id", "items_display_order", "bibs_display_order"}  # elsewhere, rows that differ in these are the same


@dataclass(frozen=True, slots=True)
class Write:
    """An INSERT of `values` (nothing in `where`), an UPDATE, or a DELETE (`values` is None)."""

    table: str
    where: Row
    values: Row | None


@dataclass(frozen=True, slots=True)
class Plan:
    """One record's change. With a `stamp` its row in record_metadata gets that, and its revisions."""

    key: int
    stamp: datetime | None
    revisions: int
    writes: tuple[Write, ...]


def plan(change: Change | BibChange, ids: Iterator[int]) -> Plan:
    """Return the writes that bring the rows from `before` to `after`. `ids` gives the new rows theirs."""
    after = change.after
    kind = "i" if isinstance(after, Record) else "b"
    new = _rows(after, ids)
    if change.before is None:
        writes = [Write(table, {}, row) for table, rows in new.items() for row in rows]
    else:
        writes = [*_differences(_rows(change.before, ids), new, record_key(kind, after.number))]
    revisions = new["record_metadata"][0]["num_revisions"]
    return Plan(record_key(kind, after.number), change.stamp, revisions, tuple(writes))


def _rows(record: Record | BibRecord, ids: Iterator[int]) -> Rows:
    return item_rows(record, ids) if isinstance(record, Record) else bib_rows(record, ids)


def _differences(old: Rows, new: Rows, key: int) -> Iterator[Write]:
    day = new["record_metadata"][0]["deletion_date"]
    if day or old["record_metadata"][0]["deletion_date"]:
        yield Write("record_metadata", {"id": key}, {"deletion_date": day})
        yield from (
            _deletion(key)
            if day
            else (Write(table, {}, row) for table, rows in new.items() for row in rows if table != "record_metadata")
        )
        return
    for table, column in _ONE_ROW.items():
        if table in old:
            changed = {name: value for name, value in new[table][0].items() if value != old[table][0][name]}
            if changed:
                yield Write(table, {column: key}, changed)
    for table in ("bib_record_item_record_link", "phrase_entry"):
        yield from _several(table, old.get(table, []), new.get(table, []))
    yield from _fields(old, new, key)


def _several(table: str, old: list[Row], new: list[Row]) -> Iterator[Write]:
    def compared(row: Row) -> Row:
        return {name: value for name, value in row.items() if name not in _UNCOMPARED}

    before, after = [compared(row) for row in old], [compared(row) for row in new]
    yield from (Write(table, row, None) for row in before if row not in after)
    yield from (Write(table, {}, row) for row in new if compared(row) not in before)


def _fields(old: Rows, new: Rows, key: int) -> Iterator[Write]:
    """The fields of each tag whose fields differ: those of varfield and subfield go, and come anew."""
    for tag in sorted({row["field_type_tag"] for row in (*old["varfield"], *new["varfield"])}):
        if _of_tag(old, tag) != _of_tag(new, tag):
            yield Write("subfield", {"record_id": key, "field_type_code": tag}, None)
            yield Write("varfield", {"record_id": key, "field_type_tag": tag}, None)
            yield from (Write("varfield", {}, row) for row in new["varfield"] if row["field_type_tag"] == tag)
            yield from (Write("subfield", {}, row) for row in new["subfield"] if row["field_type_code"] == tag)


def _of_tag(rows: Rows, tag: str) -> list[Row]:
    unlike = {"id", "varfield_id"}
    fields = [row for row in rows["varfield"] if row["field_type_tag"] == tag]
    fields += [row for row in rows["subfield"] if row["field_type_code"] == tag]
    return [{name: value for name, value in row.items() if name not in unlike} for row in fields]


def _deletion(key: int) -> Iterator[Write]:
    """All rows of the item go but the one in record_metadata, whose stamp stays."""
    for table in ("item_record", "varfield", "subfield"):
        yield Write(table, {"record_id": key}, None)
    for table in ("item_record_property", "bib_record_item_record_link"):
        yield Write(table, {"item_record_id": key}, None)
    yield Write("phrase_entry", {"record_key": key}, None)
