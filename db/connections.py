"""Connections to the database: their parameters and time-outs, their errors, and the api's engine.

DatabaseUnavailable     wait and try again; nothing was acknowledged
    DatabaseLocked      the same, while another session holds a lock
"""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import Any

import psycopg
from psycopg_pool import PoolTimeout as ConnectionPoolTimeout
from sqlalchemy import ExceptionContext, Executable, Row, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from runtime.open_files import NONE_LEFT, are_open_files_used_up
from runtime.settings import DatabaseSettings

log = logging.getLogger("signum.db")

Parameters = Mapping[str, str | int]

# Every answer of the api comes within its clients' 5 s; each of these is a step on that way.
POOL_WAIT_SECONDS = 2
LOCK_TIMEOUT_MS = 1_000
STATEMENT_TIMEOUT_MS = 3_000
DEADLINE_SECONDS = 4.0
CONNECT_TIMEOUT_SECONDS = 2

NOTIFIER_STATEMENT_TIMEOUT_MS = 10_000
NOTIFIER_LOCK_TIMEOUT_MS = 1_000

ALL_BUSY = "all database connections of this process are busy"
LOCKED = 'Another session of the database has locked a row or table that this needs: "signum doctor" names it'

# Start of the request that is being answered (monotonic): its statements share one deadline.
request_began_at: ContextVar[float | None] = ContextVar("request_began_at", default=None)


# psycopg's errors when waiting helps: the server is away, restarting, or read-only for now.
DATABASE_AWAY = (psycopg.OperationalError, psycopg.errors.ReadOnlySqlTransaction, ConnectionPoolTimeout)

# psycopg's errors when waiting helps once a person has acted: rights were revoked, a table is gone or being restored.
DATABASE_REFUSES = (
    psycopg.errors.InsufficientPrivilege,
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
    psycopg.errors.UndefinedFunction,
    psycopg.errors.InvalidSchemaName,
    psycopg.errors.InvalidSqlStatementName,
    psycopg.InternalError,
    psycopg.NotSupportedError,
)

# psycopg's errors when a new connection helps: a prepared statement is gone, or a column has changed since it was made.
PREPARED_IN_VAIN = (psycopg.NotSupportedError, psycopg.errors.InvalidSqlStatementName)


class DatabaseUnavailable(Exception):
    """The database does not answer, or not in time. Wait and try again: nothing was acknowledged."""


class DatabaseLocked(DatabaseUnavailable):
    """The database answers, but another session holds a lock. Wait and try again: nothing was acknowledged."""


def connection_parameters(
    settings: DatabaseSettings, name: str, *, host: str | None = None, port: int | None = None, **server: int | str
) -> dict[str, str | int]:
    """libpq's parameters: the database's address, time-outs, and the `server` settings of the session.

    A connection that is cut silently is noticed after 15 s, and a read-only standby is refused. Texts are UTF-8,
    whatever PGCLIENTENCODING says.
    """
    parameters: dict[str, str | int] = {
        "host": host or settings.db_host,
        "port": port or settings.db_port,
        "user": settings.db_user,
        "dbname": settings.db_name,
        "application_name": name,
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "keepalives_idle": 10,
        "keepalives_interval": 3,
        "keepalives_count": 2,
        "tcp_user_timeout": 15_000,
        "target_session_attrs": "read-write",
        "client_encoding": "UTF8",
        "options": " ".join(f"-c {key}={value}" for key, value in {"timezone": "UTC", **server}.items()),
    }
    if settings.db_password is not None:
        parameters["password"] = settings.db_password.get_secret_value()
    return parameters


def api_parameters(settings: DatabaseSettings) -> dict[str, str | int]:
    """Parameters for the api: no statement outlasts its client, and a mark is on disk before it is acknowledged."""
    return connection_parameters(
        settings,
        "signum api",
        statement_timeout=STATEMENT_TIMEOUT_MS,
        lock_timeout=LOCK_TIMEOUT_MS,
        idle_in_transaction_session_timeout=STATEMENT_TIMEOUT_MS,
        synchronous_commit="on",
    )


def notifier_parameters(settings: DatabaseSettings) -> dict[str, str | int]:
    """Parameters for the notifier.

    Outcomes do not wait for the disk: one that is lost in a crash of the server is found again by another push. Plans
    are generic: none depends on a value, and a claim on a long queue takes as long to plan as to run.
    """
    return connection_parameters(
        settings,
        "signum notifier",
        statement_timeout=NOTIFIER_STATEMENT_TIMEOUT_MS,
        lock_timeout=NOTIFIER_LOCK_TIMEOUT_MS,
        synchronous_commit="off",
        plan_cache_mode="force_generic_plan",
    )


class Database:
    """The api's way to the database: one statement, one answer, one commit.

    All statements of one request together have DEADLINE_SECONDS.
    """

    def __init__(self, parameters: Parameters, pool_size: int) -> None:
        self.engine: AsyncEngine = create_async_engine(
            "postgresql+psycopg://",
            connect_args=dict(parameters),
            isolation_level="AUTOCOMMIT",
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=POOL_WAIT_SECONDS,
            pool_reset_on_return=None,
            hide_parameters=True,  # in errors, and so in the log
        )
        self._open_to_waiters = asyncio.Semaphore(max(1, pool_size - max(1, pool_size // 4)))
        event.listen(self.engine.sync_engine, "handle_error", _give_up_what_was_prepared)

    async def fetch(
        self, statement: Executable, parameters: Mapping[str, Any] | None = None, *, may_wait: bool = False
    ) -> Sequence[Row[Any]]:
        """The rows of one statement, which is committed when they are here. DatabaseUnavailable if they can't be had.

        Statements that `may_wait` for a lock leave a quarter of the pool to those that never do, the reads of barcodes.
        Statements must be safe to repeat: one that meets a connection that has died in the pool is sent once more. At
        the deadline the task is left behind, not awaited: psycopg asks the server to cancel the statement first, which
        on a silently cut connection lasts until the connection times out.
        """
        began_at = request_began_at.get()
        spent = 0.0 if began_at is None else time.monotonic() - began_at
        fetch = self._fetch_as_waiter if may_wait else self._fetch
        task = asyncio.ensure_future(fetch(statement, parameters))
        done, _ = await asyncio.wait({task}, timeout=max(0.0, DEADLINE_SECONDS - spent))
        if not done:
            task.cancel()
            task.add_done_callback(_forget)
            raise DatabaseUnavailable(f"the database did not answer within {DEADLINE_SECONDS:g} s")
        return task.result()

    async def _fetch_as_waiter(self, statement: Executable, parameters: Mapping[str, Any] | None) -> Sequence[Row[Any]]:
        try:
            async with asyncio.timeout(POOL_WAIT_SECONDS):
                await self._open_to_waiters.acquire()
        except TimeoutError as error:
            raise DatabaseUnavailable(ALL_BUSY) from error
        try:
            return await self._fetch(statement, parameters)
        finally:
            self._open_to_waiters.release()

    async def _fetch(self, statement: Executable, parameters: Mapping[str, Any] | None) -> Sequence[Row[Any]]:
        try:
            return await self._fetch_once(statement, parameters)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise _translated(error) from error
        except PoolTimeout as error:
            raise DatabaseUnavailable(ALL_BUSY) from error
        try:
            return await self._fetch_once(statement, parameters)
        except (DBAPIError, PoolTimeout) as error:
            raise _translated(error) from error

    async def _fetch_once(self, statement: Executable, parameters: Mapping[str, Any] | None) -> Sequence[Row[Any]]:
        async with self.engine.connect() as connection:
            return (await connection.execute(statement, parameters)).all()

    async def close(self) -> None:
        """Give the connections back."""
        await self.engine.dispose()


def _give_up_what_was_prepared(context: ExceptionContext) -> None:
    """Mark the connection as dead, and with it the whole pool: all have prepared the same statements."""
    if isinstance(context.original_exception, PREPARED_IN_VAIN):
        context.is_disconnect = True


def _forget(task: "asyncio.Future[Any]") -> None:
    """Read the exception of a task that was given up, or asyncio would log it as never retrieved."""
    if not task.cancelled():
        task.exception()


def _translated(error: Exception) -> Exception:
    """The library's error as ours: DatabaseUnavailable if waiting helps, else the error itself (a bug)."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn):
        return DatabaseUnavailable('the schema is not up to date: run "signum migrate"')
    if isinstance(cause, psycopg.errors.LockNotAvailable):
        return DatabaseLocked(LOCKED)
    if isinstance(cause, psycopg.OperationalError | psycopg.errors.ReadOnlySqlTransaction | PoolTimeout):
        return DatabaseUnavailable(one_line(cause))
    return error


def one_line(error: BaseException) -> str:
    """The first line of a database error, which says what happened; the others repeat it per address."""
    if isinstance(error, psycopg.OperationalError) and error.sqlstate is None and are_open_files_used_up():
        return NONE_LEFT  # libpq gives no reason then
    return str(error).strip().partition("\n")[0] or type(error).__name__


async def wait_for_database(parameters: Parameters, at_most_seconds: float = 60.0) -> None:
    """Return when the database answers, with a log line per try; DatabaseUnavailable after `at_most_seconds`."""
    pause, problem = 0.2, "it did not answer in time"
    try:
        async with asyncio.timeout(at_most_seconds):
            while True:
                try:
                    connection = await psycopg.AsyncConnection.connect(**parameters)  # type: ignore[arg-type]
                except psycopg.OperationalError as error:
                    problem = one_line(error)
                    log.warning("waiting for the database: %s", problem)
                    await asyncio.sleep(pause)
                    pause = min(pause * 1.6, 5.0)
                else:
                    return await connection.close()
    except TimeoutError as error:
        raise DatabaseUnavailable(problem) from error
