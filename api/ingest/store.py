"""The way of rows into the catalogue, through the temporary table that a batch is copied into.

Used for the ETL's batches (api/ingest/__main__.py) and for the predecessor's items (cli/predecessor/importer.py).
"""

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


def store_batch(connection: sync.Transaction, timestamp: datetime, bibs: sync.Bibs = "heed") -> int:
    """Store the batch that was copied, with shelfmarks where they are new. Return the number of items written."""
    if bibs == "note":
        sync.note_bibs(connection)
    sync.drop_further_rows(connection)
    # A list: all must be read before the first is sent, for the connection does one thing at a time.
    shelfmarks = [(line_number, shelfmark_of(text)) for line_number, text in sync.read_new_subfields(connection)]
    sync.fill_shelfmarks(connection, shelfmarks)
    return sync.merge_batch(connection, timestamp, bibs)
