"""Durable commits: what is acknowledged is on disk, and on the synchronous standby's disk if the server names one.

A standby that is gone lets a commit wait for ever. If that wait is cancelled, PostgreSQL reports success, with a
warning: the primary has stored it, the standby has not, and a failover would lose it.
"""

from typing import Any

from psycopg import AsyncConnection, Connection
from psycopg.errors import Diagnostic

from runtime.statements import load

SQL = load("db", "durability")

UNCONFIRMED = "The database has stored this, but no synchronous standby has confirmed it: a failover now would lose it"


class StandbyWatch:
    """Notes that a commit of the connection went on without its synchronous standby."""

    def __init__(self, connection: AsyncConnection[Any] | Connection[Any]) -> None:
        self._missed = False
        connection.add_notice_handler(self._hear)

    def missed(self) -> bool:
        """Return whether that happened since this was last asked."""
        missed, self._missed = self._missed, False
        return missed

    def _hear(self, notice: Diagnostic) -> None:
        # Its SQLSTATE is that of any warning, and its text is in the server's language.
        if notice.source_function == "SyncRepWaitForLSN":
            self._missed = True


async def commit_durably(connection: AsyncConnection[Any]) -> None:
    """Have the session's commits wait for the disk and for the synchronous standby, and hear if that does not confirm.

    Whatever the settings of role and database are.
    """
    await connection.execute(SQL["commit_durably"])


async def is_waiting_for_standby(connection: AsyncConnection[Any], pid: int) -> bool | None:
    """Return whether our session `pid` waits for a synchronous standby. Asked on another connection.

    None: there is no such session at the server that this connection leads to. False, too, where that can't be known:
    behind a pooler.
    """
    pids = {"pid": pid, "own_pid": connection.info.backend_pid}
    row = await (await connection.execute(SQL["is_waiting"], pids)).fetchone()
    return row[0] if row else None
