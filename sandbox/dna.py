"""SierraDNA beside the simulator: database `iii` of a PostgreSQL, in which every change of a record shows at once.

It is loaded with the catalogue, and then follows the simulator's records and its own bibs: a PUT, a late one and an
edit of staff are in it before the answer leaves, each in one transaction, with stamp and revisions. Where Sierra's
database is away Sierra can do nothing either: such a change is refused with 503, and does not happen.

The views are in sandbox/dna_schema.sql and sandbox/dna_names.sql, the oddities in sandbox/dna_catalogue.py, the faults
in sandbox/dna_faults.py; another process uses all of it by the routes of sandbox/dna_control.py.
"""

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from importlib.resources import files
from types import TracebackType
from typing import Any, Literal, LiteralString, Self, TypeVar

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Composed, Identifier, Placeholder

from sandbox import quirks
from sandbox.catalogue import Item
from sandbox.dna_bibs import BibChange, BibRecord, VarField, edit_bib
from sandbox.dna_catalogue import Holding, make_holdings
from sandbox.dna_changes import INDEX_PRODUCTS, Plan, Write, plan
from sandbox.dna_faults import DnaFaults, apply_faults, end_sessions, restore_tables, save_tables, view_definitions
from sandbox.dna_rows import Rows
from sandbox.postgres import PostgresFailed
from sandbox.quirks import Refused
from sandbox.records import Change, Record, Records

DATABASE, LOGIN, PASSWORD = "iii", "signum_dna", "sandbox-dna"
ZONE = "Europe/Helsinki"  # the server's own: deletion_date_gmt is a day of it
_AT_A_TIME = 1000
_RENAMES: dict[str, LiteralString] = {
    "itype": """UPDATE iiirecord.itype_property_name SET name = %s FROM iiirecord.itype_property
        WHERE itype_property_id = id AND code_num = %s AND iii_language_id = 2""",
    "material": """UPDATE iiirecord.material_property_name SET name = %s FROM iiirecord.material_property
        WHERE material_property_id = id AND code = %s AND iii_language_id = 2""",
}
Connection = psycopg.Connection[Any]
Done = TypeVar("Done")


def login(server: str) -> str:
    """The connection string of the library's login, at the server of that one."""
    return make_conninfo(server, dbname=DATABASE, user=LOGIN, password=PASSWORD)


class SierraDna:
    """Made and loaded on entry, dropped on exit. Used by one thread at a time: the simulator's."""

    def __init__(self, server: str, records: Records, items: Sequence[Item], *, indexes: bool = False) -> None:
        """`server`: a superuser's connection string. The items go into `records` too, odd as they are here."""
        self._server, self._records, self._items = server, records, items
        self._files = ("dna_schema", "dna_names", *(("dna_indexes",) if indexes else ()))
        self._ids = itertools.count(1)
        self._connection: Connection | None = None
        self._held: list[Plan] = []
        self._late: list[Write] = []
        self._saved: tuple[dict[str, Record], dict[str, BibRecord]] | None = None
        self.faults = DnaFaults()
        self.bibs: dict[str, BibRecord] = {}

    def __enter__(self) -> Self:
        with psycopg.connect(self._server, autocommit=True) as server:
            try:
                server.execute("CREATE DATABASE iii")
            except psycopg.errors.DuplicateDatabase:
                raise PostgresFailed("this server has a database iii already: SierraDNA needs another server") from None
            server.execute(SQL("ALTER DATABASE iii SET timezone = {}").format(ZONE))
        try:
            holdings = list(make_holdings(self._items))
            self._records.add(holding.record for holding in holdings if not holding.campus_code)
            self.bibs = {bib.number: bib for holding in holdings for bib in holding.bibs}
            self.do(lambda connection: self._make(connection, holdings))
            self._definitions = self.do(view_definitions)
        except BaseException:
            self._drop()
            raise
        self._records.on_change = self.apply
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._records.on_change = None
        self._drop()

    @property
    def held(self) -> int:
        """Count the changes of records that wait for their commit."""
        return len(self._held)

    def apply(self, changes: Sequence[Change | BibChange]) -> None:
        """Write these changes, in one transaction. Raise Refused if the database is away, or can't hold a value."""
        ahead = timedelta(seconds=self.faults.clock_seconds)
        try:
            plans = [plan(change, self._ids) for change in changes]
            plans = [replace(one, stamp=one.stamp and one.stamp + ahead) for one in plans]
            if self.faults.commits_held:
                self._held += plans
            else:
                self._commit(plans)
        except (ValueError, psycopg.DataError) as error:
            raise Refused(400, 108, f"Invalid parameter : {error}") from error

    def edit_bib(self, number: str, var_fields: Sequence[VarField]) -> BibRecord:
        """Edit a bib as staff do: its stamp moves, its items' do not. LookupError: there is none."""
        before = self.bibs[number]
        after = edit_bib(before, var_fields)
        self.apply([BibChange(before, after, quirks.stamp_edits_of_staff_in_whole_seconds(self._records.now()))])
        self.bibs[number] = after
        return after

    def delete_item(self, number: str) -> None:
        """Delete an item as staff do, today by the server's calendar."""
        self._records.delete(number, self.do(_today))

    def rename(self, table: Literal["itype", "material"], code: int | str, name: str) -> None:
        """Give an item type or a material another name, in the login's language. No stamp of any record moves."""
        renamed = self.do(lambda connection: connection.execute(_RENAMES[table], (name, code)).rowcount)
        if not renamed:
            raise LookupError(f"no such {table}: {code}")

    def set_faults(self, faults: DnaFaults) -> None:
        """Have these faults and no others. What a fault held back that is over now is written."""
        self.do(lambda connection: apply_faults(connection, self.faults, faults, self._definitions))
        self.faults = faults
        if not faults.commits_held and self._held:
            self._commit(self._held)
            self._held = []
        if not faults.properties_held and self._late:
            self.do(lambda connection: _write(connection, self._late))
            self._late = []

    def disconnect(self) -> None:
        """End the login's sessions, as a restart of Sierra's database does (SQLSTATE 57P01)."""
        self.do(end_sessions)

    def save_moment(self) -> None:
        """Remember Sierra as it is now, to be restored."""
        self.do(save_tables)
        self._saved = dict(self._records.by_number), dict(self.bibs)

    def restore_moment(self) -> None:
        """Set Sierra back to the moment that was saved, as from a backup: REST and SierraDNA, its stamps too."""
        if self._saved is None:
            raise LookupError("no moment was saved")
        self.do(end_sessions)
        self.do(restore_tables)
        self._records.by_number, self.bibs = dict(self._saved[0]), dict(self._saved[1])
        self._held, self._late = [], []

    def do(self, what: Callable[[Connection], Done]) -> Done:
        """Do it in one transaction. Raise Refused if the database is away. A session that has ended is replaced."""
        is_new = begun = False
        while True:
            try:
                if self._connection is None or self._connection.closed:
                    is_new = True
                    self._connection = psycopg.connect(
                        make_conninfo(self._server, dbname=DATABASE, options="-c synchronous_commit=off")
                    )
                with self._connection.transaction():
                    begun = True
                    return what(self._connection)
            except psycopg.OperationalError as error:
                if is_new or begun:
                    raise Refused(503, 117, f"SierraDNA : {error}") from error

    def _commit(self, plans: Sequence[Plan]) -> None:
        late = [write for one in plans for write in one.writes if write.table in INDEX_PRODUCTS]
        held = late if self.faults.properties_held else []
        self.do(lambda connection: _write_plans(connection, plans, held))
        self._late += held

    def _make(self, connection: Connection, holdings: Iterable[Holding]) -> None:
        for file in self._files:
            text = (files("sandbox") / f"{file}.sql").read_text(encoding="utf-8")
            connection.execute(text)
        remaining = iter(holdings)
        while slice_of := list(itertools.islice(remaining, _AT_A_TIME)):
            _copy(connection, [holding.rows(self._ids) for holding in slice_of])
        connection.execute("ANALYZE")

    def _drop(self) -> None:
        if self._connection:
            self._connection.close()
        with psycopg.connect(self._server, autocommit=True) as server:
            server.execute("DROP DATABASE IF EXISTS iii WITH (FORCE)")
            server.execute("DROP ROLE IF EXISTS signum_dna")


def _copy(connection: Connection, several: Sequence[Rows]) -> None:
    for table in dict.fromkeys(itertools.chain(*several)):
        rows = [row for one in several for row in one.get(table, [])]
        columns = list(dict.fromkeys(itertools.chain(*rows)))
        statement = SQL("COPY {} ({}) FROM STDIN").format(_base(table), SQL(", ").join(map(Identifier, columns)))
        with connection.cursor().copy(statement) as copy:
            for row in rows:
                copy.write_row([row.get(column) for column in columns])


def _write_plans(connection: Connection, plans: Sequence[Plan], held: Sequence[Write]) -> None:
    for one in plans:
        _write(connection, (write for write in one.writes if write not in held))
        if one.stamp:
            connection.execute(
                "UPDATE iiirecord.record_metadata SET previous_last_updated = record_last_updated, "
                "record_last_updated = %s, num_revisions = %s WHERE id = %s",
                (one.stamp, one.revisions, one.key),
            )


def _write(connection: Connection, writes: Iterable[Write]) -> None:
    for write in writes:
        connection.execute(_statement(write), [*(write.values or {}).values(), *write.where.values()])


def _statement(write: Write) -> Composed:
    where = SQL(" AND ").join(SQL("{} = {}").format(Identifier(name), Placeholder()) for name in write.where)
    if write.values is None:
        return SQL("DELETE FROM {} WHERE {}").format(_base(write.table), where)
    names = list(map(Identifier, write.values))
    if not write.where:
        values = SQL(", ").join([Placeholder()] * len(names))
        return SQL("INSERT INTO {} ({}) VALUES ({})").format(_base(write.table), SQL(", ").join(names), values)
    changes = SQL(", ").join(SQL("{} = {}").format(name, Placeholder()) for name in names)
    return SQL("UPDATE {} SET {} WHERE {}").format(_base(write.table), changes, where)


def _base(table: str) -> Identifier:
    return Identifier("iiirecord", table)


def _today(connection: Connection) -> date:
    row = connection.execute("SELECT current_date").fetchone()
    assert row
    today: date = row[0]
    return today
