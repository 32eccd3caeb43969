"""Connections are made in the background: through silent hosts and slow log-ins, whatever a request's deadline is."""

import asyncio
import contextlib
import resource
import socket
import sys
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from db import requests
from db.connections import DatabaseUnavailable, Parameters, Session, aconnect
from db.pool import WAIT_SECONDS, cut, lend, make_pool
from db.requests import Database
from sandbox.wire import PostgresWire
from tests.fix_postgres import TestDatabase
from tests.fix_signum import Signum

ONE = "SELECT 1"


@contextlib.contextmanager
def silent_host(host: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.create_server((host, port), backlog=64) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def behind_silent_hosts(database: TestDatabase) -> Iterator[dict[str, Any]]:
    """The database as the third of three hosts, two of which are silent."""
    own = without_address(database)
    with silent_host() as first, silent_host() as second:
        yield {**own, "host": f"127.0.0.1,127.0.0.1,{own['host']}", "port": f"{first},{second},{own['port']}"}


def without_address(database: TestDatabase) -> dict[str, Any]:
    return {name: value for name, value in database.parameters.items() if name != "hostaddr"}


def behind(wire: PostgresWire, database: TestDatabase) -> dict[str, Any]:
    return {**without_address(database), "host": wire.host, "port": wire.port}


async def wait_for_answer(parameters: Parameters) -> list[str]:
    """Ask until there is an answer; the reasons of the requests before it."""
    reasons = []
    async with asyncio.timeout(60), Database(parameters, 2) as api:
        while True:
            try:
                await api.fetch(ONE)
            except DatabaseUnavailable as error:
                reasons.append(str(error))
            else:
                return reasons


async def test_silent_hosts_before_the_one_that_answers_cost_seconds_and_not_the_service(
    behind_silent_hosts: dict[str, Any],
) -> None:
    reasons = await wait_for_answer(behind_silent_hosts)
    assert reasons[0] == "it lets no new connection in within 2 s"


@pytest.mark.skipif(sys.platform != "linux", reason="needs 127.0.0.2")
async def test_silent_addresses_of_a_name_do_not_hide_its_others(
    database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(database.parameters["port"])
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.0.{last}", port)) for last in (2, 3, 1)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with silent_host("127.0.0.2", port), silent_host("127.0.0.3", port):
        await wait_for_answer({**without_address(database), "host": "database.example.org"})


async def test_log_in_that_takes_longer_than_any_request_is_waited_for(
    database: TestDatabase, wire_to_postgres: PostgresWire
) -> None:
    wire = wire_to_postgres
    wire.delay(0.2)  # of each message, of which a log-in has twenty
    assert len(await wait_for_answer(behind(wire, database))) > 1


async def test_refused_connection_is_the_reason_of_requests_that_got_none(database: TestDatabase) -> None:
    async with Database({**without_address(database), "host": "127.0.0.1", "port": 1}, 1) as api:
        began = time.monotonic()
        with pytest.raises(DatabaseUnavailable, match="port 1 failed: Connection refused"):
            await api.fetch(ONE)
        assert time.monotonic() - began < WAIT_SECONDS, "told at once"


async def test_connection_that_falls_silent_as_it_is_made_does_not_keep_others_out(
    database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Session] = []

    async def fall_silent_once(session: Session) -> None:
        made.append(session)
        if len(made) == 1:
            await session.execute("SELECT pg_sleep(3600)")

    monkeypatch.setattr(requests, "commit_durably", fall_silent_once)
    monkeypatch.setattr(requests, "LONGEST_STATEMENT_SECONDS", 0.5)
    await wait_for_answer(database.parameters)
    assert len(made) == 2


async def test_session_that_falls_silent_as_it_is_made_is_cut_in_time(
    database: TestDatabase, wire_to_postgres: PostgresWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """psycopg's own way would take 5 s more, in which the pool makes no other."""
    made: list[Session] = []

    async def fall_silent_once(session: Session) -> None:
        made.append(session)
        if len(made) == 1:
            wire_to_postgres.fall_silent()
        await session.execute(ONE)

    monkeypatch.setattr(requests, "commit_durably", fall_silent_once)
    monkeypatch.setattr(requests, "LONGEST_STATEMENT_SECONDS", 0.5)
    assert len(await wait_for_answer(behind(wire_to_postgres, database))) == 1


async def test_idle_sessions_are_given_up_with_the_first_that_has_fallen_silent(
    database: TestDatabase, wire_to_postgres: PostgresWire
) -> None:
    wire = wire_to_postgres
    async with Database(behind(wire, database), 3) as api:
        while wire.connections < 3:
            await asyncio.gather(*(api.fetch("SELECT pg_sleep(0.3)") for _ in range(3)))
        wire.fall_silent()
        with contextlib.suppress(DatabaseUnavailable):  # on a slow machine its repeat comes too late
            await api.fetch(ONE)
        await api.fetch(ONE)


async def test_idle_sessions_are_given_up_with_one_that_is_still_silent_at_the_deadline(
    database: TestDatabase, wire_to_postgres: PostgresWire
) -> None:
    wire = wire_to_postgres
    async with make_pool(behind(wire, database), 2, longest_statement_seconds=0.5) as pool:
        async with lend(pool) as one, lend(pool) as other:
            pass
        wire.fall_silent()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2), lend(pool) as silent:
                await silent.execute(ONE)
        async with lend(pool) as session:
            assert session not in (one, other)
            await session.execute(ONE)


async def test_silent_session_is_cut_though_no_open_file_is_left(database: TestDatabase) -> None:
    async with await aconnect(database.parameters) as session:
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
        try:
            cut(session)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        with pytest.raises(psycopg.OperationalError):
            await session.execute(ONE)


async def test_session_is_lost_whatever_error_of_the_server_ended_it(database: TestDatabase) -> None:
    """The server's `transaction_timeout` is no OperationalError, and ends the session."""
    lost: list[bool] = []
    async with make_pool(database.parameters, 1) as pool:
        pool.on_lost = lambda: lost.append(True)
        with contextlib.suppress(psycopg.InternalError):
            async with lend(pool) as session:
                await session.close()
                raise psycopg.InternalError("terminating connection due to transaction timeout")
    assert lost == [True]


async def test_statement_that_is_given_up_ends_at_the_server_too(database: TestDatabase) -> None:
    async with make_pool(database.parameters, 1, longest_statement_seconds=0.3) as pool:
        with pytest.raises(psycopg.OperationalError):
            async with lend(pool) as session:
                await session.execute("SELECT pg_sleep(60)")
    async with asyncio.timeout(20):
        while database.fetch("SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep'"):  # noqa: ASYNC110
            await asyncio.sleep(0)


@pytest.mark.long
def test_commands_and_migrations_get_through_silent_hosts(
    database: TestDatabase, behind_silent_hosts: dict[str, Any], signum_process: Signum
) -> None:
    hosts = {"DB_HOST": behind_silent_hosts["host"], "DB_PORT": behind_silent_hosts["port"]}
    settings = {**database.environment(), **hosts}
    assert signum_process("queue", "list", settings=settings).out == "the queue is empty\n"
    assert signum_process("migrate", settings=settings).code == 0
