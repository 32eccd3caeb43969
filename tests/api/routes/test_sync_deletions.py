"""Items that Sierra deleted are found no more, living rows revive them, and too many deletions at once are held."""

import logging
from collections.abc import Callable, Iterable
from typing import Any

import httpx
import pytest

from api.ingest.rows import COLUMNS, DELETED_ON
from tests.fix_api import ApiClient, detail
from tests.fix_batch import FIRST_ID, TIMESTAMP, Row, Send, row, tsv
from tests.fix_postgres import TestDatabase
from tests.fix_signum import Signum
from tests.fix_sync import items, rows, state

LATER = "2026-11-20T12:30:00+02:00"
LATEST = "2026-11-20T12:45:00+02:00"
DAY = "2026-11-20"
BARCODE = row(1)["barcode"]
MANY = 101

Desk = Callable[[str, int | str], httpx.Response]


@pytest.fixture
def desk(etl: ApiClient, printer_key: str) -> Desk:
    """A print station that asks for an item, or marks it."""
    return lambda method, which: etl.request(method, f"/itemdata/{which}", headers={"x-api-key": printer_key})


def deletions(numbers: Iterable[int], living: Iterable[Row] = (), day: str = DAY) -> bytes:
    """A file with deletions behind living rows."""
    gone: list[Row] = [
        {**dict.fromkeys(COLUMNS, ""), "item_record_id": str(FIRST_ID + number), DELETED_ON: day} for number in numbers
    ]
    return tsv([*({**one, DELETED_ON: ""} for one in living), *gone], [*COLUMNS, DELETED_ON])


def counts(send: Send, content: bytes, timestamp: str = LATER) -> tuple[int, int]:
    answer = send(content, timestamp=timestamp, changes_since="2026-11-20T11:00:00+02:00").json()
    return answer["deleted"], answer["deletions_held"]


def deleted(database: TestDatabase) -> list[tuple[Any, ...]]:
    found = "item_record_id - %s, deleted_on::text, deletion_held_on::text"
    where = "deleted_on IS NOT NULL OR deletion_held_on IS NOT NULL"
    return database.fetch(f"SELECT {found} FROM sierra_item WHERE {where} ORDER BY 1", FIRST_ID)


@pytest.mark.usefixtures("in_changes")
def test_deleted_item_is_not_found_and_not_marked(send: Send, desk: Desk, database: TestDatabase) -> None:
    assert desk("GET", BARCODE).status_code == 200
    assert counts(send, deletions([1, 99])) == (1, 0)
    assert deleted(database) == [(1, DAY, None)]
    assert desk("GET", BARCODE).status_code == 404
    assert desk("PUT", FIRST_ID + 1).status_code == 404
    assert desk("PUT", FIRST_ID + 2).status_code == 200
    assert database.fetch("SELECT item_record_id FROM update_queue") == [(FIRST_ID + 2,)]


@pytest.mark.usefixtures("in_changes")
def test_barcode_given_to_a_new_item_is_found_once(send: Send, desk: Desk, database: TestDatabase) -> None:
    send([row(7, barcode=BARCODE)], timestamp=LATER)
    assert desk("GET", BARCODE).status_code == 409
    assert database.fetch("SELECT count(*) FROM shared_barcode") == [(1,)]
    send(deletions([1]), timestamp=LATER)
    assert desk("GET", BARCODE).json()["item_record_id"] == FIRST_ID + 7
    assert database.fetch("SELECT count(*) FROM shared_barcode") == [(0,)]


@pytest.mark.usefixtures("in_changes")
def test_told_twice_it_changes_nothing(send: Send, database: TestDatabase) -> None:
    assert counts(send, deletions([1])) == (1, 0)
    before = items(database, "ctid, xmin")
    assert counts(send, deletions([1], day="2026-11-21"), LATEST) == (0, 0)
    assert items(database, "ctid, xmin") == before


@pytest.mark.usefixtures("in_changes")
def test_living_row_revives_also_if_nothing_else_changed(send: Send, desk: Desk, database: TestDatabase) -> None:
    send(deletions([1, 2]), timestamp=LATER)
    answer = send([row(1), row(2, best_title="Edited")], timestamp=LATEST).json()
    assert (answer["written"], deleted(database)) == (2, [])
    assert desk("GET", BARCODE).status_code == 200


@pytest.mark.usefixtures("in_changes")
def test_newer_reading_wins_over_an_older_batch_either_way(send: Send, database: TestDatabase) -> None:
    assert counts(send, deletions([1]), "2026-11-20T11:59:00+02:00") == (0, 0)
    send(deletions([1]), timestamp=LATEST)
    send([row(1)], timestamp=LATER)
    assert deleted(database) == [(1, DAY, None)]


@pytest.mark.usefixtures("in_changes")
def test_of_a_living_and_a_deleted_row_the_living_one_wins_also_if_it_is_refused(
    send: Send, database: TestDatabase
) -> None:
    living = [row(1, bib_record_id="", best_title="Edited"), row(2, itype_code_num="x")]
    assert counts(send, deletions([1, 2], living)) == (0, 0)
    assert deleted(database) == []
    assert items(database, "best_title")[0] == ("Edited",)


@pytest.mark.usefixtures("in_changes")
def test_only_the_key_of_a_deletion_counts_and_its_date_must_be_one(send: Send, database: TestDatabase) -> None:
    odd = {**row(1, itype_code_num="x", barcode="\0"), DELETED_ON: DAY}
    undated = {**row(2), DELETED_ON: "yesterday"}
    answer = send(tsv([odd, undated], [*COLUMNS, DELETED_ON]), timestamp=LATER).json()
    assert (answer["deleted"], answer["rejected"]) == (1, 1)
    assert "deleted_on 'yesterday'" in answer["reasons"][0]
    assert items(database, "barcode")[0] == (BARCODE,)


@pytest.mark.usefixtures("in_changes")
def test_queue_is_left_to_the_notifier(send: Send, database: TestDatabase) -> None:
    database.fetch("INSERT INTO update_queue (item_record_id) VALUES (%s)", FIRST_ID + 1)
    before = database.fetch("SELECT * FROM update_queue")
    send(deletions([1]), timestamp=LATER)
    assert database.fetch("SELECT * FROM update_queue") == before


@pytest.fixture
def many(etl: ApiClient, send: Send) -> None:
    """A catalogue of 150 items."""
    etl.get("/sync")
    send(rows(*range(150)))
    etl.get("/sync")


@pytest.mark.usefixtures("many")
def test_too_many_deletions_are_held_kept_and_the_other_rows_go_in(
    send: Send, desk: Desk, database: TestDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "signum.sync"):
        assert counts(send, deletions(range(MANY), [row(149, best_title="Edited")])) == (0, MANY)
    (warning,) = [record.getMessage() for record in caplog.records]
    assert f"{MANY} deletions are held" in warning
    assert "signum sync allow-deletions" in warning
    assert database.fetch("SELECT deletions_held FROM sync_overview") == [(MANY,)]
    assert "allow-deletions" in database.fetch("SELECT advice FROM sync_overview")[0][0]
    assert desk("GET", BARCODE).status_code == 200
    assert items(database, "best_title")[149] == ("Edited",)
    assert counts(send, deletions(range(MANY)), LATEST) == (0, 0), "told again they are held still"


@pytest.mark.usefixtures("many")
def test_deletions_of_24_hours_count_together(send: Send) -> None:
    assert counts(send, deletions(range(60))) == (60, 0)
    assert counts(send, deletions(range(60, 120)), LATEST) == (0, 60)
    assert counts(send, deletions(range(120, 140)), LATEST) == (20, 0)
    assert counts(send, deletions(range(140, 150)), "2026-11-21T12:31:00+02:00") == (10, 0)


@pytest.mark.usefixtures("many")
def test_a_hundred_and_a_hundredth_of_all_are_never_held(send: Send, database: TestDatabase) -> None:
    assert counts(send, deletions(range(100))) == (100, 0)
    database.fetch(
        "INSERT INTO sierra_item (item_record_id, updated_at) SELECT n, now() FROM generate_series(1, 12000) AS n"
    )
    assert counts(send, deletions(range(100, 118)), LATEST) == (18, 0)
    assert counts(send, deletions(range(118, 150)), LATEST) == (0, 32)


@pytest.mark.usefixtures("many")
def test_held_ones_are_deleted_when_allowed_and_then_count_no_more(
    send: Send, signum: Signum, database: TestDatabase
) -> None:
    send(deletions(range(MANY)), timestamp=LATER)
    send(rows(0), timestamp=LATEST)
    assert signum("sync", "allow-deletions", "--yes").out == f"{MANY - 1} items were deleted\n"
    assert deleted(database) == [(number, DAY, DAY) for number in range(1, MANY)]
    assert database.fetch("SELECT deletions_held FROM sync_overview") == [(0,)]
    assert signum("sync", "allow-deletions", "--json").json == {"deleted": 0}
    assert counts(send, deletions([0]), LATEST) == (1, 0)


@pytest.mark.usefixtures("in_changes")
def test_deletions_until_is_handed_out_again(etl: ApiClient, send: Send, database: TestDatabase) -> None:
    assert etl.get("/sync").json()["deletions_since"] is None
    send([], timestamp=LATER, changes_since=TIMESTAMP, deletions_until=DAY)
    assert etl.get("/sync").json()["deletions_since"] == DAY
    send([], timestamp=LATEST)
    assert etl.get("/sync").json()["deletions_since"] == DAY
    database.fetch("UPDATE sync_state SET full_sync_requested_at = now()")
    asked = etl.get("/sync").json()
    assert (asked["sync_mode"], asked["deletions_since"]) == ("SYNC_FULL", DAY)
    assert "deleted_on" in asked["accepts"]


@pytest.mark.parametrize("text", ["", "yesterday", "2026-11-22", "2026-11-20T12:00:00+02:00"])
def test_deletions_until_that_is_no_day_or_too_late_is_refused(send: Send, database: TestDatabase, text: str) -> None:
    answer = send(rows(1), timestamp=LATER, deletions_until=text)
    assert answer.status_code == 422
    assert detail(answer)[0]["loc"] == ["body", "deletions_until"]
    assert state(database, "deletions_since") == (None,)


@pytest.mark.usefixtures("in_changes")
def test_full_sync_with_most_items_deleted_is_no_early_end(etl: ApiClient, send: Send, database: TestDatabase) -> None:
    send(rows(*range(3, 9)), timestamp=LATER)
    send(deletions(range(3, 9)), timestamp=LATER)
    database.fetch("UPDATE sync_state SET full_sync_requested_at = now()")
    etl.get("/sync")
    send(rows(1, 2), timestamp=LATEST)
    assert etl.get("/sync").json()["sync_mode"] == "SYNC_CHANGES"
