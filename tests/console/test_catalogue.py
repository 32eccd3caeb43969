"""The page of the catalogue: what the ETL brought and could not; an admin asks for a full sync and allows deletions."""

import re

import pytest

from console.pages.catalogue import ADVICE
from tests.fix_console import ConsoleClient
from tests.fix_postgres import TestDatabase

ACTS = "SELECT action, number, result FROM act ORDER BY act_id"


def shown(page: str) -> dict[str, str]:
    """The hidden field that says which deletions the page shows."""
    return dict(re.findall(r'name="(ids_sum)" value="(\d+)"', page))


@pytest.fixture
def refused(database: TestDatabase) -> None:
    """Rows of two reasons that could not be taken in."""
    database.fetch(
        "INSERT INTO rejected_row (row_key, reason_code, item_record_id, batch_timestamp, line, reason) VALUES"
        " ('1', 'field_count', NULL, now(), '<script>x</script>', 'has 1 fields, the header has 13'),"
        " ('2', 'barcode', 4711, now(), 'a line', 'barcode is longer than 255 characters')"
    )


def test_mode_advice_and_position_are_told(viewer: ConsoleClient, database: TestDatabase) -> None:
    page = viewer.page("/catalogue")
    assert ("a full sync is under way" in page, "All items, page by page" in page) == (True, True)
    database.fetch("UPDATE sync_state SET sync_mode = 'SYNC_CHANGES', gap_from = now(), gap_until = now()")
    page = viewer.page("/catalogue")
    assert ("Changes are missing" in page, "What changed" in page) == (True, True)


def test_each_advice_of_the_view_is_translated(database: TestDatabase) -> None:
    ((view,),) = database.fetch("SELECT pg_get_viewdef('sync_overview')")
    assert set(re.findall("(?:THEN|ELSE) '(.+?)'::text", view)) == set(ADVICE)


@pytest.mark.usefixtures("refused")
def test_refused_rows_are_told_by_reason_with_their_text(viewer: ConsoleClient) -> None:
    page = viewer.page("/catalogue")
    assert ("has 1 fields" in page, "barcode is longer" in page, "a line" in page) == (True, True, False)
    assert "a line" in viewer.page("/catalogue?reason=barcode")
    assert "<script>x" not in viewer.get("/catalogue?reason=field_count").text
    assert "None." in viewer.page("/catalogue?reason=weather")


def test_what_sierra_does_not_show_is_looked_for_when_asked(viewer: ConsoleClient, database: TestDatabase) -> None:
    database.add_item(1001, item_record_id=1, item_call_number="84.2", location_code="hki")
    database.fetch("UPDATE sync_state SET all_changes_until = now()")
    database.fetch(
        "INSERT INTO update_log (item_record_id, item_number, queued_at, queued_by, finished_at, finished_by, outcome,"
        " attempts, call_number_before, call_number_after)"
        " VALUES (1, '1001', now(), 'x', now() - interval '2 hours', 'n', 'pushed', 1, '84.2', '84.31')"
    )
    assert "84.31" not in viewer.page("/catalogue")
    page = viewer.page("/catalogue?not-shown=1")
    assert ("84.31" in page, "not shown" in page) == (True, True)


def test_full_sync_is_asked_for(admin: ConsoleClient, database: TestDatabase) -> None:
    assert "A full sync begins when the ETL comes next" in admin.act("/catalogue", act="restart")
    assert database.fetch("SELECT full_sync_requested_at IS NOT NULL FROM sync_state") == [(True,)]
    assert database.fetch(ACTS) == [("sync restart", 1, "A full sync begins when the ETL comes next")]


def test_held_deletions_are_shown_and_allowed(admin: ConsoleClient, database: TestDatabase) -> None:
    assert 'value="allow"' not in admin.page("/catalogue")
    for number in (1001, 1002):
        database.add_item(number, deletion_held_on="2026-11-20")
    page = admin.page("/catalogue")
    assert "Allow the deletion of 2 items" in page
    assert "Items deleted: 2" in admin.act("/catalogue", act="allow", **shown(page))
    assert database.fetch("SELECT count(*) FROM sierra_item WHERE deleted_on IS NOT NULL") == [(2,)]
    assert "Nothing was deleted" in admin.act("/catalogue", act="allow", **shown(page))
    assert [row[:2] for row in database.fetch(ACTS)] == [("sync allow-deletions", 2), ("sync allow-deletions", 0)]


def test_no_deletion_is_allowed_if_other_items_are_held_than_were_shown(
    admin: ConsoleClient, database: TestDatabase
) -> None:
    first, _ = (database.add_item(number, deletion_held_on="2026-11-20") for number in (1001, 1002))
    page = admin.page("/catalogue")
    database.add_item(1003, deletion_held_on="2026-11-20")
    assert "other items are held now than you were shown, 3 in all" in admin.act(
        "/catalogue", act="allow", **shown(page)
    )
    database.fetch("UPDATE sierra_item SET deletion_held_on = NULL WHERE item_record_id = %s", first)
    assert "than you were shown, 2 in all" in admin.act("/catalogue", act="allow", **shown(page)), "as many, but others"
    assert database.fetch("SELECT count(*) FROM sierra_item WHERE deleted_on IS NOT NULL") == [(0,)]


def test_who_only_looks_gets_no_button(operator: ConsoleClient, database: TestDatabase) -> None:
    database.add_item(1001, deletion_held_on="2026-11-20")
    page = operator.page("/catalogue")
    assert ("One of them" in page, 'name="act"' in page) == (True, False)
