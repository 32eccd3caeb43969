"""The database goes away and comes back at the moments that matter: nothing is lost, no loop spins, all is finished."""

import asyncio
from typing import Any

import psycopg
import pytest

from db import queue
from notifier import listener, service, sessions
from tests.fix_notifier import EMPTY, NO_SWEEP, Notifier, add_items, eventually, mark
from tests.fix_postgres import TestDatabase
from tests.fix_roles import AsRole
from tests.fix_sierra import SierraInThread

OURS = "datname = current_database() AND application_name IN ('n1', 'signum listener')"


def break_connections(database: TestDatabase) -> None:
    """Every connection that the notifier has ends now."""
    database.fetch(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE {OURS}")


async def logged(caplog: pytest.LogCaptureFixture, words: str) -> None:
    """Return when the log has them. TimeoutError."""
    async with asyncio.timeout(10):
        while True:
            if words in caplog.text:
                return
            await asyncio.sleep(0.01)


async def test_what_was_written_is_finished_when_the_database_is_back(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    (item,) = add_items(database, sierra, 1001)
    writing = sierra.hold()
    async with notifier(**NO_SWEEP):
        mark(database, item)
        await writing.reached()
        break_connections(database)
        writing.release()
        await eventually(database, EMPTY)
    assert database.fetch("SELECT outcome FROM update_log") == [("pushed",)]
    assert len(sierra.requests("put_item")) == 1


async def test_a_claim_whose_connection_is_dead_is_made_on_another(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = add_items(database, sierra, 1001, 1002)
    async with notifier(**NO_SWEEP):
        mark(database, first)
        await eventually(database, EMPTY)
        break_connections(database)
        mark(database, second)
        await eventually(database, EMPTY)
    assert len(sierra.puts()) == 2


async def test_a_database_that_can_only_be_read_is_waited_for(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    (item,) = add_items(database, sierra, 1001)
    name = database.parameters["dbname"]
    async with notifier(**NO_SWEEP):
        await eventually(database, "SELECT mode FROM notifier_state", "listening")
        database.fetch(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        break_connections(database)
        with database.connect() as acting:
            acting.execute("SET default_transaction_read_only = off")
            acting.execute("INSERT INTO update_queue (item_record_id) VALUES (%s)", (item,))
            acting.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
        await eventually(database, EMPTY)


async def test_a_listener_that_does_not_hear_itself_says_so_and_sweeps_often(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "ECHO_DEADLINE_SECONDS", 0.5)
    monkeypatch.setattr(listener, "SQL", {**listener.SQL, "listen": "SELECT 1", "listen_echo": "SELECT 1"})
    (item,) = add_items(database, sierra, 1001)
    async with notifier(**NO_SWEEP):
        await eventually(database, "SELECT mode FROM notifier_state", "polling")
        assert "was not heard" in database.fetch("SELECT reason FROM notifier_state")[0][0]
        mark(database, item)
        await eventually(database, EMPTY)
        monkeypatch.undo()
        await eventually(database, "SELECT mode FROM notifier_state", "listening", at_most=40)


@pytest.mark.parametrize(
    ("take", "give", "says"),
    [
        (
            "REVOKE ALL ON update_queue FROM signum_notifier",
            "GRANT ALL ON update_queue TO signum_notifier",
            "database refuses, keeping the outcome: permission denied",
        ),
        (
            "ALTER TABLE update_log RENAME TO elsewhere",
            "ALTER TABLE elsewhere RENAME TO update_log",
            'database refuses, keeping the outcome: relation "update_log" does not exist',
        ),
        (
            "ALTER TABLE notifier_state RENAME TO elsewhere",
            "ALTER TABLE elsewhere RENAME TO notifier_state",
            'heartbeat or pruning was refused: relation "notifier_state" does not exist',
        ),
    ],
)
async def test_rights_that_are_taken_and_given_back_cost_no_item_and_end_no_notifier(
    database: TestDatabase,
    sierra: SierraInThread,
    notifier: Notifier,
    as_role: AsRole,
    caplog: pytest.LogCaptureFixture,
    take: str,
    give: str,
    says: str,
) -> None:
    first, second = add_items(database, sierra, 1001, 1002)
    role = as_role("signum_notifier").parameters
    writing = sierra.hold()
    async with notifier(**NO_SWEEP, db_user=role["user"], db_password=role["password"]):
        mark(database, first)
        await writing.reached()
        database.fetch(take)
        writing.release()
        await logged(caplog, says)
        database.fetch(give)
        mark(database, second)
        await eventually(database, EMPTY)
    assert database.fetch("SELECT outcome, attempts FROM update_log") == [("pushed", 1), ("pushed", 1)]
    assert len(sierra.requests("put_item")) == 2


@pytest.mark.parametrize(
    ("statement", "waits", "tries"),
    [("claim", "waiting for it", "trying again"), ("finish", "keeping the outcome", "keeping the outcome")],
)
async def test_each_reason_why_the_database_does_nothing_is_logged_once(
    database: TestDatabase,
    sierra: SierraInThread,
    notifier: Notifier,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    statement: str,
    waits: str,
    tries: str,
) -> None:
    away, gone = psycopg.OperationalError("the connection is lost"), psycopg.errors.UndefinedTable("the table is gone")
    failures: list[psycopg.Error] = [away, away, gone, away, gone]
    work = getattr(queue, statement)

    async def fail_first(*arguments: Any) -> Any:
        if failures:
            raise failures.pop(0)
        return await work(*arguments)

    monkeypatch.setattr(service, "reconnect_pause", lambda *_: 0.01)
    monkeypatch.setattr(sessions, "reconnect_pause", lambda *_: 0.01)
    (item,) = add_items(database, sierra, 1001)
    async with notifier(**NO_SWEEP):
        monkeypatch.setattr(queue, statement, fail_first)
        mark(database, item)
        await eventually(database, EMPTY)
    assert [line for line in caplog.messages if line.startswith("database ")] == [
        f"database away, {waits}: the connection is lost",
        f"database refuses, {tries}: the table is gone",
    ]


async def test_a_stop_does_not_wait_for_the_next_try_at_a_database_that_is_away(
    database: TestDatabase,
    sierra: SierraInThread,
    notifier: Notifier,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    claiming, failing = asyncio.Event(), asyncio.Event()

    async def claim(*_: Any) -> Any:
        claiming.set()
        await failing.wait()
        raise psycopg.OperationalError("the connection is lost")

    monkeypatch.setattr(queue, "claim", claim)
    monkeypatch.setattr(service, "reconnect_pause", lambda *_: 60.0)
    async with notifier(**NO_SWEEP) as running:
        await claiming.wait()
        running.wakeup.stop()
        failing.set()
    assert "stopping with requests under way" not in caplog.text
