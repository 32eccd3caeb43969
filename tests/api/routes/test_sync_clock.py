"""A batch that was stamped far ahead of the database's clock keeps no later one out."""

import logging
from datetime import UTC, datetime, timedelta

import pytest

from tests.fix_api import ApiClient
from tests.fix_batch import FIRST_ID, Send, row
from tests.fix_postgres import TestDatabase

AHEAD = "2037-01-01T00:00:00+00:00"


def now(minutes: float = 0) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()


def classification(database: TestDatabase) -> str:
    ((found,),) = database.fetch("SELECT classification FROM sierra_item")
    return str(found)


def test_item_of_a_batch_stamped_ahead_takes_the_next_batch(etl: ApiClient, send: Send, database: TestDatabase) -> None:
    etl.get("/sync")
    for timestamp, class_ in ((now(), "84.2"), (AHEAD, "84.3"), (now(), "84.31")):
        send([row(1, classification=class_)], timestamp=timestamp)
        etl.get("/sync")
    assert classification(database) == "84.31"
    assert database.fetch("SELECT gap_from, gap_until, sync_changes_since < now() FROM sync_state") == [
        (None, None, True)
    ]


def test_item_written_just_before_the_batch_ahead_is_healed_by_a_full_sync(
    etl: ApiClient, send: Send, database: TestDatabase
) -> None:
    etl.get("/sync")
    send([row(1, classification="84.31")], timestamp=now())
    assert send([row(1, classification="84.3")], timestamp=AHEAD).json()["written"] == 0
    database.fetch("UPDATE sync_state SET full_sync_requested_at = now()")
    etl.get("/sync")
    send([row(1, classification="84.32")], timestamp=now())
    assert classification(database) == "84.32"


def test_gap_of_a_batch_stamped_ahead_is_closed_by_the_next_full_sync(
    etl: ApiClient, send: Send, database: TestDatabase
) -> None:
    etl.get("/sync")
    send([row(1)], timestamp=now(-180))
    etl.get("/sync")
    send([], timestamp=AHEAD)
    ((gap_until,),) = database.fetch("SELECT gap_until FROM sync_overview")
    assert gap_until < datetime.now(UTC)
    database.fetch("UPDATE sync_state SET full_sync_requested_at = now()")
    etl.get("/sync")
    send([row(1)], timestamp=now())
    assert database.fetch("SELECT gap_from, gap_until FROM sync_overview") == [(None, None)]


def test_row_refused_in_a_batch_stamped_ahead_is_gone_once_its_item_is_stored(
    send: Send, database: TestDatabase
) -> None:
    send([row(1, itype_code_num="x")], timestamp=AHEAD)
    send([row(1)], timestamp=now())
    assert database.fetch("SELECT * FROM rejected_row") == []


def test_one_warning_names_both_times(send: Send, database: TestDatabase, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "signum.sync"):
        send([row(1)], timestamp=AHEAD)
    (warning,) = [record.getMessage() for record in caplog.records]
    ((stored_as_of,),) = database.fetch("SELECT updated_at FROM sierra_item")
    assert "2037-01-01 00:00:00+00:00" in warning
    assert str(stored_as_of) in warning
    assert timedelta(minutes=14) < datetime.now(UTC) - stored_as_of < timedelta(minutes=16)


def test_batch_a_little_ahead_is_taken_at_its_word(
    send: Send, database: TestDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    timestamp = now(14)
    with caplog.at_level(logging.WARNING, "signum.sync"):
        send([row(1)], timestamp=timestamp)
    assert database.fetch("SELECT item_record_id, updated_at FROM sierra_item") == [
        (FIRST_ID + 1, datetime.fromisoformat(timestamp))
    ]
    assert caplog.records == []
