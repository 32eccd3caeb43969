"""The manners of a request on the pool: one deadline, a quarter of the connections kept for reads, one repeat."""

import asyncio
import time
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, LiteralString, Self

import psycopg

from db.connections import READ_ONLY, DatabaseRefuses, DatabaseUnavailable, Parameters, Session, translate
from db.durability import UNCONFIRMED, commit_durably
from db.pool import ALL_BUSY, WAIT_SECONDS, cut, lend, make_pool

DEADLINE_SECONDS = 4.0
LONGEST_STATEMENT_SECONDS = 3.2  # longer than the server's own limit; a silent session is cut before the deadline

Row = tuple[Any, ...]

# Start of the request that is being answered (monotonic): its statements share one deadline.
request_began_at: ContextVar[float | None] = ContextVar("request_began_at", default=None)


class Database:
    """The api's way to the database, to be opened by `async with`: one statement, one answer, one commit.

    All statements of one request together have DEADLINE_SECONDS.
    """

    def __init__(self, parameters: Parameters, pool_size: int) -> None:
        self._pool = make_pool(
            parameters,
            pool_size,
            longest_statement_seconds=LONGEST_STATEMENT_SECONDS,
            reads_too=True,
            configure=_configure,
        )
        self._open_to_waiters = asyncio.Semaphore(max(1, pool_size - max(1, pool_size // 4)))

    async def __aenter__(self) -> Self:
        """Open the pool. No connection is made before the first request that needs one."""
        await self._pool.open()
        return self

    async def __aexit__(self, *error: object) -> None:
        """Close the pool."""
        await self._pool.close()

    async def fetch(
        self, statement: LiteralString, parameters: Mapping[str, Any] | None = None, *, writes: bool = False
    ) -> list[Row]:
        """The rows of one statement, which is committed when they are here. DatabaseUnavailable if they can't be had.

        Statements that write may wait for a lock: they leave a quarter of the pool to those that never do, the reads of
        barcodes. They are told so where no server takes writes. All must be safe to repeat: one that meets a connection
        that has died in the pool is sent once more. At the deadline the task is left behind, not awaited: psycopg
        asks the server to cancel the statement first, which on a silently cut connection lasts until we cut it.
        """
        began_at = request_began_at.get()
        spent = 0.0 if began_at is None else time.monotonic() - began_at
        fetch = self._write if writes else self._fetch
        task = asyncio.ensure_future(fetch(statement, parameters))
        done, _ = await asyncio.wait({task}, timeout=max(0.0, DEADLINE_SECONDS - spent))
        if not done:
            task.cancel()
            task.add_done_callback(_forget)
            raise DatabaseUnavailable(f"the database did not answer within {DEADLINE_SECONDS:g} s")
        return task.result()

    async def _write(self, statement: LiteralString, parameters: Mapping[str, Any] | None) -> list[Row]:
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._open_to_waiters.acquire()
        except TimeoutError as error:
            raise DatabaseUnavailable(self._pool.problem or ALL_BUSY) from error
        try:
            return await self._fetch(statement, parameters, writes=True)
        finally:
            self._open_to_waiters.release()

    async def _fetch(
        self,
        statement: LiteralString,
        parameters: Mapping[str, Any] | None,
        *,
        writes: bool = False,
        may_repeat: bool = True,
    ) -> list[Row]:
        session = None
        try:
            async with lend(self._pool, writes=writes) as session:
                if writes and session.only_reads_since is not None:
                    raise DatabaseRefuses(READ_ONLY)
                session.standby.missed()  # by a statement whose request was over by then
                rows = await (await session.execute(statement, parameters)).fetchall()
                if session.standby.missed():
                    raise DatabaseRefuses(UNCONFIRMED)
                return rows
        except psycopg.Error as error:
            if session is None or not session.closed or not may_repeat:
                raise translate(error) from error
        return await self._fetch(statement, parameters, writes=writes, may_repeat=False)


async def _configure(session: Session) -> None:
    """Have the session commit durably. A connection that falls silent meanwhile must not keep the pool from others."""
    late = asyncio.get_running_loop().call_later(LONGEST_STATEMENT_SECONDS, cut, session)
    try:
        await commit_durably(session)
    finally:
        late.cancel()


def _forget(task: "asyncio.Future[Any]") -> None:
    """Read the exception of a task that was given up, or asyncio would log it as never retrieved."""
    if not task.cancelled():
        task.exception()
