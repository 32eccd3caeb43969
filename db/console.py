"""The console's way to the database: four connections, and three kinds of transactions with least rights."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, LiteralString, Self

import psycopg

from db.connections import (
    READ_ONLY,
    DatabaseRefuses,
    DatabaseUnavailable,
    Session,
    connection_parameters,
    one_line,
    translate,
)
from db.durability import UNCONFIRMED, commit_durably
from db.pool import Pool, lend, make_pool
from db.queue import Connection
from runtime.statements import load

if TYPE_CHECKING:
    from runtime.settings import DatabaseSettings

SQL = load("db", "console")

CONNECTIONS = 4
READING_SECONDS = 5
ACTING_SECONDS = 60
LOCK_TIMEOUT_MS = 2_000
UNKNOWN = (
    "It is not known whether this was done, for the connection to the database was lost: look, before you repeat it"
)
SPARE_SECONDS = 2.0  # for a statement's own end at the server, before its connection is cut


def console_parameters(settings: "DatabaseSettings") -> dict[str, str | int]:
    """Parameters for the console: no statement that a transaction does not give longer takes more than 5 s."""
    return connection_parameters(
        settings,
        "signum console",
        statement_timeout=READING_SECONDS * 1000,
        lock_timeout=LOCK_TIMEOUT_MS,
        idle_in_transaction_session_timeout=READING_SECONDS * 1000,
    )


class OutcomeUnknown(DatabaseUnavailable):
    """The connection was lost while the transaction was committed: it may be done."""


class ConsoleDatabase:
    """The pool of a console, to be opened by `async with`. No connection is made before the first page needs one.

    Its transactions raise DatabaseUnavailable, with a sentence on why, where the database can't do it now.
    """

    def __init__(self, settings: "DatabaseSettings") -> None:
        self._pool: Pool = make_pool(
            console_parameters(settings), CONNECTIONS, reads_too=True, configure=commit_durably
        )
        self._for_acts = asyncio.Semaphore(CONNECTIONS // 2)  # long ones leave half of the connections to pages

    async def __aenter__(self) -> Self:
        await self._pool.open()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._pool.close()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        """Begin a page's transaction: READ ONLY, as signum_reader, no statement longer than 5 s."""
        async with self._transaction("begin_reading", READING_SECONDS) as session:
            yield session

    @asynccontextmanager
    async def acting(self) -> AsyncIterator[Connection]:
        """Begin an act's transaction, as signum_operator, no statement longer than 60 s. Write its `act` row in it."""
        async with self._for_acts, self._transaction("begin_acting", ACTING_SECONDS, writes=True) as session:
            yield session

    @asynccontextmanager
    async def administering(self) -> AsyncIterator[Connection]:
        """Begin a transaction on persons and sessions, as signum_console, no statement longer than 5 s."""
        async with self._transaction("begin_administering", READING_SECONDS, writes=True) as session:
            yield session

    @asynccontextmanager
    async def looking_up(self) -> AsyncIterator[Connection]:
        """Lend a connection for the one statement that finds a session's person, as signum_console."""
        with _translating(READING_SECONDS):
            async with lend(self._pool, longest_seconds=READING_SECONDS + SPARE_SECONDS) as session:
                yield session

    @asynccontextmanager
    async def _transaction(self, begin: LiteralString, seconds: int, *, writes: bool = False) -> AsyncIterator[Session]:
        committing: Session | None = None
        with _translating(seconds):
            try:
                async with lend(self._pool, writes=writes, longest_seconds=seconds + SPARE_SECONDS) as session:
                    if writes and session.only_reads_since is not None:
                        raise DatabaseRefuses(READ_ONLY)
                    session.standby.missed()
                    async with session.transaction():
                        await session.execute(SQL[begin], {"milliseconds": str(seconds * 1000)})
                        yield session
                        committing = session
                    if session.standby.missed():
                        raise DatabaseRefuses(UNCONFIRMED)
            except psycopg.OperationalError as error:
                if writes and committing is not None and committing.closed:
                    raise OutcomeUnknown(UNKNOWN) from error
                raise


@contextmanager
def _translating(seconds: int) -> Iterator[None]:
    """Turn the driver's errors into DatabaseUnavailable where waiting, or a person, helps. Others are bugs and stay."""
    try:
        yield
    except psycopg.errors.QueryCanceled as error:
        raise DatabaseUnavailable(f"the database did not answer within {seconds} s") from error
    except psycopg.errors.InsufficientPrivilege as error:
        reason = f'{one_line(error)}: the console needs its role, "signum migrate" gives it its rights'
        raise DatabaseUnavailable(reason) from error
    except psycopg.Error as error:
        raise translate(error) from error
