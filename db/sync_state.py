"""The state of the sync: what GET /sync hands out, what a person sees, and a person's request for a full sync."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from psycopg.rows import dict_row

from db.queue import Connection
from db.requests import Database
from runtime.statements import load

SQL = load("db", "sync_state")

SyncMode = Literal["SYNC_FULL", "SYNC_CHANGES"]
SyncStatus = Literal["idle", "processing_sync_batch"]


@dataclass(frozen=True, slots=True)
class HandedOut:
    """The ETL's next batch: mode, cursor and timestamp. While a batch is being taken in, nothing is handed out."""

    sync_mode: SyncMode
    last_synced_id: int
    timestamp: datetime
    sync_status: SyncStatus
    deletions_since: date | None
    passed_at: datetime | None


async def hand_out(database: Database, batch_size: int) -> HandedOut:
    """Hand out what to send next, and note it: the batch is judged by that. A requested full sync begins here."""
    (row,) = await database.fetch(SQL["hand_out"], {"batch_size": batch_size}, writes=True)
    return HandedOut(*row)


async def show_sync(connection: Connection) -> dict[str, Any]:
    """The sync's mode, cursor, times, gap and advice."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(SQL["show_sync"])
        return await cursor.fetchone() or {}


async def request_full_sync(connection: Connection) -> datetime | None:
    """Ask for a full sync. Return the time of the request, as stored.

    The next GET /sync begins it, so that a batch under way is not taken for its answer.
    """
    row = await (await connection.execute(SQL["request_full_sync"])).fetchone()
    return row[0] if row else None
