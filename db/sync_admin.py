"""The sync, as a person looks at it and asks for all items anew."""

from datetime import datetime
from typing import Any

from psycopg.rows import dict_row

from db.queue import Connection
from runtime.statements import load

SQL = load("db", "sync_admin")


async def show_sync(connection: Connection) -> dict[str, Any]:
    """Mode, cursor, times, gap and advice."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(SQL["show_sync"])
        return await cursor.fetchone() or {}


async def request_full_sync(connection: Connection) -> datetime | None:
    """Only ask: the next GET /sync begins the full sync, so that a batch under way is not taken for its answer.

    The time of the request, as stored.
    """
    row = await (await connection.execute(SQL["request_full_sync"])).fetchone()
    return row[0] if row else None
