"""The api's way to the database: every answer in time, and a dead connection costs no request."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from db import connections
from db.connections import DatabaseUnavailable, api_parameters, wait_for_database
from db.pool import WAIT_SECONDS
from db.requests import Database, request_began_at
from runtime.settings import ApiSettings
from tests.fix_postgres import TestDatabase

ONE = "SELECT 1"
LOCKS_WAITED_FOR = "SELECT count(*) FROM pg_locks WHERE NOT granted"


@pytest.fixture
async def api(database: TestDatabase) -> AsyncIterator[Database]:
    """With one connection, so that a test knows which it gets."""
    async with Database({**database.parameters, "application_name": "one session"}, 1) as connected:
        yield connected


async def test_a_connection_that_died_in_the_pool_is_not_noticed(database: TestDatabase, api: Database) -> None:
    await api.fetch(ONE)
    database.fetch("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'one session'")
    assert (await api.fetch(ONE))[0][0] == 1


async def test_times_are_read_however_the_database_writes_them(database: TestDatabase) -> None:
    for way in ("datestyle = 'German, DMY'", "intervalstyle = 'sql_standard'"):
        database.fetch(f"ALTER DATABASE {database.parameters['dbname']} SET {way}")
    async with Database(api_parameters(ApiSettings(**database.settings())), 1) as api:
        ((at, day),) = await api.fetch("SELECT '2026-11-27T12:00:00Z'::timestamptz, interval '1 day 2 hours'")
    assert (at, day) == (datetime(2026, 11, 27, 12, tzinfo=UTC), timedelta(days=1, hours=2))


async def test_a_column_that_changes_under_what_was_prepared_is_not_noticed(database: TestDatabase) -> None:
    read = "SELECT material_name FROM sierra_item"
    async with Database(database.parameters, 2) as api:
        for _ in range(8):  # on each of the two more often than the driver needs to prepare it
            await asyncio.gather(api.fetch(read), api.fetch(read))
        database.fetch("ALTER TABLE sierra_item ALTER material_name TYPE varchar(500)")
        assert [*await asyncio.gather(api.fetch(read), api.fetch(read))] == [[], []]


async def test_the_statements_of_one_request_share_one_deadline(api: Database) -> None:
    await api.fetch(ONE)
    request_began_at.set(time.monotonic() - 3.9)
    began = time.monotonic()
    with pytest.raises(DatabaseUnavailable, match="did not answer within 4 s"):
        await api.fetch("SELECT pg_sleep(30)")
    assert time.monotonic() - began < 3, "far from another 4 s"


async def test_when_all_connections_are_busy_the_answer_comes_after_two_seconds(
    database: TestDatabase, api: Database
) -> None:
    with database.connect() as person:
        person.execute("SELECT pg_advisory_lock(1)")
        busy = asyncio.create_task(api.fetch("SELECT pg_advisory_xact_lock(1)"))
        async with asyncio.timeout(10):
            while await asyncio.to_thread(database.fetch, LOCKS_WAITED_FOR) == [(0,)]:
                pass
        began = time.monotonic()
        with pytest.raises(DatabaseUnavailable, match="busy"):
            await api.fetch(ONE)
        assert time.monotonic() - began >= WAIT_SECONDS
    await asyncio.gather(busy, return_exceptions=True)  # on a slow machine it was given up meanwhile


async def test_what_waits_for_a_lock_leaves_reads_a_connection(database: TestDatabase) -> None:
    with database.connect() as person:
        person.execute("SELECT pg_advisory_lock(1)")
        async with Database(database.parameters, 4) as busy:
            waiting = [asyncio.create_task(_wait_for_the_lock(busy)) for _ in range(8)]
            async with asyncio.timeout(30):
                while await asyncio.to_thread(database.fetch, LOCKS_WAITED_FOR) != [(3,)]:
                    pass
                assert (await busy.fetch(ONE))[0][0] == 1
            person.execute("SELECT pg_advisory_unlock(1)")
            await asyncio.gather(*waiting)


async def test_a_statement_that_is_wrong_is_a_bug_and_no_outage(api: Database) -> None:
    with pytest.raises(Exception, match="division by zero"):
        await api.fetch("SELECT 1 / 0")


@pytest.mark.parametrize(
    "wrong", [{"host": "no-such-host.invalid", "hostaddr": ""}, {"port": 1, "host": "127.0.0.1"}, {"password": "x"}]
)
async def test_a_database_that_is_not_there_is_waited_for_and_then_named(
    database: TestDatabase, wrong: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(DatabaseUnavailable):
        await wait_for_database({**database.parameters, "connect_timeout": 2, **wrong}, at_most_seconds=1)
    assert "waiting for the database" in caplog.text
    assert database.parameters["password"] not in caplog.text


async def test_start_behind_silent_hosts_says_what_it_waits_for(
    database: TestDatabase, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "SILENT_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        parameters = {**database.parameters, "port": silent.getsockname()[1]}
        with pytest.raises(DatabaseUnavailable, match="let us in"):
            await wait_for_database(parameters, at_most_seconds=1)
    assert caplog.messages == ["waiting for the database: no host has let us in yet"]


async def _wait_for_the_lock(api: Database) -> None:
    while True:
        with suppress(DatabaseUnavailable):  # given up meanwhile, on a slow machine
            await api.fetch("SELECT pg_advisory_xact_lock(1)", writes=True)
            return
