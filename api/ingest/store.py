"""The way of rows into the catalogue, through the temporary table that a batch is copied into.

Used for the ETL's batches (api/ingest/__main__.py) and for the predecessor's items (cli/predecessor/importer.py).
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from api.ingest.rows import Item, Refusal
from api.ingest.shelfmark import shelfmark_of
from db import sync

_NO_REFUSAL = (None, None, None)


def columns_of(line_number: int, row: Item | Refusal) -> tuple[Any, ...]:
    """Return the columns of the table batch: line number, those of an Item, and a Refusal's reason and line."""
    if isinstance(row, Item):
        return (line_number, *row, *_NO_REFUSAL)
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
    """Store part by part: while PostgreSQL stores one, this process makes the shelfmarks of the next."""

    def store(part: sync.Part, shelfmarks: dict[int, str]) -> int:
        return sync.merge_part(connection, part, shelfmarks, timestamp, bibs)

    written, made = 0, None
    with ThreadPoolExecutor(1) as thread:
        for part in sync.find_parts(connection):
            subfields = sync.read_new_subfields(connection, part)  # before the last part is stored: one thing at a time
            storing = thread.submit(store, *made) if made else None
            made = part, {item_record_id: shelfmark_of(text) for item_record_id, text in subfields}
            written += storing.result() if storing else 0
    return written + (store(*made) if made else 0)
