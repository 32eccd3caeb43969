"""Gives a command its connection to the database, for as long as it needs one.

SQLAlchemy is imported only then: it takes longer to load than `signum --help` to answer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from psycopg.errors import (
    InsufficientPrivilege,
    LockNotAvailable,
    ReadOnlySqlTransaction,
    UndefinedColumn,
    UndefinedTable,
)

from cli.exit_codes import Unreachable
from cli.output import print_err
from db.queue import Connection
from runtime.settings import DatabaseSettings, read_settings

if TYPE_CHECKING:
    from db.connections import Session

Result = TypeVar("Result")

SILENT_WAIT_SECONDS = 1.0
STANDBY_WAIT_SECONDS = 4.0
LOCK_TIMEOUT_MS = 10_000
LEFT_BEHIND = "another server takes writes by now, and it is not known whether this was done: look, and do it again"


def ask(work: Callable[[Connection], Awaitable[Result]], settings: DatabaseSettings | None = None) -> Result:
    """Return the result of `work`, given a connection on which each statement commits. Raise Unreachable."""
    database = settings or read_settings(DatabaseSettings)
    with reaching(database):
        return asyncio.run(_ask(work, database))


async def _ask(work: Callable[[Connection], Awaitable[Result]], settings: DatabaseSettings) -> Result:
    from db.connections import DatabaseLocked, DatabaseUnavailable, aconnect, connection_parameters, one_line
    from db.durability import UNCONFIRMED, commit_durably
    from db.pool import cut
    from db.schema.encoding import refuse_other_encodings

    parameters: dict[str, Any] = connection_parameters(settings, "signum", lock_timeout=LOCK_TIMEOUT_MS)
    async with await aconnect(parameters) as connection:
        refuse_other_encodings(connection)
        await commit_durably(connection)
        working = asyncio.ensure_future(work(connection))
        done, _ = await asyncio.wait({working}, timeout=SILENT_WAIT_SECONDS)
        held = "" if done else await _print_blocking_sessions(connection.info.backend_pid, parameters)
        while not done:
            done, _ = await asyncio.wait({working}, timeout=STANDBY_WAIT_SECONDS)
            if not done and await _is_left_behind(connection, parameters):
                cut(connection)
                await asyncio.gather(working, return_exceptions=True)
                raise DatabaseUnavailable(LEFT_BEHIND)
        try:
            result = await working
        except LockNotAvailable as error:
            seconds = LOCK_TIMEOUT_MS // 1000
            raise DatabaseLocked(f"gave up after {seconds} s: {held or one_line(error)}") from error
        if connection.standby.missed():
            print_err(UNCONFIRMED)
        return result


async def _print_blocking_sessions(pid: int, parameters: dict[str, Any]) -> str:
    """Print and return the sessions that our session `pid` waits for, if any. Ask on another connection: ours waits."""
    from db.connections import aconnect
    from db.locks import find_waited_for, name_all

    held = ""
    with suppress(psycopg.Error):
        async with await aconnect(parameters) as another:
            if sessions := await find_waited_for(another, pid):
                held = name_all(sessions)
                print_err(f"waiting: {held}")
    return held


async def _is_left_behind(connection: "Session", parameters: dict[str, Any]) -> bool:
    """Return whether another server takes writes by now; ours may wait for ever for a standby that was promoted.

    Else end our session's wait for a synchronous standby, if that is what it waits for: its commit is done then.
    """
    from db.connections import aconnect
    from db.durability import is_waiting_for_standby

    with suppress(psycopg.Error):
        async with await aconnect(parameters) as another:
            is_waiting = await is_waiting_for_standby(another, connection.info.backend_pid)
            if is_waiting:
                await connection.cancel_safe(timeout=STANDBY_WAIT_SECONDS)
            return is_waiting is None
    return False


@contextmanager
def reaching(settings: DatabaseSettings) -> Iterator[None]:
    """Turn errors that keep us from the database into Unreachable, with its address. Other errors are bugs and stay."""
    from sqlalchemy.exc import DBAPIError

    from db.connections import DatabaseUnavailable, one_line

    try:
        yield
    except (psycopg.Error, DBAPIError, DatabaseUnavailable) as error:
        match error.orig if isinstance(error, DBAPIError) else error:
            case UndefinedTable() | UndefinedColumn():
                reason = 'the schema is not up to date: run "signum migrate"'
            case InsufficientPrivilege() as cause:
                may_not = f"DB_USER is {settings.db_user}, which may not do this: use the role that SECURITY.md names"
                reason = f"{one_line(cause)}: {may_not}"
            case (psycopg.OperationalError() | ReadOnlySqlTransaction() | DatabaseUnavailable()) as cause:
                reason = one_line(cause)
            case _:
                raise
        where = f"{settings.db_name} at {settings.database_address}"
        raise Unreachable(f"database {where}: {reason}") from error
