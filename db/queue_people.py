"""Is the queue paused, and who pushes? And how does a person pause it, and let it go on?"""

from datetime import datetime, timedelta
from typing import Any

from psycopg.rows import dict_row

from db.queue import Connection
from runtime.statements import load

SQL = load("db", "queue_people")
Row = dict[str, Any]


async def pause(
    connection: Connection, person: str, reason: str, *, span: timedelta | None = None, until: datetime | None = None
) -> Row | None:
    """Have nothing claimed from now on; the pause, as stored. None, and nothing was done, if `until` has passed.

    What is claimed already is pushed. Neither `span` nor `until`: until a person lets it go on.
    """
    seconds = None if span is None else span.total_seconds()
    parameters = {"person": person, "reason": reason, "seconds": seconds, "until": until}
    return next(iter(await _rows(connection, "pause", parameters)), None)


async def resume(connection: Connection) -> Row | None:
    """End the pause, and say which it was. None if there is none in force."""
    return next(iter(await _rows(connection, "resume")), None)


async def read_progress(connection: Connection) -> Row:
    """The pause that is in force, and for how long the oldest item could have been claimed; None where is none."""
    (progress,) = await _rows(connection, "progress")
    return progress


async def list_notifiers(connection: Connection) -> list[Row]:
    """The notifiers that have not stopped, the one heard of last first."""
    return await _rows(connection, "notifiers")


async def _rows(connection: Connection, statement: str, parameters: Row | None = None) -> list[Row]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(SQL[statement], parameters)
        return await cursor.fetchall()
