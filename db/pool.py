"""How does the notifier share its connections? A pool, from which one is lent for a statement at a time."""

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

LONGEST_STATEMENT_SECONDS = 12.0  # no answer by then: the server's own limit did not reach us

NotifierPool = AsyncConnectionPool[psycopg.AsyncConnection[Any]]


def make_pool(parameters: Parameters, size: int) -> NotifierPool:
    """A pool of autocommit connections, to be opened by `async with`.

    Connections are not checked when they are taken: that would cost every push a round trip. Who meets a dead one tries
    again. Who asks for one has it tried until he gives up waiting, and not again until somebody asks: so an outage of
    an hour is over as soon as one of a second.
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
    """A connection of the pool, for one statement. Where that takes longer than the server lets it, its wire is cut:
    on one that has fallen silent nobody else would ever end the wait (OperationalError).

    Of what one died, the others did too: who meets a dead one has them closed.
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
