"""The pulse of a machine's notifier: its last heartbeat says whether it goes round, and how it is."""

from dataclasses import dataclass

from psycopg.rows import class_row

from db.queue import Connection
from runtime.statements import load

SQL = load("db", "notifiers")


@dataclass(frozen=True, slots=True)
class Pulse:
    """How a notifier is that was heard of in the last 30 s; states as in the view notifier_overview.

    `gets_no_answer`: Sierra has served it nothing for 2 minutes, and gives no answer, though it goes on asking.
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


async def find_pulse(connection: Connection, host: str) -> Pulse | None:
    """The notifier on that host, of several one that is in trouble; None if none was heard of for 30 s."""
    async with connection.cursor(row_factory=class_row(Pulse)) as cursor:
        await cursor.execute(SQL["find_pulse"], {"host": host})
        return await cursor.fetchone()
