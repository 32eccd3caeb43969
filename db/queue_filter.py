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
MOST_LOOKED = 100_000  # items that a page looks through, so that it answers in time also where few or none match …
MOST_TITLES = 20_000  # … and those whose titles it reads


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


def most_looked(wanted: QueueFilter) -> int | None:
    """The number of items that a look for these goes through. None: an index leads to them, or every item is one."""
    if _name(wanted) or wanted == QueueFilter() or wanted == QueueFilter("rejected", wanted.reason_code):
        return None
    return MOST_TITLES if wanted.words else MOST_LOOKED


async def look_for_items(
    connection: Connection, wanted: QueueFilter, after: int | None, limit: int
) -> tuple[list[int], int | None]:
    """The first ids behind `after`, and the id behind which the next look begins; None: there are no more."""
    most, until = most_looked(wanted), None
    if most:
        cursor = await connection.execute(SQL["look_until"], {"after": after, "others": most - 1}, prepare=False)
        until = next(iter(await cursor.fetchone() or ()), None)
    ids = await choose_items(connection, wanted, after, limit, until)
    return ids, ids[-1] if len(ids) == limit else until


async def choose_items(
    connection: Connection,
    wanted: QueueFilter,
    after: int | None = None,
    limit: int | None = None,
    until: int | None = None,
) -> list[int]:
    """The ids of the items, rising, behind `after` up to `until`; all of them without a limit."""
    name = _name(wanted)
    told = {"name": name, "item_record_id": key_of(name or ""), "title": None if name else wanted.words}
    given = {**asdict(wanted), **told, "after": after, "until": until, "limit": limit}
    cursor = await connection.execute(SQL["choose"], given, prepare=False)
    return [row[0] for row in await cursor.fetchall()]


def _name(wanted: QueueFilter) -> str | None:
    """The words where they name an item: they hold a digit and no blank. All else is of a title."""
    words = wanted.words or ""
    return words if any(map(str.isdigit, words)) and " " not in words else None


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
