"""Fixture `dna`: a SierraDNA beside the test's `sierra`, with fifty items, read as the library's login reads it."""

import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import psycopg
import pytest

from sandbox.catalogue import Item, make_catalogue
from sandbox.dna import SierraDna, login
from sandbox.dna_faults import DnaFaults
from sandbox.dna_rows import record_key
from sandbox.postgres import EmbeddedPostgres
from tests.fix_postgres import memory
from tests.fix_sierra import SierraInThread

Result = TypeVar("Result")
ITEMS = make_catalogue(50)  # every oddity once


class DnaInThread:
    """Reads in the test's thread; `do` acts in the simulator's, as staff and faults do."""

    def __init__(self, server: EmbeddedPostgres, sierra: SierraInThread, real: SierraDna) -> None:
        self.server, self.sierra, self._real = server, sierra, real
        self.login = login(server.dsn(tcp=True))

    def do(self, act: Callable[[SierraDna], Result]) -> Result:
        """Have SierraDNA do this."""
        return self.sierra.run(act, self._real)

    def fault(self, **parts: Any) -> None:
        """Have these faults on, and no others; the parts are `sandbox.dna_faults.DnaFaults`'s."""
        self.do(lambda real: real.set_faults(DnaFaults(**parts)))

    def connect(self) -> psycopg.Connection[Any]:
        """A session of the login's."""
        return psycopg.connect(self.login, autocommit=True)

    def wait_until_no_session_is_left(self) -> None:
        """Wait until the server has ended the login's sessions: one counts for a moment after it was closed."""
        with psycopg.connect(self.server.dsn(), autocommit=True) as connection:
            give_up_at = time.monotonic() + 30
            while (
                connection.execute("SELECT FROM pg_stat_activity WHERE usename = 'signum_dna'").fetchone() is not None
            ):
                assert time.monotonic() < give_up_at, "a session of signum_dna does not end"
                time.sleep(0.01)

    def fetch(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """The rows of one statement of the login's."""
        with self.connect() as connection:
            return connection.execute(statement, parameters or None).fetchall()

    def one(self, statement: str, *parameters: Any) -> Any:
        """The value of a statement that gives one."""
        ((value,),) = self.fetch(statement, *parameters)
        return value

    def stamp(self, key: int) -> Any:
        """The stamp of the record with that key."""
        return self.one("SELECT record_last_updated_gmt FROM sierra_view.record_metadata WHERE id = %s", key)


def item_key(item: Item | str) -> int:
    """SierraDNA's key of that item."""
    return record_key("i", item if isinstance(item, str) else item.number)


def bib_key(item: Item) -> int:
    """SierraDNA's key of the item's first bib."""
    return record_key("b", item.bibs[0].number)


@pytest.fixture(scope="module")
def dna_server() -> Iterator[EmbeddedPostgres]:
    """A server of the module's own: the login is the whole server's."""
    with EmbeddedPostgres(memory(), tcp=True) as server:
        yield server


@pytest.fixture
def dna(dna_server: EmbeddedPostgres, sierra: SierraInThread) -> Iterator[DnaInThread]:
    """Loaded with `ITEMS`, which are in `sierra` too."""
    yield from make_dna(dna_server, sierra)


@pytest.fixture(scope="module")
def shared_dna(dna_server: EmbeddedPostgres) -> Iterator[DnaInThread]:
    """The same for all tests of a module, which only read."""
    with SierraInThread() as sierra:
        yield from make_dna(dna_server, sierra)


def make_dna(server: EmbeddedPostgres, sierra: SierraInThread, *, indexes: bool = False) -> Iterator[DnaInThread]:
    """SierraDNA from the first value to the end."""
    real = SierraDna(server.dsn(), sierra._sierra.records, ITEMS, indexes=indexes)
    sierra.run(real.__enter__)
    sierra.run(sierra._sierra.show_in, real)
    try:
        yield DnaInThread(server, sierra, real)
    finally:
        sierra.run(real.__exit__, None, None, None)
