"""A person learns which session a command waits for, and the doctor names it: not "the database does not answer"."""

import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from cli import database as commands
from cli import output
from tests.fix_postgres import TestDatabase
from tests.fix_roles import AsRole
from tests.fix_signum import Signum

LOCK = "SELECT FROM update_queue FOR UPDATE"


@pytest.fixture
def dba(database: TestDatabase) -> Iterator[psycopg.Connection[Any]]:
    """A DBA's session that has locked the queue's only row, and is idle in its transaction."""
    item = database.add_item(1001, barcode="12312312300001")
    database.fetch("INSERT INTO update_queue (item_record_id, due_at, last_error) VALUES (%s, NULL, 'x')", item)
    with psycopg.connect(**database.parameters, application_name="psql") as connection:
        connection.execute(LOCK)
        yield connection


def named(dba: psycopg.Connection[Any]) -> str:
    return f"session {dba.info.backend_pid} ({dba.info.user}, psql, idle in transaction"


def test_a_command_that_waits_names_the_session_and_goes_on_when_it_is_over(
    signum: Signum, dba: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = threading.Event()
    tell = output.print_err

    def tell_and_note(line: str) -> None:
        tell(line)
        told.set()

    def let_go() -> None:
        told.wait(30)
        dba.rollback()

    monkeypatch.setattr(commands, "print_err", tell_and_note)
    release = threading.Thread(target=let_go)
    release.start()
    ran = signum("queue", "retry", "1001")
    release.join()
    assert (ran.code, ran.out) == (0, "retried 1 item\n")
    assert ran.err.startswith(f"waiting: update_queue, or a row of it, is held by {named(dba)}")


def test_command_gives_up_and_names_the_session_that_holds_the_row(
    signum: Signum, dba: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "LOCK_TIMEOUT_MS", 2_000)
    ran = signum("queue", "dismiss", "1001")
    assert (ran.code, ran.out) == (3, "")
    assert f"gave up after 2 s: update_queue, or a row of it, is held by {named(dba)}" in ran.err
    assert "does not answer" not in ran.err


@pytest.fixture
def waiting(database: TestDatabase, dba: psycopg.Connection[Any]) -> Iterator[None]:
    """Another session, which waits for that row."""
    with psycopg.connect(**database.parameters) as connection:
        thread = threading.Thread(target=connection.execute, args=[LOCK])
        thread.start()
        while not database.fetch(
            "SELECT pid FROM pg_locks WHERE NOT granted AND pid = %s", connection.info.backend_pid
        ):
            pass
        yield
        dba.rollback()
        thread.join()


@pytest.mark.usefixtures("waiting")
def test_the_doctor_names_the_transaction_that_others_wait_for(signum: Signum, dba: psycopg.Connection[Any]) -> None:
    (found,) = [row for row in signum("doctor", "--json").json if row["check"] == "locks"]
    assert found["level"] == "warning"
    assert found["text"].startswith(named(dba))
    assert found["text"].endswith("keeps 1 other waiting")
    assert f"pg_terminate_backend({dba.info.backend_pid})" in found["advice"]


def test_the_doctor_names_a_reader_who_holds_the_lock_of_the_sync(signum: Signum, as_role: AsRole) -> None:
    with as_role("signum_reader").connect() as reader:
        reader.execute("SELECT pg_advisory_lock(1398361667)")
        pid, ran = reader.info.backend_pid, signum("doctor", "--json")
    (found,) = [row for row in ran.json if row["check"] == "locks"]
    assert found["level"] == "warning"
    assert "holds the lock of the sync though it is no batch" in found["text"]
    assert f"pg_terminate_backend({pid})" in found["advice"]
