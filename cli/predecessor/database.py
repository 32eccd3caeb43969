"""Reads the predecessor's database and writes ours: a function per statement of cli/predecessor/sql/predecessor.sql.

PredecessorUnavailable  its database does not answer, or refuses us
NotAPredecessor         it answers, but has other tables than the predecessor
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg import Connection, IsolationLevel
from psycopg.rows import class_row

from db.connections import one_line
from runtime.statements import load

SQL = load("cli.predecessor", "predecessor")

CONNECT_TIMEOUT_SECONDS = 10
ROWS_PER_FETCH = 5_000


class PredecessorUnavailable(Exception):
    """The predecessor's database does not answer, or refuses us."""


class NotAPredecessor(Exception):
    """The database has other tables or columns than the predecessor's."""


@dataclass(frozen=True, slots=True)
class OldClient:
    """A client as the predecessor stores it. Every column but the id may be NULL."""

    id: int
    client_name: str | None
    client_type: str | None
    api_key: str | None
    internal_hostname: str | None
    internal_ip_address: str | None
    last_seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class OldPosition:
    """The position of the predecessor's sync."""

    initialized_at: datetime | None = None
    sync_mode: str | None = None
    full_sync_completed_at: datetime | None = None
    sync_changes_since: datetime | None = None
    last_sync_run_completed_at: datetime | None = None


class Predecessor:
    """The predecessor's database: one snapshot, which is only read."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection

    def count_items(self) -> int:
        """Count the items."""
        with _translated():
            row = self._connection.execute(SQL["count_old_items"]).fetchone()
            return int(row[0]) if row else 0

    def items(self) -> Iterator[tuple[list[str], bool]]:
        """Each item's columns as texts in the order of `old_items`, and whether it is queued."""
        with _translated(), self._connection.cursor(name="items") as cursor:
            cursor.itersize = ROWS_PER_FETCH
            cursor.execute(SQL["old_items"])
            for *columns, is_queued in cursor:
                yield columns, is_queued

    def clients(self) -> list[OldClient]:
        """All clients, in the order in which they were made."""
        with _translated(), self._connection.cursor(row_factory=class_row(OldClient)) as cursor:
            return cursor.execute(SQL["old_clients"]).fetchall()

    def position(self) -> OldPosition:
        """The position of its sync; all None if the sync never started."""
        with _translated(), self._connection.cursor(row_factory=class_row(OldPosition)) as cursor:
            return cursor.execute(SQL["old_position"]).fetchone() or OldPosition()


@contextmanager
def reading(conninfo: str) -> Iterator[Predecessor]:
    """A snapshot of the predecessor's database for the length of the context.

    libpq looks up elsewhere what `conninfo` leaves out: the password in PGPASSWORD or ~/.pgpass.
    """
    given = {"application_name": "signum import", "client_encoding": "utf8", "connect_timeout": CONNECT_TIMEOUT_SECONDS}
    with _translated():
        connection = psycopg.connect(conninfo, **given)  # type: ignore[arg-type]
    with connection:
        connection.read_only = True
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        with _translated():
            connection.execute(SQL["use_utc"])
        yield Predecessor(connection)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn) as error:
        raise NotAPredecessor(one_line(error)) from error
    except (psycopg.OperationalError, psycopg.errors.InsufficientPrivilege) as error:
        raise PredecessorUnavailable(one_line(error)) from error


def has_items(connection: Connection[Any]) -> bool:
    """Return whether our catalogue has any item."""
    row = connection.execute(SQL["has_items"]).fetchone()
    return row is not None and bool(row[0])


def add_client(connection: Connection[Any], client: Mapping[str, Any]) -> tuple[bool, bool]:
    """Add a client. Return whether it was added, and whether its key is ours (then or already)."""
    is_added, is_known = connection.execute(SQL["add_client"], client).fetchone() or (False, False)
    return is_added, is_known


def queue_items(connection: Connection[Any], item_record_ids: Sequence[int]) -> int:
    """Queue those items that are stored and not queued yet. Return their number. Notifiers hear of it at the commit."""
    return connection.execute(SQL["queue_items"], {"item_record_ids": list(item_record_ids)}).rowcount


def take_position(connection: Connection[Any], position: Mapping[str, Any]) -> bool:
    """Continue where the predecessor's sync stood. Return False, and change nothing, if a newer batch has come."""
    return connection.execute(SQL["take_position"], position).rowcount > 0


def write_act(connection: Connection[Any], person: Mapping[str, str], number: int, result: str) -> None:
    """Write the import as an act of the person's, in its own transaction."""
    connection.execute(SQL["write_act"], {**person, "number": number, "result": result})
