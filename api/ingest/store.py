"""The way of rows into the catalogue, through the temporary table that a batch is copied into.

Used for the ETL's batches (api/ingest/__main__.py) and for the predecessor's items (cli/predecessor/importer.py).
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from api.ingest.rows import Item, Refusal
from api.ingest.shelfmark import shelfmark_of
from db import sync

_Made = tuple[sync.Part, dict[int, str]]  # a part, and the new shelfmarks by item

NO_REFUSAL = (None, None, None)


def columns_of(line_number: int, row: Item | Refusal) -> tuple[Any, ...]:
    """Return the columns of the table batch: line number, those of an Item, and a Refusal's reason and line."""
    if isinstance(row, Item):
        return (line_number, *row, *NO_REFUSAL)
    known = {"item_record_id": row.item_record_id, "bib_record_id": row.bib_record_id}
    return (line_number, *map(known.get, Item._fields), row.reason_code, row.reason, row.line)


def store_batch(
    connection: sync.Transaction,
    timestamp: datetime,
    bibs: sync.Bibs = "heed",
    *,
    any_repeated: bool = True,
    any_refused: bool = True,
) -> int:
    """Store the batch that was copied, with shelfmarks where they are new. Return the number of items written.

    `any_repeated`, `any_refused`: whether it may have several rows of an item, and refused rows.
    """
    if any_repeated:
        if bibs == "note":
            sync.note_bibs(connection)
        sync.drop_further_rows(connection)
    written = _store_parts(connection, timestamp, bibs) + sync.revive(connection, timestamp)
    sync.keep_refused(connection, timestamp, bibs, any_refused=any_refused)
    return written


def _store_parts(connection: sync.Transaction, timestamp: datetime, bibs: sync.Bibs) -> int:
    """Store part by part: while PostgreSQL stores one and reads on, the shelfmarks of the next one are made."""

    def store(part: sync.Part, shelfmarks: dict[int, str]) -> int:
        return sync.merge_part(connection, part, shelfmarks, timestamp, bibs)

    def store_and_read(made: _Made | None, following: sync.Part | None) -> tuple[int, sync.Subfields]:
        return store(*made) if made else 0, sync.read_new_subfields(connection, following) if following else []

    made, written = None, 0
    parts = sync.find_parts(connection)
    with ThreadPoolExecutor(1) as thread:  # the connection is this thread's until its turn has ended
        turn = thread.submit(store_and_read, None, parts[0] if parts else None)
        for part, following in zip(parts, [*parts[1:], None], strict=False):
            stored, subfields = turn.result()
            written += stored
            turn = thread.submit(store_and_read, made, following)
            made = part, {item_record_id: shelfmark_of(text) for item_record_id, text in subfields}
        written += turn.result()[0]
    return written + (store(*made) if made else 0)
