"""A client was last seen when it last made any request with its key; no request waits for that to be written."""

import logging
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

import pytest

from api import last_seen
from api.app import make_app
from api.last_seen import LastSeen
from db.clients import write_seen
from db.connections import api_parameters
from db.requests import Database
from runtime.settings import ApiSettings
from tests.fix_api import ApiClient, StartApi, serving
from tests.fix_notifier import eventually
from tests.fix_postgres import TestDatabase
from tests.fix_roles import AsRole

LIMIT_SECONDS = 30.0
BARCODE = "1231231230012"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
REPORT = {"internal_hostname": "a", "internal_ip_address": "None"}
BROKEN = {"data": {"timestamp": "yesterday"}, "files": {"file": b""}}

Asked = tuple[str, str, dict[str, Any], int]

PRINTERS: dict[str, Asked] = {
    "read": ("GET", f"/itemdata/{BARCODE}", {}, 200),
    "read of nothing": ("GET", "/itemdata/1231231239999", {}, 404),
    "mark of nothing": ("PUT", "/itemdata/1", {}, 404),
    "report": ("POST", "/status", {"data": REPORT}, 200),
    "report that says nothing": ("POST", "/status", {}, 422),
    "what is the ETL's": ("GET", "/sync", {}, 403),
}
ETLS: dict[str, Asked] = {
    "asks what to send": ("GET", "/sync", {}, 200),
    "sends a batch that is none": ("POST", "/sync", BROKEN, 422),
    "what is the print stations'": ("GET", f"/itemdata/{BARCODE}", {}, 403),
}


def seconds_ago(database: TestDatabase) -> float | None:
    ((ago,),) = database.fetch("SELECT extract(epoch FROM now() - last_seen_at)::float8 FROM client")
    return ago  # type: ignore[no-any-return]


Until = Callable[[Callable[[], object]], None]


@pytest.fixture
def until(monkeypatch: pytest.MonkeyPatch) -> Until:
    """Return when the condition holds, which is looked at after each try to write; there are many a second."""
    tries: SimpleQueue[None] = SimpleQueue()
    its_own = LastSeen._write

    async def noticing(self: LastSeen) -> None:
        await its_own(self)
        tries.put(None)

    monkeypatch.setattr(LastSeen, "_write", noticing)
    monkeypatch.setattr(last_seen, "WRITE_SECONDS", 0.05)

    def wait(condition: Callable[[], object]) -> None:
        limit = time.monotonic() + LIMIT_SECONDS
        while not condition():
            assert time.monotonic() < limit
            tries.get(timeout=LIMIT_SECONDS)

    return wait


def ask(api: ApiClient, key: str, method: str, path: str, more: dict[str, Any]) -> int:
    return api.request(method, path, headers={"x-api-key": key}, **more).status_code


@pytest.mark.parametrize("what", PRINTERS)
def test_any_request_of_a_print_station_counts(
    until: Until, api: ApiClient, database: TestDatabase, printer_key: str, what: str
) -> None:
    method, path, more, status = PRINTERS[what]
    database.add_item(1, barcode=BARCODE)
    assert seconds_ago(database) is None
    assert ask(api, printer_key, method, path, more) == status
    until(lambda: seconds_ago(database) is not None)


@pytest.mark.parametrize("what", ETLS)
def test_any_request_of_the_etl_counts(
    until: Until, api: ApiClient, database: TestDatabase, etl_key: str, what: str
) -> None:
    method, path, more, status = ETLS[what]
    assert ask(api, etl_key, method, path, more) == status
    until(lambda: seconds_ago(database) is not None)


def test_key_that_is_revoked_is_not_seen(database: TestDatabase, printer_key: str) -> None:
    database.fetch("UPDATE client SET revoked_at = now()")
    with serving(make_app(ApiSettings(**database.settings()))) as api:
        assert {ask(api, printer_key, method, path, more) for method, path, more, _ in PRINTERS.values()} == {403}
    assert seconds_ago(database) is None


def test_it_is_written_at_the_stop(database: TestDatabase, printer_key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(last_seen, "WRITE_SECONDS", 3600)
    with serving(make_app(ApiSettings(**database.settings()))) as api:
        assert ask(api, printer_key, "GET", "/itemdata/1231231239999", {}) == 404
        assert seconds_ago(database) is None
    assert seconds_ago(database) is not None


def test_rights_of_signum_api_suffice(
    start_api: StartApi, as_role: AsRole, database: TestDatabase, printer_key: str, until: Until
) -> None:
    api = start_api(**as_role("signum_api").settings())
    assert ask(api, printer_key, "GET", "/itemdata/1231231239999", {}) == 404
    until(lambda: seconds_ago(database) is not None)


def test_failure_to_write_is_logged_once_and_fails_no_request(
    until: Until, api: ApiClient, database: TestDatabase, printer_key: str, caplog: pytest.LogCaptureFixture
) -> None:
    database.fetch("CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not now'; END $$")
    database.fetch("CREATE TRIGGER no BEFORE UPDATE ON client FOR EACH ROW EXECUTE FUNCTION no()")

    def warned() -> list[str]:
        return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]

    assert ask(api, printer_key, "GET", "/itemdata/1231231239999", {}) == 404
    until(warned)
    tries = iter(range(3))
    until(lambda: next(tries, None) is None)
    assert ask(api, printer_key, "GET", "/itemdata/1231231239999", {}) == 404
    (line,) = warned()
    assert line.startswith("last seen is not written: ")
    assert line.endswith("not now")
    database.fetch("DROP TRIGGER no ON client")
    until(lambda: seconds_ago(database) is not None)


@pytest.fixture
async def way(database: TestDatabase) -> Any:
    """A process's way to the database."""
    async with Database(api_parameters(ApiSettings(**database.settings())), 2) as way:
        yield way


async def test_stop_that_meets_a_write_leaves_nothing_out(
    way: Database, database: TestDatabase, printer_key: str, etl_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(last_seen, "WRITE_SECONDS", 0.05)
    seen = LastSeen(way)
    async with seen.keep_writing():
        with database.connect() as connection, connection.transaction():
            connection.execute("LOCK client IN EXCLUSIVE MODE")
            seen.note(key_sha256(database, "signum-printer"))
            await eventually(database, WAITING, 1)
            seen.note(key_sha256(database, "etl"))
            seen._stopping.set()
    assert database.fetch("SELECT count(last_seen_at) FROM client") == [(2,)]


def key_sha256(database: TestDatabase, client_type: str = "signum-printer") -> bytes:
    ((stored,),) = database.fetch("SELECT api_key_sha256 FROM client WHERE client_type = %s", client_type)
    return bytes(stored)


async def test_it_is_the_time_of_the_request_and_never_an_earlier_one(
    way: Database, database: TestDatabase, printer_key: str
) -> None:
    key = key_sha256(database)
    for ago, stored in ((7200.0, 7200), (3600.0, 3600), (5400.0, 3600), (3599.0, 3600)):
        await write_seen(way, {key: ago, b"nobody's": 1.0})
        assert stored - 1 < (seconds_ago(database) or 0) < stored + LIMIT_SECONDS, "several processes write it"


async def test_row_that_is_locked_is_left_for_another_time(
    way: Database, database: TestDatabase, printer_key: str
) -> None:
    key = key_sha256(database)
    with database.connect() as connection, connection.transaction():
        connection.execute("SELECT FROM client FOR UPDATE")
        await write_seen(way, {key: 0.0})
        assert seconds_ago(database) is None
    await write_seen(way, {key: 0.0})
    assert seconds_ago(database) is not None
