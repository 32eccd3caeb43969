"""Durable commits: what is acknowledged is on disk, and on the synchronous standby's disk if the server names one.

A standby that is gone lets a commit wait for ever. If that wait is cancelled, PostgreSQL reports success, with a
warning: the primary has stored it, the standby has not, and a failover would lose it.
"""

import threading
from contextlib import suppress
from typing import Any

import psycopg
from psycopg import AsyncConnection, Connection
from psycopg.errors import Diagnostic

from runtime.statements import load

SQL = load("db", "durability")

CONFIRM_SECONDS = 10.0  # for what takes long itself: a batch, an import

CANCEL_SECONDS = 2.0

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
    """Have the session's commits wait for the disk and for the synchronous standby, whatever the role's setting is."""
    await connection.execute(SQL["commit_durably"])


def commit_in_time(connection: Connection[Any]) -> bool:
    """Commit the transaction durably. Return False if no synchronous standby has confirmed it within CONFIRM_SECONDS.

    It is stored all the same then. Raise OperationalError where the server does not even hear that we give up.
    """
    from db.pool import cut

    standby = StandbyWatch(connection)
    connection.execute(SQL["commit_durably"])
    giving_up = threading.Timer(CONFIRM_SECONDS, _cancel, (connection,))
    # After a failover a cancel may go the way to the new primary, and not end the wait at the old one. Nor does any
    # time-out of the server's.
    ending = threading.Timer(CONFIRM_SECONDS + CANCEL_SECONDS, cut, (connection,))
    giving_up.start()
    ending.start()
    try:
        connection.commit()
    finally:
        giving_up.cancel()
        ending.cancel()
    return not standby.missed()


def _cancel(connection: Connection[Any]) -> None:
    with suppress(psycopg.Error):
        connection.cancel_safe(timeout=CANCEL_SECONDS)


async def is_waiting_for_standby(connection: AsyncConnection[Any], pid: int) -> bool | None:
    """Return whether our session `pid` waits for a synchronous standby. Asked on another connection.

    None: there is no such session at the server that this connection leads to.
    """
    row = await (await connection.execute(SQL["is_waiting"], {"pid": pid})).fetchone()
    return row[0] if row else None
