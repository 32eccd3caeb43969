"""The one connection to SierraDNA, Sierra's production database: read only, in short transactions, with rests.

Each `snapshot` is one REPEATABLE READ transaction, so that items, links and bibs in it are of one moment, and vacuum is
never held up for longer. After t seconds of statements it rests so long that SierraDNA works for us for no more than
the busy share: a slow Sierra is asked less by itself.

A connection that says nothing ends: keepalives see a lost network within 25 s, and a statement that is not back
`SLACK_SECONDS` after its time-out at the server has its socket shut.
"""

import os
import socket
import threading
import time
from array import array
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, LiteralString, Self

import psycopg
from psycopg import IsolationLevel
from psycopg.rows import TupleRow

from etl.errors import Conflict, EtlError, SierraAway, SierraRefuses, TooLong
from etl.metrics import BUSY_SECONDS, STATEMENT_SECONDS
from runtime.etl_settings import SierraDnaSettings

SLACK_SECONDS = 5.0
_CONNECT_SECONDS = 10
_KEYS_AT_A_TIME = 10_000
_LONGEST_REST_SECONDS = 600.0
_REFUSED_AT_LOGIN = ("password authentication failed", "no pg_hba.conf entry", "does not exist", "does not support SSL")

Row = TupleRow
Connection = psycopg.Connection[Row]


def parameters_of(settings: SierraDnaSettings) -> dict[str, Any]:
    """The parameters of libpq. The settings named in `options` are those that PostgreSQL 9.4 knows."""
    password = settings.sierra_dna_password
    milliseconds = int(settings.etl_statement_timeout_seconds * 1000)
    return {
        "host": settings.sierra_dna_host,
        "port": settings.sierra_dna_port,
        "dbname": settings.sierra_dna_name,
        "user": settings.sierra_dna_user,
        "password": password.get_secret_value() if password else None,
        "sslmode": settings.sierra_dna_sslmode,
        "application_name": "signum-etl",
        "connect_timeout": _CONNECT_SECONDS,
        "client_encoding": "utf8",
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 25_000,
        "options": f"-c default_transaction_read_only=on -c statement_timeout={milliseconds}",
    }


class Snapshot:
    """One transaction: all its statements see one moment."""

    def __init__(self, connection: Connection, longest_seconds: float, count: Callable[[float], object]) -> None:
        """`count` is told the seconds of each statement, also of one that failed."""
        self._connection = connection
        self._longest_seconds = longest_seconds
        self._count = count

    def fetch(self, name: str, statement: LiteralString, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        """The rows of a statement, whole."""
        with self._timed(name):
            return self._connection.execute(statement, parameters, binary=True).fetchall()

    def keys(self, name: str, statement: LiteralString, parameters: Mapping[str, Any]) -> "array[int]":
        """The only column of a statement, of any length, 8 bytes a key."""
        found = array("q")
        with self._timed(name), self._connection.cursor("keys") as cursor:
            cursor.execute(statement, parameters, binary=True)
            while keys := cursor.fetchmany(_KEYS_AT_A_TIME):
                found.extend(key for (key,) in keys)
        return found

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            with watched(self._connection, self._longest_seconds):
                yield
        finally:
            seconds = time.perf_counter() - began
            self._count(seconds)
            STATEMENT_SECONDS.labels(name).observe(seconds)


@contextmanager
def watched(connection: Connection, longest_seconds: float) -> Iterator[None]:
    """Shut the connection's socket if the server stays silent for longer: all that waits for it ends then."""
    watchdog = threading.Timer(longest_seconds, _shut, [connection])
    watchdog.daemon = True
    watchdog.start()
    try:
        yield
    finally:
        watchdog.cancel()


class SierraDna:
    """SierraDNA, read by one thread. Nothing is connected before the first snapshot."""

    def __init__(
        self,
        parameters: Mapping[str, Any],
        *,
        timeout_seconds: float,
        most_busy_share: float,
        rest: Callable[[float], object] = time.sleep,
    ) -> None:
        self._parameters = parameters
        self._longest_seconds = timeout_seconds + SLACK_SECONDS
        self._most_busy_share = most_busy_share
        self._rest = rest
        self._connection: Connection | None = None
        self.worked_seconds = 0.0  # of statements, in all

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the session, if there is one."""
        connection, self._connection = self._connection, None
        if connection:
            connection.close()

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """One short transaction, and the rest after it, unless SierraDNA went away. EtlError says what to do then."""
        before = self.worked_seconds
        try:
            with self._transaction() as snapshot:
                yield snapshot
        except EtlError as error:
            if not isinstance(error, SierraAway):
                self._rest_after(self.worked_seconds - before)
            raise
        self._rest_after(self.worked_seconds - before)

    def _rest_after(self, worked_seconds: float) -> None:
        self._rest(min(worked_seconds * (1 / self._most_busy_share - 1), _LONGEST_REST_SECONDS))

    @contextmanager
    def _transaction(self) -> Iterator[Snapshot]:
        try:
            connection = self._connected()
            yield Snapshot(connection, self._longest_seconds, self._count)
            self._end_transaction(connection)
        except psycopg.Error as error:
            translated = _translate(error)
            if isinstance(translated, SierraAway):
                self.close()
            raise translated from error
        finally:
            with suppress(psycopg.Error):
                self._end_transaction(self._connection)

    def _count(self, seconds: float) -> None:
        self.worked_seconds += seconds
        BUSY_SECONDS.inc(seconds)

    def _end_transaction(self, connection: Connection | None) -> None:
        """Nothing was written, so that a rollback ends it as well as a commit."""
        if connection and not connection.closed:
            with watched(connection, self._longest_seconds):
                connection.rollback()

    def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            connection = psycopg.connect(**self._parameters, prepare_threshold=None)
            connection.isolation_level = IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            self._connection = connection
        return self._connection


def _shut(connection: Connection) -> None:
    """Shut the socket below a statement that waits for a server that is silent."""
    with suppress(OSError, psycopg.OperationalError), socket.socket(fileno=os.dup(connection.fileno())) as wire:
        wire.shutdown(socket.SHUT_RDWR)


def _translate(error: psycopg.Error) -> EtlError:
    text, state = " ".join(str(error).split()), error.sqlstate or ""
    if state == "57014":
        return TooLong(f"SierraDNA cancelled a statement: {text}")
    if state in ("40001", "40P01"):
        return Conflict(f"SierraDNA cancelled a statement: {text}")
    if state in ("53300", "57P01", "57P02", "57P03") or state.startswith("08"):
        return SierraAway(f"SierraDNA is away: {text}")
    if not state and isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        refused = any(part in text for part in _REFUSED_AT_LOGIN)  # libpq tells no SQLSTATE of a failed connect
        return SierraRefuses(f"SierraDNA refuses the login: {text}") if refused else SierraAway(f"no SierraDNA: {text}")
    return SierraRefuses(f"SierraDNA refuses a statement ({state or type(error).__name__}): {text}")
