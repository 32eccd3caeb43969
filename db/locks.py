"""Sessions that keep others waiting, named in messages by pid, role, application and duration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row

from db.queue import Connection
from runtime.statements import load

SQL = load("db", "locks")


@dataclass(frozen=True, slots=True)
class Session:
    """A session of the server with a transaction open. The state and age of another role's session may be hidden."""

    pid: int
    role: str | None
    application: str | None
    state: str | None
    seconds: float | None
    relation: str | None = None
    waiting: int = 0

    def __str__(self) -> str:
        if not self.pid:
            return "a prepared transaction (pg_prepared_xacts)"
        since = "" if self.seconds is None else f" for {self.seconds:.0f} s"
        state = f"{self.state or 'in a transaction'}{since}"
        return f"session {self.pid} ({', '.join(filter(None, (self.role, self.application, state)))})"


async def find_waited_for(connection: Connection, pid: int) -> list[Session]:
    """The sessions that session `pid` waits for; none if it waits for no lock."""
    return await _find(connection, "waited_for", {"pid": pid})


async def find_transactions(connection: Connection) -> list[Session]:
    """Transactions that others wait for (`waiting` sessions of them), and those that have been idle for a minute."""
    return await _find(connection, "transactions")


async def find_false_batches(connection: Connection) -> list[Session]:
    """Sessions that hold the lock of the sync, and whose role can't store a batch."""
    return await _find(connection, "false_batch")


def find_holders(connection: psycopg.Connection[Any], relation: str | None = None) -> list[Session]:
    """Sessions with a lock on one of our tables; with `relation`, with more than a reader's lock on that one."""
    with connection.cursor(row_factory=class_row(Session)) as cursor:
        return cursor.execute(SQL["holding"], {"relation": relation}).fetchall()


async def _find(connection: Connection, statement: str, parameters: Mapping[str, Any] | None = None) -> list[Session]:
    async with connection.cursor(row_factory=class_row(Session)) as cursor:
        await cursor.execute(SQL[statement], parameters or {})
        return await cursor.fetchall()


def name_all(sessions: Sequence[Session]) -> str:
    """The sessions in one phrase, with the table that they hold. Of none, the session has just ended."""
    table = next((session.relation for session in sessions if session.relation), None)
    held = f"{table}, or a row of it, is" if table else "what it needs is"
    return f"{held} held by {', '.join(map(str, sessions)) or 'a session that has just ended'}"
