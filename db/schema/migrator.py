"""One migrator at a time: it locks the version table, as only the owner can; others log its session."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.errors import DuplicateObject, DuplicateTable, LockNotAvailable, UniqueViolation

from db.connections import DatabaseUnavailable
from db.locks import find_holders, name_all
from runtime.statements import load

log = logging.getLogger("signum.migrate")

SQL = load("db", "schema")
TABLE = "alembic_version"
TABLE_LOCK_TIMEOUT_MS = 10_000  # while we wait for one, all that come after us wait behind us

Session = psycopg.Connection[Any]


@contextmanager
def sole_migrator(guard: Session, at_most_seconds: float = 60.0) -> Iterator[None]:
    """Hold the lock on this connection, so that the migrations can commit on another one.

    Raises DatabaseUnavailable, naming the session that holds the lock, after `at_most_seconds`.
    """
    lift_time_limits(guard)
    _make_version_table(guard)
    end, told = time.monotonic() + at_most_seconds, None
    while not _take_lock(guard):
        holders = name_all(find_holders(guard, TABLE))
        guard.rollback()
        if time.monotonic() > end:
            raise DatabaseUnavailable(f"another migration is under way: {holders}")
        if holders != told:
            log.warning("waiting for another migration: %s", holders)
            told = holders
    try:
        yield
    finally:
        guard.rollback()


def lift_time_limits(connection: Session) -> None:
    """Lift the time limits of this session, all but the one for waiting on a lock. Its commits wait for no standby."""
    connection.execute(SQL["no_time_limits"], {"lock_timeout": f"{TABLE_LOCK_TIMEOUT_MS}ms"})
    connection.commit()


def _make_version_table(guard: Session) -> None:
    """Make the version table if it is missing: it is locked before the first migration too."""
    is_there = guard.execute(SQL["has_version_table"]).fetchone()
    try:
        if is_there != (True,):
            guard.execute(SQL["make_version_table"])
        guard.commit()
    except (DuplicateTable, DuplicateObject, UniqueViolation):  # by how far the other migrator has come
        guard.rollback()


def _take_lock(guard: Session) -> bool:
    try:
        guard.execute(SQL["lock_version_table"])
    except LockNotAvailable:
        guard.rollback()
        return False
    return True
