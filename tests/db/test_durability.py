"""A commit is acknowledged when the synchronous standby has it; where that is gone, what was stored is told as such."""

import asyncio
import contextlib
import gc
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest
from psycopg import sql

from cli.database import LEFT_BEHIND
from db import durability, sync
from db.connections import aconnect
from db.durability import UNCONFIRMED
from db.requests import Database
from db.schema.migrate import downgrade, migrate
from db.schema.rights import grant_rights, make_logins
from db.schema.version import known_revisions
from db.sync import commit_in_time
from sandbox.wire import PostgresWire
from tests.fix_api import ApiClient, detail
from tests.fix_batch import FIRST_ID, Send, row
from tests.fix_postgres import TestDatabase
from tests.fix_predecessor import Old
from tests.fix_signum import Signum

WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND application_name = %s"
PATIENCE_SECONDS = 20.0


@pytest.fixture
def database(own_database: TestDatabase) -> TestDatabase:
    """On a server of its own, which a test may give a standby that is not there."""
    return own_database


@pytest.fixture
def lose_standby(database: TestDatabase) -> Iterator[Callable[[], None]]:
    """From the call on no commit is confirmed by the server's synchronous standby."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(database.server.standby_away())


def cancelled(database: TestDatabase, application: str, work: Callable[[], Any]) -> Any:
    """The result of the work, whose wait for the standby a DBA cancels."""
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(work()), name="work")
    thread.start()
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not (found := database.fetch(WAITING, application)):
        assert time.monotonic() < give_up_at, "it does not wait for the standby"
    database.fetch("SELECT pg_cancel_backend(%s)", *found[0])
    thread.join(PATIENCE_SECONDS)
    return results[0]


async def test_a_session_commits_durably_though_the_server_is_set_to_less_afterwards(database: TestDatabase) -> None:
    """As by a DBA who does without a standby that is gone: marks would be acknowledged before the disk has them."""
    reload, execute = sql.SQL("SELECT pg_reload_conf()").format(), database.server.execute
    loaded = "SELECT pg_conf_load_time() > %(before)s, current_setting('synchronous_commit')"
    async with Database(database.parameters, 1) as api:
        ((before,),) = await api.fetch("SELECT pg_conf_load_time()")
        try:
            execute(sql.SQL("ALTER SYSTEM SET synchronous_commit = off").format(), reload)
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not (found := (await api.fetch(loaded, {"before": before}))[0])[0]:
                    pass
        finally:
            execute(sql.SQL("ALTER SYSTEM RESET synchronous_commit").format(), reload)
    assert found == (True, "on")


@pytest.mark.parametrize("client_min_messages", ["notice", "error"])
def test_mark_that_the_standby_does_not_have_is_not_acknowledged(
    database: TestDatabase, printer: ApiClient, lose_standby: Callable[[], None], client_min_messages: str
) -> None:
    """PostgreSQL says so by a warning, whatever a DBA wants to be told of."""
    name, least = sql.Identifier(database.parameters["dbname"]), sql.SQL(client_min_messages)
    database.server.execute(sql.SQL("ALTER DATABASE {} SET client_min_messages = {}").format(name, least))
    item = database.add_item(1)
    lose_standby()
    answer = cancelled(database, "signum api", lambda: printer.put(f"/itemdata/{item}"))
    assert (answer.status_code, detail(answer)) == (503, UNCONFIRMED)
    assert database.fetch("SELECT item_record_id FROM update_queue") == [(item,)]


def test_mark_whose_time_is_over_leaves_no_session_behind_that_waits(
    database: TestDatabase, printer: ApiClient, lose_standby: Callable[[], None]
) -> None:
    item = database.add_item(1, barcode="1231231230012")
    lose_standby()
    assert printer.put(f"/itemdata/{item}").status_code == 503
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while database.fetch(WAITING, "signum api"):
        assert time.monotonic() < give_up_at
    assert printer.get("/itemdata/1231231230012").status_code == 200


@pytest.mark.parametrize(("set_to", "holds"), [("off", "on"), ("local", "on"), ("remote_apply", "remote_apply")])
async def test_commits_wait_for_the_standby_whatever_the_database_says(
    database: TestDatabase, set_to: str, holds: str
) -> None:
    name = sql.Identifier(database.parameters["dbname"])
    database.server.execute(sql.SQL("ALTER DATABASE {} SET synchronous_commit = {}").format(name, sql.SQL(set_to)))
    async with Database(database.parameters, 1) as api:
        assert await api.fetch("SHOW synchronous_commit") == [(holds,)]


def test_key_that_was_made_is_shown_though_the_standby_does_not_have_it(
    database: TestDatabase, signum: Signum, lose_standby: Callable[[], None]
) -> None:
    lose_standby()
    began = time.monotonic()
    added = signum("client", "add", "desk 1", "--type", "etl")
    assert time.monotonic() - began < 10
    assert added.code == 0
    assert "sig_" in added.out
    assert UNCONFIRMED in added.err
    assert database.fetch("SELECT client_name FROM client") == [("desk 1",)]


async def test_batch_that_the_standby_does_not_have_is_sent_again(
    database: TestDatabase, send: Send, lose_standby: Callable[[], None]
) -> None:
    lose_standby()
    answer = await asyncio.to_thread(cancelled, database, "signum sync", lambda: send([row(1)]))
    assert (answer.status_code, detail(answer)) == (503, UNCONFIRMED)
    assert database.fetch("SELECT item_record_id FROM sierra_item") == [(FIRST_ID + 1,)]


def test_migration_and_rights_wait_for_no_standby(database: TestDatabase, lose_standby: Callable[[], None]) -> None:
    def migrate_anew() -> None:
        downgrade(database.parameters, known_revisions()[-2])
        migrate(database.parameters)
        make_logins(database.parameters, {"signum_reader": "of no use"})
        grant_rights(database.parameters)

    lose_standby()
    thread = threading.Thread(target=migrate_anew, name="migration", daemon=True)
    thread.start()
    thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()
    assert database.fetch("SELECT has_table_privilege('signum_reader', 'queue_overview', 'SELECT')") == [(True,)]


def test_import_that_the_standby_does_not_have_is_told(
    old: Old, database: TestDatabase, lose_standby: Callable[[], None]
) -> None:
    item = old.add(1)
    lose_standby()
    ran = cancelled(database, "signum import", old.bring)
    assert (ran.code, UNCONFIRMED in ran.err) == (0, True)
    assert database.fetch("SELECT item_record_id FROM sierra_item") == [(item,)]


async def test_session_behind_a_pooler_is_not_taken_for_another_servers(database: TestDatabase) -> None:
    """The pid that a client knows is the pooler's there. A command of over 5 s would be cut, its work half done."""
    server = database.parameters
    with PostgresWire(str(server["host"]), int(server["port"])) as wire:
        wire.change_pids = True
        way = {name: value for name, value in server.items() if name != "hostaddr"}
        async with await aconnect({**way, "host": wire.host, "port": wire.port}) as connection:
            pid = connection.info.backend_pid
            assert database.fetch("SELECT pid FROM pg_stat_activity WHERE pid = %s", pid) == []
            assert await durability.is_waiting_for_standby(connection, pid) is False


def test_command_whose_server_is_the_primary_no_more_ends_and_says_so(
    signum: Signum,
    lose_standby: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its session waits for a standby that was promoted, and no cancel reaches it by way of the new primary."""

    async def find_no_such_session(*_: Any) -> None:
        return None

    monkeypatch.setattr(durability, "is_waiting_for_standby", find_no_such_session)
    lose_standby()
    added = signum("client", "add", "desk 1", "--type", "etl")
    assert (added.code, LEFT_BEHIND in added.err) == (3, True)
    gc.collect()
    assert "never retrieved" not in caplog.text, "the cut session's error is no traceback on the terminal"


def test_transaction_gives_up_a_standby_that_is_gone_though_no_cancel_reaches_its_server(
    database: TestDatabase, lose_standby: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old primary of a failover is left up: the way to the database leads to the new one."""
    monkeypatch.setattr(sync, "CONFIRM_SECONDS", 0.2)
    monkeypatch.setattr(sync, "CANCEL_SECONDS", 0.2)
    server = database.parameters
    with PostgresWire(str(server["host"]), int(server["port"])) as wire:
        way = {name: value for name, value in server.items() if name != "hostaddr"}
        connection = psycopg.connect(**{**way, "host": wire.host, "port": wire.port})
        connection.execute("CREATE TABLE mine ()")
        lose_standby()
        wire.lead_to(str(server["host"]), 1)

        def commit() -> None:
            with contextlib.suppress(psycopg.OperationalError):
                commit_in_time(connection)

        thread = threading.Thread(target=commit)
        thread.start()
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()


@pytest.mark.long
def test_import_gives_up_a_standby_that_is_gone(old: Old, lose_standby: Callable[[], None]) -> None:
    lose_standby()
    assert UNCONFIRMED in old.bring().err
