"""The queue as a person filters it: a page of items, how many there are, and acts on all of them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, cast

from psycopg.rows import dict_row

from db.item_story import key_of
from db.queue import Connection
from runtime.statements import load

SQL = load("db", "queue_filter")
Row = dict[str, Any]

PORTION = 1_000  # rows that are fetched at once for a download


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """Conditions that an item meets, each that is not None; `words`: its barcode, number or a part of its title.

    With `asked_at`, only what stood there at that time.
    """

    state: str | None = None
    reason_code: str | None = None
    queued_by: str | None = None
    words: str | None = None
    queued_from: datetime | None = None
    queued_until: datetime | None = None
    item_record_ids: Sequence[int] | None = None
    asked_at: datetime | None = None


async def choose_items(
    connection: Connection, wanted: QueueFilter, after: int | None = None, limit: int | None = None
) -> list[int]:
    """The ids of the items, rising, behind `after`; all of them without a limit."""
    # What holds a digit and no blank names an item; all else is of a title.
    words = wanted.words or ""
    name = words if any(map(str.isdigit, words)) and " " not in words else None
    told = {"name": name, "item_record_id": key_of(words), "title": None if name else wanted.words}
    given = {**asdict(wanted), **told, "after": after, "limit": limit}
    cursor = await connection.execute(SQL["choose"], given, prepare=False)
    return [row[0] for row in await cursor.fetchall()]


async def show_items(connection: Connection, item_record_ids: Sequence[int]) -> list[Row]:
    """These items as queue_detail shows them, by id. One that has left the queue is not among them."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(SQL["show"], {"item_record_ids": list(item_record_ids)})
        return await cursor.fetchall()


async def read_clock(connection: Connection) -> datetime:
    """The time at which this transaction began, by the database's clock."""
    cursor = await connection.execute(SQL["clock"])
    ((now,),) = await cursor.fetchall()
    return cast("datetime", now)
