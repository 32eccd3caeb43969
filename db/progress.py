"""The progress of the whole relabelling: counted by a notifier, read by commands and pages.

A function per statement of db/sql/progress.sql. Pace and end are columns of the view progress_overview, and computed
nowhere else.
"""

from datetime import date, timedelta
from typing import Any

from psycopg.rows import dict_row

from db.queue import Connection
from runtime.statements import load

SQL = load("db", "progress")

COLLECTION = ("location", "item_type", "material")


async def count_items(connection: Connection) -> bool:
    """Count the living items of each collection anew. False if another count is under way, or not ten minutes old."""
    async with connection.transaction():
        row = await (await connection.execute(SQL["take_turn"])).fetchone()
        if row is None or not row[0]:
            return False
        await connection.execute(SQL["clear_counts"])
        await connection.execute(SQL["count"])
        return True


async def find_weeks(connection: Connection) -> list[date]:
    """The first days of the weeks whose pushes have to be added up; none as long as there is no history."""
    first_day, today = await (await connection.execute(SQL["days_to_add_up"])).fetchone() or (None, None)
    if first_day is None or today is None:
        return []
    return [first_day + timedelta(days=days) for days in range(0, (today - first_day).days + 1, 7)]


async def add_up_week(connection: Connection, first_day: date) -> None:
    """Add up the pushes of this day and the six after it, by day and desk. Done again, it changes nothing."""
    await connection.execute(SQL["add_up"], {"first_day": first_day})


async def read_overview(connection: Connection) -> dict[str, Any]:
    """The number of items done and to do, the pace, and the day when it ends or why none is told."""
    (overview,) = await _read(connection, "overview")
    return overview


async def read_collections(connection: Connection, columns: tuple[str, ...] = COLLECTION) -> list[dict[str, Any]]:
    """The counts by these columns of COLLECTION, the most to do first; the others are None."""
    return await _read(connection, "collections", **{f"by_{name}": name in columns for name in COLLECTION})


async def read_days(connection: Connection, days: int) -> list[dict[str, Any]]:
    """The pushes of each desk on each of the last days (UTC), the newest first."""
    return await _read(connection, "days", days=days)


async def _read(connection: Connection, statement: str, **parameters: Any) -> list[dict[str, Any]]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(SQL[statement], parameters)
        return await cursor.fetchall()
