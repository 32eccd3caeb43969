"""How do rows that were read get into the catalogue? Through the temporary table that a batch is copied into.

For the ETL's batches (api/ingest.py), and for the predecessor's items (cli/inheritance.py).
"""

from datetime import datetime
from typing import Any

from api.rows import Item, Refusal
from api.shelfmark import shelfmark_of
from db import sync

_NO_ITEM = (None,) * (len(Item._fields) - 1)
_NO_REFUSAL = (None,) * (len(Refusal._fields) - 1)


def columns_of(line_number: int, row: Item | Refusal) -> tuple[Any, ...]:
    """The columns of the table batch: line number, Item, Refusal."""
    if isinstance(row, Item):
        return (line_number, *row, *_NO_REFUSAL)
    return (line_number, row.item_record_id, *_NO_ITEM, *row[1:])


def store_batch(connection: sync.Transaction, timestamp: datetime) -> int:
    """Store the batch that was copied, with shelfmarks where they are new. The number of items written."""
    sync.drop_further_rows(connection)
    # All of them, before the first is sent: the connection does one thing at a time.
    shelfmarks = [(line_number, shelfmark_of(text)) for line_number, text in sync.read_new_subfields(connection)]
    sync.fill_shelfmarks(connection, shelfmarks)
    return sync.merge_batch(connection, timestamp)
