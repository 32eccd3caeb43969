"""While a batch is taken in, print stations and the ETL are answered at once, and a second batch is refused."""

from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from api.ingest.rows import Item
from api.ingest.store import columns_of, store_batch
from api.routes import sync as sync_routes
from api.schemas import ACCEPTS
from db import sync
from runtime.settings import ApiSettings
from tests.fix_api import ApiClient, detail
from tests.fix_batch import FIRST_ID, Send, row
from tests.fix_postgres import TestDatabase
from tests.fix_sync import items, rows, state


@pytest.fixture
def etl(etl_by_threes: ApiClient) -> ApiClient:
    return etl_by_threes


@pytest.fixture
def batch_under_way(database: TestDatabase) -> Any:
    """A batch that has done all but commit: item 1 is changed, the position saved."""
    database.add_item(1, item_record_id=FIRST_ID + 1, barcode="33010000000001")
    with psycopg.connect(**database.parameters) as connection:
        assert sync.take_lock(connection)
        connection.execute("UPDATE sierra_item SET best_title = 'being changed'")
        connection.execute("UPDATE sync_state SET last_synced_id = 9")
        yield connection
        connection.rollback()


@pytest.mark.usefixtures("batch_under_way")
def test_batch_under_way_is_told_of_and_keeps_no_request_waiting(etl: ApiClient) -> None:
    assert etl.get("/sync", timeout=2).json() == {
        "sync_mode": "SYNC_FULL",
        "batch_size": 3,
        "last_synced_id": 0,
        "changes_since": None,
        "sync_status": "processing_sync_batch",
        "accepts": ACCEPTS,
        "deletions_since": None,
        "passed_at": None,
    }


@pytest.mark.usefixtures("batch_under_way")
def test_get_during_a_batch_hands_out_nothing(etl: ApiClient, database: TestDatabase) -> None:
    etl.get("/sync")
    assert state(database, "offered_mode") == (None,)


def test_restart_is_not_used_up_by_a_get_during_a_batch(etl: ApiClient, database: TestDatabase) -> None:
    database.fetch("UPDATE sync_state SET full_sync_requested_at = now(), sync_mode = 'SYNC_CHANGES'")
    with psycopg.connect(**database.parameters) as connection:
        assert sync.take_lock(connection)
        assert etl.get("/sync").json()["sync_status"] == "processing_sync_batch"
    assert etl.get("/sync").json()["sync_mode"] == "SYNC_FULL"


@pytest.mark.usefixtures("batch_under_way")
def test_second_batch_at_the_same_time_is_refused(send: Send, database: TestDatabase) -> None:
    answer = send(rows(2))
    assert (answer.status_code, detail(answer)) == (409, "another batch is being taken in")
    assert len(items(database)) == 1


@pytest.mark.usefixtures("batch_under_way")
def test_mark_does_not_wait_for_a_batch(etl: ApiClient, database: TestDatabase, printer_key: str) -> None:
    answer = etl.put(f"/itemdata/{FIRST_ID + 1}", headers={"x-api-key": printer_key}, timeout=2)
    assert answer.json() == {"updated": True}


@pytest.mark.usefixtures("in_changes")
def test_merge_takes_no_lock_that_a_mark_waits_for(etl: ApiClient, database: TestDatabase, printer_key: str) -> None:
    with psycopg.connect(**database.parameters) as connection:
        cells: list[Any] = [*row(1, best_title="Changed").values()]
        sync.fill_batch(connection, [columns_of(1, Item(*cells))])
        assert store_batch(connection, database.fetch("SELECT now()")[0][0]) == 1
        answer = etl.put(f"/itemdata/{FIRST_ID + 1}", headers={"x-api-key": printer_key}, timeout=2)
        assert answer.json() == {"updated": True}
        connection.rollback()


def test_postgres_notices_that_the_machine_of_a_batch_is_gone(database: TestDatabase) -> None:
    if database.parameters["host"].startswith("/"):
        pytest.skip("nothing is between us on a Unix socket")
    job = sync_routes._job(ApiSettings(**database.settings()))
    names = ("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count")
    with psycopg.connect(make_conninfo("", **job["connection"])) as connection:
        shown = [connection.execute(f"SHOW {name}".encode()).fetchall() for name in names]
        looks, pause, times = (int(value) for ((value,),) in shown)
    assert 0 < looks + pause * times <= 20
