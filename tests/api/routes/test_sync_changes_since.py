"""An ETL that says since when and until when its batch holds all changes: no gap, parts, and none ends a full sync."""

import logging

import pytest

from tests.fix_api import ApiClient, detail
from tests.fix_batch import FIRST_ID, Send, row
from tests.fix_postgres import TestDatabase
from tests.fix_sync import items, rows, state

NOON = "2026-11-20T12:00:00+02:00"
LATER = "2026-11-20T12:30:00+02:00"
DAYS_LATER = "2026-11-24T12:00:00+02:00"


@pytest.fixture
def etl(etl_by_threes: ApiClient) -> ApiClient:
    return etl_by_threes


def position(etl: ApiClient) -> str:
    handed_out: str = etl.get("/sync").json()["timestamp"]
    return handed_out


def test_what_is_understood_is_named_in_both_modes(etl: ApiClient, send: Send) -> None:
    for mode in ("SYNC_FULL", "SYNC_CHANGES"):
        answer = etl.get("/sync").json()
        assert answer["sync_mode"] == mode
        assert "changes_since" in answer["accepts"]
        send(rows(1))


@pytest.mark.usefixtures("in_changes")
def test_ten_days_away_leave_no_gap_if_the_etl_looked_back_so_far(
    send: Send, database: TestDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "signum.sync"):
        send(rows(3), timestamp=DAYS_LATER, changes_since="2026-11-20T11:58:00+02:00")
    assert caplog.records == []
    assert state(database, "gap_from", "gap_until") == (None, None)


@pytest.mark.usefixtures("in_changes")
def test_changes_since_after_what_was_handed_out_are_a_gap_that_is_warned_of(
    send: Send, database: TestDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "signum.sync"):
        send(rows(3), timestamp=LATER, changes_since="2026-11-20T12:00:01+02:00")
    (warning,) = [record.getMessage() for record in caplog.records]
    assert "between 2026-11-20 10:00:00+00:00 and 2026-11-20 10:00:01+00:00" in warning
    assert "signum sync restart" in warning
    assert state(database, "gap_until > gap_from") == (True,)


@pytest.mark.usefixtures("in_changes")
def test_position_moves_with_the_last_part_only(etl: ApiClient, send: Send, database: TestDatabase) -> None:
    handed_out = position(etl)
    for number in (3, 4):
        send(rows(number), timestamp=LATER, changes_since=NOON, changes_until=handed_out)
        assert position(etl) == handed_out
    send(rows(5), timestamp=LATER, changes_since=NOON, changes_until="2026-11-20T12:20:00+02:00")
    assert position(etl) in ("2026-11-20T10:20:00+00:00", "2026-11-20T12:20:00+02:00")
    assert len(items(database)) == 5


def test_changes_between_pages_do_not_end_the_sync(
    etl: ApiClient, send: Send, database: TestDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    assert etl.get("/sync").json()["changes_since"] is None
    send(rows(1, 2, 3))
    before = etl.get("/sync").json()
    assert before["changes_since"] in (NOON, "2026-11-20T10:00:00+00:00")
    with caplog.at_level(logging.WARNING, "signum.sync"):
        send([row(2, best_title="Edited"), *rows(9)], timestamp=LATER, changes_since=NOON)
        send([], timestamp=LATER, changes_since=NOON)
    assert caplog.records == []
    assert etl.get("/sync").json() == before
    assert [title for (title,) in items(database, "best_title")] == ["Sinuhe 1", "Edited", "Sinuhe 3", "Sinuhe 9"]
    send(rows(4, 5, 6), timestamp=LATER)
    assert etl.get("/sync").json()["last_synced_id"] == FIRST_ID + 6


def test_changes_are_no_first_page_either(etl: ApiClient, send: Send, database: TestDatabase) -> None:
    before = etl.get("/sync").json()
    send([], timestamp=LATER, changes_since=NOON)
    send(rows(1, 2, 3), timestamp=LATER, changes_since=NOON)
    assert etl.get("/sync").json() == before
    assert state(database, "sync_changes_since", "full_sync_items") == (None, 0)


@pytest.mark.parametrize(
    ("since", "until", "named"),
    [
        (NOON, "2026-11-20T12:30:01+02:00", "changes_until"),
        (None, "2026-11-20T12:30:01+02:00", "changes_until"),
        (NOON, "2026-11-20T11:59:59+02:00", "changes_until"),
        ("2026-11-20T12:30:01+02:00", None, "timestamp"),
        (NOON, "", "changes_until"),
        (NOON, "2026-11-20T12:00:00", "changes_until"),
    ],
)
def test_times_in_an_impossible_order_are_refused_and_nothing_is_stored(
    send: Send, database: TestDatabase, since: str | None, until: str | None, named: str
) -> None:
    answer = send(rows(1), timestamp=LATER, changes_since=since, changes_until=until)
    assert answer.status_code == 422
    assert detail(answer)[0]["loc"] == ["body", named]
    assert items(database) == []
