"""The sync is behind by as much as changes and pages are: batches of deletions and of a pass tell nothing of them."""

from datetime import UTC, datetime

from db.monitoring import read_metrics
from tests.fix_api import ApiClient
from tests.fix_batch import FIRST_ID, TIMESTAMP, Send
from tests.fix_postgres import TestDatabase
from tests.fix_sync import rows

HOURS_BEHIND = "SELECT round(extract(epoch FROM behind) / 3600)::int FROM sync_overview"
GAP_CLOSES = "SELECT gap_closes, advice LIKE '%%restart%%' FROM sync_overview"
EDGES = {"all_from_id": FIRST_ID, "all_to_id": FIRST_ID + 9}


def test_only_a_look_for_changes_brings_changes_up_to_now(etl: ApiClient, send: Send, database: TestDatabase) -> None:
    assert database.fetch(HOURS_BEHIND) == [(None,)]
    etl.get("/sync")
    send(rows(1))
    assert database.fetch(HOURS_BEHIND) == [(0,)], "the full sync is complete; changes since its begin come next"
    database.fetch(
        "UPDATE sync_state SET full_sync_completed_at = now() - interval '2 hours',"
        " sync_changes_since = now() - interval '3 hours'"
    )
    position, now = etl.get("/sync").json()["timestamp"], datetime.now(UTC).isoformat()
    compared = send(rows(1), timestamp=now, changes_since=position, changes_until=position, fields=EDGES)
    assert compared.status_code == 200, compared.text
    assert database.fetch(HOURS_BEHIND) == [(2,)]
    looked = send([], timestamp=now, changes_since=position, changes_until=now)
    assert looked.status_code == 200, looked.text
    assert database.fetch(HOURS_BEHIND) == [(0,)]


def test_only_a_page_moves_a_full_sync_on(etl: ApiClient, send: Send, database: TestDatabase) -> None:
    database.fetch("UPDATE sync_state SET full_sync_requested_at = now(), full_sync_moved_at = '2020-01-01'")
    etl.get("/sync")
    assert database.fetch(HOURS_BEHIND) == [(0,)], "it has begun"
    database.fetch("UPDATE sync_state SET full_sync_moved_at = now() - interval '2 hours', offered_batch_size = 2")
    changes = send(rows(7), changes_since=TIMESTAMP, changes_until=TIMESTAMP)
    assert changes.status_code == 200, changes.text
    assert database.fetch(HOURS_BEHIND) == [(2,)]
    assert send(rows(1, 2)).status_code == 200
    assert database.fetch("SELECT sync_mode FROM sync_overview") == [("SYNC_FULL",)]
    assert database.fetch(HOURS_BEHIND) == [(0,)]


def test_gap_that_a_full_sync_is_closing_asks_for_no_other(etl: ApiClient, send: Send, database: TestDatabase) -> None:
    database.fetch(
        "UPDATE sync_state SET sync_mode = 'SYNC_CHANGES', gap_from = '2026-11-01', gap_until = '2026-11-02'"
    )
    assert (database.fetch(GAP_CLOSES), read_metrics(database.parameters).has_gap) == ([(False, True)], True)
    database.fetch("UPDATE sync_state SET full_sync_requested_at = now()")
    assert (database.fetch(GAP_CLOSES), read_metrics(database.parameters).has_gap) == ([(True, False)], False)
    etl.get("/sync")
    assert database.fetch(GAP_CLOSES) == [(True, False)]
    database.fetch("UPDATE sync_state SET offered_batch_size = 2")
    assert send(rows(1, 2)).status_code == 200
    assert database.fetch(GAP_CLOSES) == [(True, False)]
    database.fetch("UPDATE sync_state SET gap_until = now()")
    assert database.fetch(GAP_CLOSES) == [(False, True)], "it began before the gap's end, and brings not all of it"
