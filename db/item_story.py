"""One item as a person looks it up: what is known of it, what is asked for, and what came of earlier updates."""

from dataclasses import dataclass
from typing import Any

from psycopg.rows import dict_row

from db.queue import Connection
from runtime.statements import load

SQL = load("db", "item_story")
Row = dict[str, Any]

FIRST_ITEM_RECORD_ID = 105 << 32  # Sierra's key of a record: the letter of its type, here i, and its number
LARGEST_NUMBER = (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class Story:
    """The item, its row of the queue if it has one, and its outcomes, the newest first."""

    item: Row
    queued: Row | None
    outcomes: list[Row]


async def find_items(connection: Connection, name: str) -> list[Row]:
    """The items with this barcode or this number."""
    return await _rows(connection, "find", name=name, item_record_id=key_of(name))


def key_of(number: str) -> int | None:
    """Sierra's key of the item with this number; None where it is none."""
    value = int(number) if number.isascii() and number.isdigit() and len(number) < 11 else LARGEST_NUMBER + 1
    return FIRST_ITEM_RECORD_ID + value if value <= LARGEST_NUMBER else None


async def read_story(connection: Connection, item: Row) -> Story:
    """The story of an item that was found."""
    named = {"item_record_id": item["item_record_id"], "barcode": item["barcode"]}
    queued = await _rows(connection, "queued", **named)
    return Story(item, queued[0] if queued else None, await _rows(connection, "history", **named))


async def _rows(connection: Connection, statement: str, **parameters: Any) -> list[Row]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(SQL[statement], parameters)
        return await cursor.fetchall()
