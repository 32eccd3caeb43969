"""The pool of every process: connections that are made in the background and lent for a statement at a time."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from db.connections import SESSION_IN_VAIN, Parameters, Session, one_line

WAIT_SECONDS = 2.0  # for a connection
STOP_SECONDS = 0.5  # for a connection that is being made as the process ends
# Age at which a session that only reads is given up when a read or a write meets it: by then another server may take
# writes. A write that meets a younger one need not ask the server.
MOST_SECONDS_OF_READS = 10.0
MOST_SECONDS_WITHOUT_WRITES = 1.0
CANCEL_SECONDS = 0.5
LONGEST_STATEMENT_SECONDS = 12.0  # longer than the server's own limit: its answer has not reached us

ALL_BUSY = "all database connections of this process are busy"


class Pool(AsyncConnectionPool[Session]):
    """Up to `size` connections, to be opened by `async with`.

    Connections are not checked when they are taken: that would cost every push a round trip. A caller that meets a dead
    one tries again. The pool tries to connect while a caller waits, anew for the next one, and for seconds in place
    of a connection that was given up: its pauses do not grow with the outage, so the end of a long one is noticed as
    soon as that of a short one. No caller's deadline ends a try: a connection that comes too late for one serves the
    next. A try that fails while none is lent is the answer to all who wait.
    """

    def __init__(
        self,
        parameters: dict[str, Any],
        size: int,
        longest_statement_seconds: float,
        configure: Callable[[Session], Awaitable[None]] | None,
    ) -> None:
        super().__init__(
            connection_class=Session,
            kwargs=parameters,
            configure=configure,
            min_size=0,
            max_size=size,
            timeout=WAIT_SECONDS,
            reconnect_timeout=WAIT_SECONDS,
            open=False,
        )
        self.longest_statement_seconds = longest_statement_seconds
        self.problem: str | None = None  # why the last try to connect failed
        self.lent = 0
        self.on_lost: Callable[[], None] = lambda: None  # called when a session was lost, whoever it was lent to
        self.found_read_only = asyncio.Event()  # set when a session had to be given up because its server only reads

    async def _connect(self, timeout: float | None = None) -> Session:
        self.problem = self.problem or f"it lets no new connection in within {WAIT_SECONDS:g} s"
        try:
            session = await super()._connect(timeout)
        except psycopg.Error as error:
            self.problem = one_line(error)
            if not self.lent:  # nor is any idle: a caller would not wait
                await self._refuse_waiting(self.problem)
            raise
        self.problem = None
        return session

    async def _refuse_waiting(self, reason: str) -> None:
        """Tell the callers that wait, rather than have them wait: no connection is there that could be given back."""
        async with self._lock:
            waiting = list(self._waiting)
            self._waiting.clear()
        for caller in waiting:
            await caller.fail(PoolTimeout(reason))

    async def close(self, timeout: float = STOP_SECONDS) -> None:
        """Close the connections. One that is being made is not waited for longer than `timeout` seconds."""
        await super().close(timeout)


def make_pool(
    parameters: Parameters,
    size: int,
    *,
    longest_statement_seconds: float = LONGEST_STATEMENT_SECONDS,
    reads_too: bool = False,
    configure: Callable[[Session], Awaitable[None]] | None = None,
) -> Pool:
    """A pool of autocommit connections, to be opened by `async with`. `reads_too`: see `Session.connect`.

    `configure` is called with each new session.
    """
    return Pool({**parameters, "reads_too": reads_too}, size, longest_statement_seconds, configure)


@asynccontextmanager
async def lend(pool: Pool, *, writes: bool = False, longest_seconds: float | None = None) -> AsyncIterator[Session]:
    """Lend a connection of the pool for one statement. PoolTimeout says why there is none.

    If the statement takes longer than the server allows (`longest_seconds`, else the pool's), it is cancelled, and soon
    after that the socket is shut down, which ends the wait with OperationalError: the connection has fallen silent. A
    session that has ended is given up, and one that can do nothing any more: the idle ones with it, for the same has
    happened to them. For a statement that `writes`, a session that only reads is one that was made within the last
    second.
    """
    session = await _take(pool, MOST_SECONDS_WITHOUT_WRITES if writes else MOST_SECONDS_OF_READS)
    pool.lent += 1
    ending: list[asyncio.Task[None]] = []
    late = asyncio.get_running_loop().call_later(
        longest_seconds or pool.longest_statement_seconds,
        lambda: ending.append(asyncio.create_task(_end_silent(pool, session))),
    )
    try:
        yield session
    except psycopg.Error as error:
        only_reads = isinstance(error, psycopg.errors.ReadOnlySqlTransaction)
        if only_reads or session.closed:
            pool.on_lost()
        if session.closed or isinstance(error, SESSION_IN_VAIN):
            await session.close()
            await pool.drain()
        if only_reads:
            pool.found_read_only.set()
        raise
    finally:
        late.cancel()
        if ending:
            ending[0].cancel()
            await session.close()  # or the cancel, if it comes late, would meet another statement
        pool.lent -= 1
        await pool.putconn(session)


async def _take(pool: Pool, most_seconds: float) -> Session:
    while True:
        try:
            session = await pool.getconn()
        except PoolTimeout as error:
            raise PoolTimeout(pool.problem or ALL_BUSY) from error
        if session.only_reads_since is None or time.monotonic() - session.only_reads_since < most_seconds:
            return session
        await session.close()
        await pool.putconn(session)


async def _end_silent(pool: Pool, session: Session) -> None:
    """Cancel the statement, or the server's session would go on waiting with its locks; then cut, and give up all."""
    with suppress(psycopg.Error, OSError):
        await session.cancel_safe(timeout=CANCEL_SECONDS)
    await asyncio.sleep(CANCEL_SECONDS)
    cut(session)
    await pool.drain()  # a caller whose deadline came first does not


def cut(session: psycopg.AsyncConnection[Any] | psycopg.Connection[Any]) -> None:
    """Shut the session's socket down, which ends a wait for its answer. It takes no open file of ours."""
    with suppress(OSError, psycopg.OperationalError):
        wire = socket.socket(fileno=session.fileno())
        try:
            wire.shutdown(socket.SHUT_RDWR)
        finally:
            wire.detach()  # it stays libpq's
