"""The notifier's pool of connections, from which one is lent for a statement at a time."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg_pool import AsyncConnectionPool

from db.connections import POOL_WAIT_SECONDS, PREPARED_IN_VAIN, Parameters

LONGEST_STATEMENT_SECONDS = 12.0  # longer than the server's own limit: its answer has not reached us

NotifierPool = AsyncConnectionPool[psycopg.AsyncConnection[Any]]


def make_pool(parameters: Parameters, size: int) -> NotifierPool:
    """A pool of autocommit connections, to be opened by `async with`.

    Connections are not checked when they are taken: that would cost every push a round trip. A caller that meets a dead
    one tries again. The pool tries to connect only while a caller waits, and anew for the next one: its pauses do not
    grow with the outage, so the end of a long one is noticed as soon as that of a short one.
    """
    return AsyncConnectionPool(
        make_conninfo("", **parameters),
        kwargs={"autocommit": True},
        min_size=1,
        max_size=size,
        timeout=POOL_WAIT_SECONDS,
        reconnect_timeout=POOL_WAIT_SECONDS,
        open=False,
    )


@asynccontextmanager
async def lend(pool: NotifierPool) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    """Lend a connection of the pool for one statement.

    If the statement takes longer than the server allows, the connection has fallen silent: its socket is shut down,
    which ends the wait with OperationalError. If it broke, the idle ones are closed too, for they broke as well.
    """
    async with pool.connection() as connection:
        cutting = asyncio.get_running_loop().call_later(LONGEST_STATEMENT_SECONDS, _cut, connection)
        try:
            yield connection
        except psycopg.OperationalError:
            if connection.broken:
                await pool.drain()
            raise
        except PREPARED_IN_VAIN:
            await connection.close()
            raise
        finally:
            cutting.cancel()


def _cut(connection: psycopg.AsyncConnection[Any]) -> None:
    with suppress(OSError, psycopg.OperationalError), socket.socket(fileno=os.dup(connection.fileno())) as wire:
        wire.shutdown(socket.SHUT_RDWR)
