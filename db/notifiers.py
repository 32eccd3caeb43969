"""The notifiers as the database knows them: each writes its heartbeat, a person or a health check reads it."""

from dataclasses import dataclass
from typing import Any

from psycopg.rows import class_row, dict_row

from db.queue import Connection, storable
from runtime.statements import load

SQL = load("db", "notifiers")


@dataclass(frozen=True, slots=True)
class NotifierHealth:
    """The last heartbeat of a notifier that was seen in the last 30 s; states as in the view notifier_overview.

    `gets_no_answer`: for 2 minutes no request of it succeeded at Sierra, and Sierra does not answer, though it asks.
    """

    notifier: str
    state: str
    mode: str
    breaker: str
    reason: str | None
    waits_for: str | None
    looped_seconds: float | None
    oldest_due_seconds: float | None
    gets_no_answer: bool


async def heartbeat(
    connection: Connection,
    notifier: str,
    mode: str,
    breaker: str,
    reason: str | None,
    *,
    waits_for: str | None = None,
    succeeded: bool,
    looped_seconds_ago: float,
) -> None:
    """Write a notifier's state; `succeeded`: a request at Sierra has succeeded since the last heartbeat."""
    parameters = {
        "notifier": notifier,
        "mode": mode,
        "breaker": breaker,
        "reason": storable(reason),
        "waits_for": waits_for,
        "succeeded": succeeded,
        "looped_seconds_ago": looped_seconds_ago,
    }
    await connection.execute(SQL["heartbeat"], parameters)


async def find_notifier(connection: Connection, host: str) -> NotifierHealth | None:
    """The notifier on that host, of several one that is in trouble; None if none was seen in the last 30 s."""
    async with connection.cursor(row_factory=class_row(NotifierHealth)) as cursor:
        await cursor.execute(SQL["find"], {"host": host})
        return await cursor.fetchone()


async def list_notifiers(connection: Connection) -> list[dict[str, Any]]:
    """The notifiers that have not stopped, the one seen last first."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(SQL["list"])
        return await cursor.fetchall()


async def forget_notifiers(connection: Connection) -> None:
    """Delete the state of notifiers that have not been seen for a day."""
    await connection.execute(SQL["forget"])
