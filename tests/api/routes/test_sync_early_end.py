"""A small batch of a second ETL does not end a full sync that has just begun."""

import logging

import pytest

from tests.fix_api import ApiClient
from tests.fix_batch import FIRST_ID, Send
from tests.fix_postgres import TestDatabase
from tests.fix_sync import rows


@pytest.fixture
def etl(etl_by_threes: ApiClient) -> ApiClient:
    return etl_by_threes


@pytest.fixture
def restarted(etl: ApiClient, send: Send, database: TestDatabase) -> None:
    """Items 1 to 8 are here, and another full sync has been handed out."""
    for numbers in ((1, 2, 3), (4, 5, 6), (7, 8)):
        etl.get("/sync")
        send(rows(*numbers))
    assert etl.get("/sync").json()["sync_mode"] == "SYNC_CHANGES"
    database.fetch("UPDATE sync_state SET full_sync_requested_at = now()")
    assert etl.get("/sync").json()["last_synced_id"] == 0


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


@pytest.mark.usefixtures("restarted")
def test_changes_of_another_etl_are_taken_in_and_warned_of_and_the_full_sync_goes_on(
    etl: ApiClient, send: Send, database: TestDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "signum.sync"):
        assert send(rows(8, classification="99.1"), timestamp="2026-11-20T12:30:00+02:00").json()["written"] == 1
    (warning,) = warnings(caplog)
    assert "with 1 items, fewer than half of the 8 here" in warning
    assert "(1 of 3 in a row)" in warning
    asked = etl.get("/sync").json()
    assert (asked["sync_mode"], asked["last_synced_id"]) == ("SYNC_FULL", 0)
    for numbers in ((1, 2, 3), (4, 5, 6), (7, 8)):
        send(rows(*numbers), timestamp="2026-11-20T12:40:00+02:00")
        asked = etl.get("/sync").json()
    assert asked["sync_mode"] == "SYNC_CHANGES"
    assert database.fetch("SELECT full_sync_items, early_ends FROM sync_state") == [(8, 0)]


@pytest.mark.usefixtures("restarted")
def test_third_in_a_row_completes_the_full_sync_and_says_so(
    etl: ApiClient, send: Send, caplog: pytest.LogCaptureFixture
) -> None:
    modes = []
    with caplog.at_level(logging.WARNING, "signum.sync"):
        for _ in range(3):
            send([])
            modes.append(etl.get("/sync").json()["sync_mode"])
    assert modes == ["SYNC_FULL", "SYNC_FULL", "SYNC_CHANGES"]
    assert "signum sync restart" in warnings(caplog)[2]


@pytest.mark.usefixtures("restarted")
def test_restart_begins_the_count_anew(etl: ApiClient, send: Send, database: TestDatabase) -> None:
    for _ in range(2):
        send([])
    database.fetch("UPDATE sync_state SET full_sync_requested_at = now()")
    etl.get("/sync")
    send([])
    assert etl.get("/sync").json()["sync_mode"] == "SYNC_FULL"


@pytest.mark.usefixtures("restarted")
def test_lower_bib_in_a_batch_that_ends_too_early_notes_nothing(send: Send, database: TestDatabase) -> None:
    database.fetch("UPDATE sierra_item SET bib_record_ids = ARRAY[5, bib_record_id]")
    send(rows(8, bib_record_id="5", classification="99.1"), timestamp="2026-11-20T12:30:00+02:00")
    stored = "SELECT classification, cardinality(bib_record_ids) FROM sierra_item WHERE item_record_id = %s"
    assert database.fetch(stored, FIRST_ID + 8) == [("84.2", 2)]
