"""The ETL is asked for what is missing, and what it sends is stored."""

import gzip
import logging

import pytest

from api.schemas import ACCEPTS
from tests.fix_api import ApiClient, detail
from tests.fix_batch import FIRST_ID, TIMESTAMP, Send, row, tsv
from tests.fix_postgres import TestDatabase
from tests.fix_sync import items, rows, state

NOTHING_ELSE = {"shown": 0, "deleted": 0, "deletions_held": 0}


@pytest.fixture
def etl(etl_by_threes: ApiClient) -> ApiClient:
    return etl_by_threes


@pytest.mark.parametrize("path", ["/sync", "/sync/"])
def test_first_request_asks_for_all_items(etl: ApiClient, path: str) -> None:
    assert etl.get(path).json() == {
        "sync_mode": "SYNC_FULL",
        "batch_size": 3,
        "last_synced_id": 0,
        "changes_since": None,
        "sync_status": "idle",
        "accepts": ACCEPTS,
        "deletions_since": None,
        "passed_at": None,
    }


@pytest.mark.parametrize("path", ["/sync", "/sync/"])
def test_batch_is_taken_in(etl: ApiClient, database: TestDatabase, path: str) -> None:
    packed = gzip.compress(tsv(rows(1, 2)))
    answer = etl.post(path, data={"timestamp": TIMESTAMP}, files={"file": ("data.tsv.gz", packed, "application/gzip")})
    assert (answer.status_code, answer.json()) == (
        200,
        {"upserted": 2, "written": 2, "unchanged": 0, "rejected": 0, "reasons": [], **NOTHING_ELSE},
    )
    assert items(database, "item_record_id, barcode, shelfmark") == [
        (FIRST_ID + 1, "33010000000001", "WAL"),
        (FIRST_ID + 2, "33010000000002", "WAL"),
    ]


def test_full_sync_goes_on_behind_the_highest_id_until_a_batch_is_short(
    etl: ApiClient, send: Send, database: TestDatabase
) -> None:
    assert etl.get("/sync").json()["last_synced_id"] == 0
    send(rows(1, 3, 2), timestamp="2026-11-20T12:00:00+02:00")
    assert etl.get("/sync").json()["last_synced_id"] == FIRST_ID + 3
    send(rows(4, 5, 6), timestamp="2026-11-20T12:05:00+02:00")
    assert etl.get("/sync").json()["last_synced_id"] == FIRST_ID + 6
    send(rows(7), timestamp="2026-11-20T12:10:00+02:00")
    asked = etl.get("/sync").json()
    assert asked.keys() == {"sync_mode", "timestamp", "sync_status", "accepts", "deletions_since", "passed_at"}
    assert asked["sync_mode"] == "SYNC_CHANGES"
    assert asked["timestamp"] in ("2026-11-20T10:00:00+00:00", "2026-11-20T12:00:00+02:00")
    assert len(items(database)) == 7
    (completed, ran) = state(database, "full_sync_completed_at", "last_sync_run_completed_at")
    assert completed is not None
    assert ran is not None


def test_item_of_several_bibs_counts_once_and_the_highest_bib_wins(
    etl: ApiClient, send: Send, database: TestDatabase
) -> None:
    etl.get("/sync")
    bibs = [row(1, bib_record_id=bib, best_title=bib) for bib in ("420000000002", "420000000010", "")]
    answer = send([*bibs, *rows(2)]).json()
    assert (answer["upserted"], answer["written"]) == (4, 2)
    assert items(database, "best_title")[0] == ("420000000010",)
    assert etl.get("/sync").json()["sync_mode"] == "SYNC_CHANGES"


def test_full_batch_with_one_refused_row_does_not_end_the_full_sync(
    etl: ApiClient, send: Send, database: TestDatabase
) -> None:
    etl.get("/sync")
    answer = send([*rows(1, 2), row(3, itype_code_num="x")]).json()
    assert (answer["upserted"], answer["rejected"]) == (2, 1)
    asked = etl.get("/sync").json()
    assert (asked["sync_mode"], asked["last_synced_id"]) == ("SYNC_FULL", FIRST_ID + 3)


def test_full_batch_without_a_readable_id_is_refused(etl: ApiClient, send: Send, database: TestDatabase) -> None:
    etl.get("/sync")
    answer = send([row(1, item_record_id=text) for text in "xyz"])
    assert answer.status_code == 400
    assert "item_record_id" in detail(answer)
    assert database.fetch("SELECT count(*) FROM rejected_row") == [(0,)]


def test_same_batch_twice_changes_nothing_the_second_time(etl: ApiClient, send: Send, database: TestDatabase) -> None:
    etl.get("/sync")
    send(rows(1, 2, 3))
    etl.get("/sync")
    before = items(database, "ctid, xmin, xmax, updated_at"), state(database, "sync_mode", "last_synced_id")
    answer = send(rows(1, 2, 3), timestamp="2026-11-20T13:00:00+02:00").json()
    assert answer == {"upserted": 3, "written": 0, "unchanged": 3, "rejected": 0, "reasons": [], **NOTHING_ELSE}
    assert before == (items(database, "ctid, xmin, xmax, updated_at"), state(database, "sync_mode", "last_synced_id"))


@pytest.mark.usefixtures("in_changes")
def test_batch_that_answers_a_get_before_the_restart_is_taken_in_as_changes(
    etl: ApiClient, send: Send, database: TestDatabase
) -> None:
    database.fetch("UPDATE sync_state SET full_sync_requested_at = now()")
    assert send(rows(9), timestamp="2026-11-20T12:30:00+02:00").status_code == 200
    assert etl.get("/sync").json() == {
        "sync_mode": "SYNC_FULL",
        "batch_size": 3,
        "last_synced_id": 0,
        "changes_since": None,
        "sync_status": "idle",
        "accepts": ACCEPTS,
        "deletions_since": None,
        "passed_at": None,
    }
    assert state(database, "full_sync_requested_at") == (None,)
    send(rows(1, 2, 3), timestamp="2026-11-20T12:40:00+02:00")
    assert etl.get("/sync").json()["last_synced_id"] == FIRST_ID + 3


@pytest.mark.usefixtures("in_changes")
def test_unchanged_row_is_not_rewritten_and_a_changed_one_is(send: Send, database: TestDatabase) -> None:
    before = items(database, "ctid, xmin, xmax")
    answer = send([*rows(1), row(2, classification="")], timestamp="2026-11-20T12:30:00+02:00").json()
    assert (answer["written"], answer["unchanged"]) == (1, 1)
    after = items(database, "ctid, xmin, xmax")
    assert after[0] == before[0]
    assert after[1] != before[1]
    assert items(database, "classification")[1] == (None,)


@pytest.mark.usefixtures("in_changes")
def test_older_batch_overwrites_nothing_and_one_of_the_same_time_does(send: Send, database: TestDatabase) -> None:
    older = send([row(1, best_title="Older"), row(3)], timestamp="2026-11-20T11:59:59+02:00").json()
    assert (older["upserted"], older["written"]) == (2, 1)
    assert items(database, "best_title")[0] == ("Sinuhe 1",)
    send([row(1, best_title="Same time")])
    assert items(database, "best_title")[0] == ("Same time",)


@pytest.mark.usefixtures("in_changes")
@pytest.mark.parametrize("timestamp", ["2026-11-20T13:00:00+02:00", "2026-11-20T09:00:00+00:00"])
def test_empty_batch_of_changes_moves_the_timestamp(etl: ApiClient, send: Send, timestamp: str) -> None:
    assert send([], timestamp=timestamp).json()["upserted"] == 0
    moved = etl.get("/sync").json()["timestamp"]
    assert moved in ("2026-11-20T11:00:00+00:00", "2026-11-20T09:00:00+00:00")


@pytest.mark.usefixtures("in_changes")
def test_long_pause_is_warned_of_and_shown_until_a_later_full_sync_is_complete(
    etl: ApiClient, send: Send, database: TestDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "signum.sync"):
        send([], timestamp="2026-11-20T13:00:01+02:00")
    (warning,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert "2026-11-20 10:00:00+00:00" in warning
    assert "2026-11-20 11:00:01+00:00" in warning
    assert "signum sync restart" in warning
    assert "restart" in database.fetch("SELECT advice FROM sync_overview")[0][0]
    database.fetch("UPDATE sync_state SET full_sync_requested_at = now()")
    etl.get("/sync")
    send(rows(1), timestamp="2026-11-20T14:00:00+02:00")
    assert database.fetch("SELECT gap_from, gap_until FROM sync_overview") == [(None, None)]


def test_sync_leaves_the_queue_alone_and_notifies_no_notifier(
    etl: ApiClient, send: Send, database: TestDatabase
) -> None:
    database.add_item(1, item_record_id=FIRST_ID + 1)
    database.fetch("INSERT INTO update_queue (item_record_id) VALUES (%s)", FIRST_ID + 1)
    before = database.fetch("SELECT * FROM update_queue")
    with database.connect() as connection:
        connection.execute("LISTEN update_queue")
        assert (
            send([row(1, classification="99.9"), *rows(2)], timestamp="2026-11-20T12:30:00+02:00").json()["written"]
            == 2
        )
        database.fetch("NOTIFY update_queue, 'nothing before this'")
        (heard,) = connection.notifies(timeout=5, stop_after=1)
    assert heard.payload == "nothing before this"
    assert database.fetch("SELECT * FROM update_queue") == before


def test_upload_is_described(etl: ApiClient) -> None:
    described = etl.get("/openapi.json").json()["paths"]["/sync"]["post"]
    form = described["requestBody"]["content"]["multipart/form-data"]
    assert form["schema"] == {"$ref": "#/components/schemas/Batch"}
    batch = etl.get("/openapi.json").json()["components"]["schemas"]["Batch"]
    assert batch["required"] == ["timestamp", "file"]
    assert {"200", "400", "401", "403", "409", "413", "422", "503"} <= described["responses"].keys()
