"""The ETL is asked for what is missing, and what it sends is stored."""

import gzip
import json
import logging
from typing import Any

import psycopg
import pytest

from db import sync
from tests.fix_api import ApiClient, StartApi, detail
from tests.fix_batch import FIRST_ID, TIMESTAMP, Row, Send, heading, row, tsv
from tests.fix_postgres import TestDatabase


def items(database: TestDatabase, columns: str = "item_record_id") -> list[tuple[Any, ...]]:
    return database.fetch(f"SELECT {columns} FROM sierra_item ORDER BY item_record_id")


def state(database: TestDatabase, *columns: str) -> tuple[Any, ...]:
    return database.fetch(f"SELECT {', '.join(columns)} FROM sync_state")[0]


def rows(*numbers: int, **cells: str) -> list[Row]:
    return [row(number, **cells) for number in numbers]


@pytest.fixture
def etl(start_api: StartApi, etl_key: str) -> ApiClient:
    """An API with full syncs by threes."""
    api = start_api(full_sync_batch_size=3)
    api.headers["x-api-key"] = etl_key
    return api


@pytest.fixture
def in_changes(etl: ApiClient, send: Send) -> None:
    """The full sync was complete at once, with items 1 and 2."""
    etl.get("/sync")
    assert send(rows(1, 2)).status_code == 200
    assert etl.get("/sync").json()["sync_mode"] == "SYNC_CHANGES"


@pytest.mark.parametrize("path", ["/sync", "/sync/"])
def test_first_request_asks_for_all_items(etl: ApiClient, path: str) -> None:
    assert etl.get(path).json() == {
        "sync_mode": "SYNC_FULL",
        "batch_size": 3,
        "last_synced_id": 0,
        "sync_status": "idle",
    }


@pytest.mark.parametrize("path", ["/sync", "/sync/"])
def test_batch_is_taken_in(etl: ApiClient, database: TestDatabase, path: str) -> None:
    packed = gzip.compress(tsv(rows(1, 2)))
    answer = etl.post(path, data={"timestamp": TIMESTAMP}, files={"file": ("data.tsv.gz", packed, "application/gzip")})
    assert (answer.status_code, answer.json()) == (
        200,
        {"upserted": 2, "written": 2, "unchanged": 0, "rejected": 0, "reasons": []},
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
    assert asked.keys() == {"sync_mode", "timestamp", "sync_status"}
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
    assert answer == {"upserted": 3, "written": 0, "unchanged": 3, "rejected": 0, "reasons": []}
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
        "sync_status": "idle",
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


def test_python_repr_and_json_give_the_same_shelfmark(etl: ApiClient, send: Send, database: TestDatabase) -> None:
    entry = {"marc_tag": "245", "marc_ind1": "1", "marc_ind2": "2", "tag": "a", "content": "A user's guide"}
    send([row(1, shelfmark_json=repr([entry])), row(2, shelfmark_json=json.dumps([entry]))])
    assert items(database, "shelfmark") == [("USE",), ("USE",)]


def test_headings_of_other_scripts_are_romanised(etl: ApiClient, send: Send, database: TestDatabase) -> None:
    send([row(1, shelfmark_json=heading("Чехов")), row(2, shelfmark_json=heading("村上春樹"))])
    assert items(database, "shelfmark") == [("CHE",), ("CUN",)]


def test_pandas_floats_are_whole_numbers(send: Send, database: TestDatabase) -> None:
    send(
        b"item_record_id\titem_number\tbarcode\tbib_record_id\tbib_number\tbest_author\tbest_title\titype_code_num\t"
        b"item_type_name\tmaterial_code\tmaterial_name\tclassification\tshelfmark_json\n"
        b"450971566081\t1000001.0\t33010000000001\t420907800001.0\t2000001.0\tWaltari, Mika\tSinuhe\t100.0\tKirja\ta\t"
        b"Kirja\t84.2\t[{'marc_tag': '100', 'marc_ind1': '1', 'marc_ind2': ' ', 'field_type_code': 'a', 'tag': 'a', "
        b"'content': 'Waltari, Mika,'}]\n"
        b"450971566082\t1000002.0\t33010000000002\t\t\t\t\t\tKirja\t\t\t\t\n"
    )
    assert items(database, "item_number, bib_record_id, bib_number, itype_code_num, classification, shelfmark") == [
        ("1000001", 420_907_800_001, "2000001", 100, "84.2", "WAL"),
        ("1000002", None, None, None, None, "***"),
    ]


def test_windows_line_ends_and_a_byte_order_mark_are_fine(send: Send, database: TestDatabase) -> None:
    assert send(b"\xef\xbb\xbf" + tsv(rows(1), lineterminator="\r\n")).json()["written"] == 1
    assert items(database, "shelfmark") == [("WAL",)]


BAD_ROWS = [
    row(1, item_record_id="x"),
    row(2, item_record_id=str(2**63)),
    row(3, best_title="Sinuhe\0"),
    row(4, best_author="\ud800"),
    row(5, itype_code_num=str(2**31)),
    row(6, item_number="i1000006"),
    row(7, bib_number="2000007.5"),
    row(8, barcode="3" * 300),
    row(9, bib_record_id="1e5"),
    row(10, item_record_id=""),
    row(11, bib_record_id="x"),
]


def test_bad_rows_are_kept_aside_and_the_others_taken_in(send: Send, database: TestDatabase) -> None:
    answer = send([row(20), *BAD_ROWS, row(21, shelfmark_json=repr([{"content": "\0"}])), row(22, item_number="")])
    assert answer.status_code == 200
    assert answer.json() | {"reasons": []} == {
        "upserted": 3,
        "written": 3,
        "unchanged": 0,
        "rejected": 11,
        "reasons": [],
    }
    assert len(answer.json()["reasons"]) == 10
    assert (
        answer.json()["reasons"][4]
        == f"line 7, item {FIRST_ID + 5}: itype_code_num '2147483648' is no whole number of 32 bits"
    )
    kept = dict(database.fetch("SELECT item_record_id, reason FROM rejected_row WHERE item_record_id IS NOT NULL"))
    assert kept.keys() == {FIRST_ID + number for number in (3, 4, 5, 6, 7, 8, 9, 11)}
    assert items(database, "shelfmark") == [("WAL",), ("***",), ("WAL",)]


def test_row_refused_again_is_counted_and_gone_once_its_item_is_stored(
    etl: ApiClient, send: Send, database: TestDatabase
) -> None:
    for _ in range(2):
        send([row(1, itype_code_num="x")])
    assert database.fetch("SELECT row_key, reason_code, times FROM rejected_row") == [
        (str(FIRST_ID + 1), "itype_code_num", 2)
    ]
    send(rows(1), timestamp="2026-11-20T12:30:00+02:00")
    assert database.fetch("SELECT * FROM rejected_row") == []


def test_refused_row_stays_when_an_older_batch_brings_its_item(send: Send, database: TestDatabase) -> None:
    send([row(1, itype_code_num="x")])
    send(rows(1), timestamp="2026-11-20T11:00:00+02:00")
    assert database.fetch("SELECT count(*) FROM rejected_row") == [(1,)]


def test_line_whose_id_can_not_be_read_is_kept_once(send: Send, database: TestDatabase) -> None:
    for _ in range(2):
        send([row(1, item_record_id="x"), row(2, item_record_id="x")])
    kept = database.fetch("SELECT length(row_key), item_record_id, reason_code, times FROM rejected_row")
    assert kept == [(64, None, "item_record_id", 2)] * 2


def test_one_item_in_every_row_costs_no_more_than_others(send: Send, database: TestDatabase) -> None:
    answer = send([row(1, bib_record_id=str(bib)) for bib in range(20_000)])
    assert answer.json()["upserted"] == 20_000
    assert items(database, "bib_record_id") == [(19_999,)]


def test_sync_leaves_the_queue_alone_and_rings_nobody(etl: ApiClient, send: Send, database: TestDatabase) -> None:
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
def test_batch_under_way_is_told_of_and_keeps_nobody_waiting(etl: ApiClient) -> None:
    assert etl.get("/sync", timeout=2).json() == {
        "sync_mode": "SYNC_FULL",
        "batch_size": 3,
        "last_synced_id": 0,
        "sync_status": "processing_sync_batch",
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
        sync.fill_batch(connection, [(1, *row(1, best_title="Changed").values(), None, None, None)])
        sync.fill_shelfmarks(connection, [])
        assert sync.merge_batch(connection, database.fetch("SELECT now()")[0][0]) == 1
        answer = etl.put(f"/itemdata/{FIRST_ID + 1}", headers={"x-api-key": printer_key}, timeout=2)
        assert answer.json() == {"updated": True}
        connection.rollback()


def test_upload_is_described(etl: ApiClient) -> None:
    described = etl.get("/openapi.json").json()["paths"]["/sync"]["post"]
    form = described["requestBody"]["content"]["multipart/form-data"]
    assert form["schema"] == {"$ref": "#/components/schemas/Batch"}
    batch = etl.get("/openapi.json").json()["components"]["schemas"]["Batch"]
    assert batch["required"] == ["timestamp", "file"]
    assert {"200", "400", "401", "403", "409", "413", "422", "503"} <= described["responses"].keys()
