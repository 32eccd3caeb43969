"""A server that takes no writes any more is read from, marks are told why, and writes go on when one takes them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from psycopg import sql

from db.connections import READ_ONLY
from tests.fix_api import ApiClient, detail
from tests.fix_postgres import TestDatabase

BARCODE = "1231231230012"
PATIENCE_SECONDS = 15.0
POOL_SIZE = 4  # of the tests' api
SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'signum api'"


@pytest.fixture
def database(own_database: TestDatabase) -> TestDatabase:
    """On a server of its own, which a test may set to read only."""
    return own_database


@contextmanager
def only_reading(database: TestDatabase) -> Iterator[None]:
    """The server takes no writes meanwhile, in sessions that are there neither."""
    set_to = sql.SQL("ALTER SYSTEM SET default_transaction_read_only = {}")
    reload = sql.SQL("SELECT pg_reload_conf()").format()
    database.server.execute(set_to.format(sql.SQL("on")), reload)
    try:
        yield
    finally:
        with database.connect() as dba:
            dba.execute("SET default_transaction_read_only = off")
            dba.execute("ALTER SYSTEM RESET default_transaction_read_only")
            dba.execute("SELECT pg_reload_conf()")


def status_of_mark(printer: ApiClient, item: int, until: int) -> int:
    """The last answer's status: marks are sent until one has it, or the patience is over."""
    give_up_at, status = time.monotonic() + PATIENCE_SECONDS, 0
    while status != until and time.monotonic() < give_up_at:
        status = printer.put(f"/itemdata/{item}").status_code
    return status


def test_reads_go_on_where_no_server_takes_writes_and_marks_are_told_why(
    printer: ApiClient, database: TestDatabase
) -> None:
    item = database.add_item(1, barcode=BARCODE)
    assert printer.put(f"/itemdata/{item}").status_code == 200
    with only_reading(database):
        assert status_of_mark(printer, item, until=503) == 503
        answer = printer.put(f"/itemdata/{item}")
        assert (answer.status_code, detail(answer)) == (503, READ_ONLY)
        assert printer.get(f"/itemdata/{BARCODE}").status_code == 200
        readiness = printer.get("/readiness")
        assert (readiness.status_code, readiness.json()) == (200, {"status": "read-only"})
        ((sessions,),) = database.fetch(SESSIONS)
        assert sessions <= POOL_SIZE, "none is left behind"
    assert status_of_mark(printer, item, until=200) == 200
    assert printer.get("/readiness").json() == {"status": "ok"}


def test_session_that_only_reads_is_given_up_though_only_reads_meet_it(
    printer: ApiClient, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.pool.MOST_SECONDS_OF_READS", 0.5)
    with only_reading(database):
        assert printer.get("/readiness").json() == {"status": "read-only"}
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while printer.get("/readiness").json() != {"status": "ok"}:
        assert time.monotonic() < give_up_at
