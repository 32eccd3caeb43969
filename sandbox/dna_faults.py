"""SierraDNA's faults: Sierra's clock and commits, the login's limits and rights, slow and empty views, an older moment.

All are on or off at once: `SierraDna.set_faults(DnaFaults(clock_seconds=-120))`, and `DnaFaults()` for none. A restart
and a restore from a backup happen, and are no state. A standby that lags is in sandbox/dna_standby.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import psycopg
from psycopg.sql import SQL, Identifier, Literal
from pydantic import ConfigDict

Connection = psycopg.Connection[Any]
_VIEWS = "SELECT viewname, definition FROM pg_views WHERE schemaname = 'sierra_view'"
_BASE_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'iiirecord' ORDER BY tablename"
_SESSIONS = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'signum_dna'"
# So dear that it is the last condition which a row is held against: only rows that are wanted are slow.
_SLOW_ROW = """CREATE OR REPLACE FUNCTION iiirecord.slow_row(seconds float8) RETURNS boolean VOLATILE COST 1000000
    LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(seconds); RETURN true; END'"""
_GRANT, _REVOKE = SQL("GRANT SELECT ON {} TO signum_dna"), SQL("REVOKE SELECT ON {} FROM signum_dna")
_LOCK_WAIT = "SET LOCAL lock_timeout = '5s'"  # a reader's open transaction may be in the way


@dataclass(frozen=True, slots=True, kw_only=True)
class DnaFaults:
    """The faults that are on. Limits are those that a new session of the login meets."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")  # where it comes in as JSON

    commits_held: bool = False  # changes get their stamps, and show when this is over: a batch job commits late
    properties_held: bool = False  # what indexing makes (titles, authors, barcodes) shows when this is over
    clock_seconds: float = 0  # how far the clock that stamps is ahead of the database's; below 0: behind
    statement_timeout_seconds: float = 600
    connection_limit: int = 5
    slow_views: Mapping[str, float] = field(default_factory=dict)  # seconds that each row of it takes to read
    empty_views: tuple[str, ...] = ()
    forbidden_views: tuple[str, ...] = ()


def view_definitions(connection: Connection) -> dict[str, str]:
    """The views of sierra_view as they are meant to be."""
    return dict(connection.execute(_VIEWS).fetchall())


def apply_faults(connection: Connection, before: DnaFaults, now: DnaFaults, definitions: Mapping[str, str]) -> None:
    """Bring limits, rights and views from one set of faults to another. LookupError: there is no such view."""
    unknown = {*now.slow_views, *now.empty_views, *now.forbidden_views} - set(definitions)
    if unknown:
        raise LookupError(f"no such view: {', '.join(sorted(unknown))}")
    connection.execute(_LOCK_WAIT)
    connection.execute(_SLOW_ROW)
    limits = (Literal(now.connection_limit), Literal(f"{int(now.statement_timeout_seconds * 1000)}ms"))
    connection.execute(SQL("ALTER ROLE signum_dna CONNECTION LIMIT {}").format(limits[0]))
    connection.execute(SQL("ALTER ROLE signum_dna SET statement_timeout = {}").format(limits[1]))
    for view, definition in definitions.items():
        name = Identifier("sierra_view", view)
        if _condition(now, view) != _condition(before, view):
            whole = SQL(definition.rstrip("; \n"))
            statement = SQL("CREATE OR REPLACE VIEW {} AS SELECT * FROM ({}) AS whole WHERE {}")
            connection.execute(statement.format(name, whole, _condition(now, view)))
        if (view in now.forbidden_views) != (view in before.forbidden_views):
            connection.execute((_REVOKE if view in now.forbidden_views else _GRANT).format(name))


def _condition(faults: DnaFaults, view: str) -> Any:
    if view in faults.empty_views:
        return SQL("false")
    if view in faults.slow_views:
        return SQL("iiirecord.slow_row({})").format(Literal(faults.slow_views[view]))
    return SQL("true")


def end_sessions(connection: Connection) -> None:
    """End the login's sessions, and wait until they have ended."""
    connection.execute(_SESSIONS)


def save_tables(connection: Connection) -> None:
    """Copy the base tables as they are now, in place of an earlier copy."""
    connection.execute("DROP SCHEMA IF EXISTS saved CASCADE")
    connection.execute("CREATE SCHEMA saved")
    for (table,) in connection.execute(_BASE_TABLES).fetchall():
        names = Identifier("saved", table), Identifier("iiirecord", table)
        connection.execute(SQL("CREATE TABLE {} AS TABLE {}").format(*names))


def restore_tables(connection: Connection) -> None:
    """Put the copy in place of what the base tables hold."""
    connection.execute(_LOCK_WAIT)
    for (table,) in connection.execute(_BASE_TABLES).fetchall():
        names = Identifier("iiirecord", table), Identifier("saved", table)
        connection.execute(SQL("TRUNCATE {}").format(names[0]))
        connection.execute(SQL("INSERT INTO {} TABLE {}").format(*names))
