"""Does a machine's notifier go round? Its heartbeat says so, and how it is."""

from dataclasses import dataclass

from psycopg.rows import class_row

from db.queue import Connection
from db.sql import load

SQL = load("pulse")


@dataclass(frozen=True, slots=True)
class Pulse:
    """How a notifier said that it is, less than 30 s ago."""

    notifier: str
    mode: str
    breaker: str
    reason: str | None


async def find_pulse(connection: Connection, host: str) -> Pulse | None:
    """The last heartbeat from that host; None if there was none for 30 s."""
    async with connection.cursor(row_factory=class_row(Pulse)) as cursor:
        await cursor.execute(SQL["find_pulse"], {"host": host})
        return await cursor.fetchone()
