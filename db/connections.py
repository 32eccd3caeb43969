"""Connections to the database: their parameters and time-outs, how one is made, and which errors mean wait.

DatabaseUnavailable     wait and try again; nothing was acknowledged
    DatabaseRefuses     the same, though the database answers: it can't do that now
        DatabaseLocked  for another session holds a lock
"""

import asyncio
import logging
import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import psycopg

from db.durability import StandbyWatch
from runtime.open_files import NONE_LEFT, are_open_files_used_up

if TYPE_CHECKING:
    from runtime.settings import DatabaseSettings  # a batch's process starts in half the time without pydantic

log = logging.getLogger("signum.db")

Parameters = Mapping[str, str | int]

# Every answer of the api comes within its clients' 5 s; each of these is a step on that way.
LOCK_TIMEOUT_MS = 1_000
STATEMENT_TIMEOUT_MS = 3_000

# Each of several hosts, and each address of one, is tried for the short time: a silent one must not keep a session from
# the next. If none let us in, each is tried for the long time: a log-in may be slow.
SHORT_CONNECT_SECONDS = 2
LONG_CONNECT_SECONDS = 8
SILENT_SECONDS = 3.0  # of a start, before a line of the log says what it waits for

NOTIFIER_STATEMENT_TIMEOUT_MS = 10_000
NOTIFIER_LOCK_TIMEOUT_MS = 1_000

LOCKED = 'Another session of the database has locked a row or table that this needs: "signum doctor" names it'

READ_ONLY = "No server of the database takes writes now: each is a standby, or is set to read only"

# psycopg's errors when waiting helps: the server is away, restarting, or read-only for now.
DATABASE_AWAY = (psycopg.OperationalError, psycopg.errors.ReadOnlySqlTransaction)

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

# psycopg's errors when a new connection helps: a prepared statement is gone, or a column has changed since it was made;
# or the server takes no writes any more, and another may have taken its place.
SESSION_IN_VAIN = (
    psycopg.NotSupportedError,
    psycopg.errors.InvalidSqlStatementName,
    psycopg.errors.ReadOnlySqlTransaction,
)


class DatabaseUnavailable(Exception):
    """The database does not answer, or not in time. Wait and try again: nothing was acknowledged."""


class DatabaseRefuses(DatabaseUnavailable):
    """The database answers, but can't do that now; the text is a sentence that says why."""


class DatabaseLocked(DatabaseRefuses):
    """Another session holds a lock."""


def connection_parameters(
    settings: "DatabaseSettings",
    name: str,
    *,
    host: str | None = None,
    port: int | str | None = None,
    **server: int | str,
) -> dict[str, str | int]:
    """libpq's parameters: the database's address, time-outs, and the `server` settings of the session.

    A connection that is cut silently is noticed after 15 s, and a read-only standby is refused. Texts are UTF-8,
    whatever PGCLIENTENCODING says, and times are written as psycopg reads them, whatever a DBA has set.
    """
    server = {"timezone": "UTC", "datestyle": "ISO", "intervalstyle": "postgres", **server}
    parameters: dict[str, str | int] = {
        "host": host or settings.db_host,
        "port": port or settings.db_port,
        "user": settings.db_user,
        "dbname": settings.db_name,
        "application_name": name,
        "connect_timeout": LONG_CONNECT_SECONDS,
        "keepalives_idle": 10,
        "keepalives_interval": 3,
        "keepalives_count": 2,
        "tcp_user_timeout": 15_000,
        "target_session_attrs": "read-write",
        "client_encoding": "UTF8",
        "options": " ".join(f"-c {key}={value}" for key, value in server.items()),
    }
    if settings.db_password is not None:
        parameters["password"] = settings.db_password.get_secret_value()
    return parameters


def api_parameters(settings: "DatabaseSettings") -> dict[str, str | int]:
    """Parameters for the api: no statement outlasts its client."""
    return connection_parameters(
        settings,
        "signum api",
        statement_timeout=STATEMENT_TIMEOUT_MS,
        lock_timeout=LOCK_TIMEOUT_MS,
        idle_in_transaction_session_timeout=STATEMENT_TIMEOUT_MS,
    )


def notifier_parameters(settings: "DatabaseSettings") -> dict[str, str | int]:
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


class Session(psycopg.AsyncConnection[Any]):
    """A connection in autocommit: each statement is a transaction of its own."""

    standby: StandbyWatch
    only_reads_since: float | None = None  # monotonic; None: it takes writes

    @classmethod
    async def connect(cls, conninfo: str = "", **parameters: Any) -> Self:
        """Connect to the first host that takes writes. With `reads_too`, to any if all answer and none takes writes."""
        reads_too = parameters.pop("reads_too", False)
        parameters = {"autocommit": True, **parameters}
        try:
            return await cls._connect(conninfo, parameters)
        except psycopg.OperationalError as error:
            if not reads_too or not _only_reads(error):
                raise
        session = await cls._connect(conninfo, {**parameters, "target_session_attrs": "any"})
        session.only_reads_since = time.monotonic()
        return session

    @classmethod
    async def _connect(cls, conninfo: str, parameters: dict[str, Any]) -> Self:
        """Connect to the first host that lets us in; none is given up before it had LONG_CONNECT_SECONDS."""
        try:
            session = await super().connect(conninfo, **_in_short(parameters))
        except psycopg.OperationalError as error:
            if not _timed_out(error):
                raise
            session = await super().connect(conninfo, **parameters)
        session.standby = StandbyWatch(session)
        return session


async def aconnect(parameters: Parameters) -> Session:
    """Connect to the first host that lets us in, in autocommit."""
    return await Session.connect("", **parameters)


def connect(parameters: Parameters, *, autocommit: bool = False) -> psycopg.Connection[Any]:
    """Connect as `Session` does, for code that is not asynchronous."""
    given: dict[str, Any] = {**parameters, "autocommit": autocommit}
    try:
        return psycopg.connect(**_in_short(given))
    except psycopg.OperationalError as error:
        if not _timed_out(error):
            raise
    return psycopg.connect(**given)


def _in_short(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {**parameters, "connect_timeout": SHORT_CONNECT_SECONDS}


def _only_reads(error: psycopg.OperationalError) -> bool:
    """Return whether each host answered, and takes no writes; psycopg's text has a line for each of several."""
    failures = re.findall("^- host: .*$", str(error), re.MULTILINE) or [str(error)]
    return all("session is read-only" in failure for failure in failures)


def _timed_out(error: psycopg.OperationalError) -> bool:
    """Return whether a host did not answer in time; psycopg's text has a line for each host that was tried."""
    return "connection timeout expired" in str(error)


def translate(error: psycopg.Error) -> Exception:
    """The driver's error as ours: DatabaseUnavailable if waiting helps, else the error itself (a bug)."""
    if isinstance(error, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn):
        return DatabaseUnavailable('the schema is not up to date: run "signum migrate"')
    if isinstance(error, psycopg.errors.LockNotAvailable):
        return DatabaseLocked(LOCKED)
    if isinstance(error, DATABASE_AWAY):
        return DatabaseUnavailable(one_line(error))
    return error


def one_line(error: BaseException) -> str:
    """The first line of a database error, which says what happened; the others repeat it per address."""
    if isinstance(error, psycopg.OperationalError) and error.sqlstate is None and are_open_files_used_up():
        return NONE_LEFT  # libpq gives no reason then
    return str(error).strip().partition("\n")[0] or type(error).__name__


async def wait_for_database(parameters: Parameters, at_most_seconds: float = 60.0) -> None:
    """Return when the database answers, with a log line per try; DatabaseUnavailable after `at_most_seconds`."""
    pause, problem = 0.2, "no host has let us in yet"
    silent = asyncio.get_running_loop().call_later(SILENT_SECONDS, log.warning, "waiting for the database: %s", problem)
    try:
        async with asyncio.timeout(at_most_seconds):
            while True:
                try:
                    connection = await aconnect(parameters)
                except psycopg.OperationalError as error:
                    silent.cancel()
                    problem = one_line(error)
                    log.warning("waiting for the database: %s", problem)
                    await asyncio.sleep(pause)
                    pause = min(pause * 1.6, 5.0)
                else:
                    return await connection.close()
    except TimeoutError as error:
        raise DatabaseUnavailable(problem) from error
    finally:
        silent.cancel()
