"""The view not_shown: pushes that SierraDNA does not show, told apart from what was changed in Sierra since."""

from typing import Any

import pytest

from tests.db.test_plans import plan_of
from tests.fix_postgres import TestDatabase
from tests.fix_signum import Signum

PUSH = """
INSERT INTO update_log (
    item_record_id, item_number, queued_at, queued_by, finished_at, finished_by, outcome, attempts,
    call_number_before, call_number_after, shown_at, revert_of
) VALUES (
    %(item)s, '1001', now() - interval '3 days', 'desk', now() - %(hours)s * interval '1 hour', 'n', %(outcome)s, 1,
    '84.2 JÄN', %(after)s, %(shown_at)s, %(revert_of)s
)
"""
USUAL = {"item": 1, "hours": 5, "outcome": "pushed", "after": "84.31 JÄN", "shown_at": None, "revert_of": None}
SEEN = "SELECT state, call_number_pushed, call_number_shown FROM not_shown"


def push(database: TestDatabase, **others: Any) -> None:
    """A row of history: five hours ago the item was pushed with `84.31 JÄN` in the place of `84.2 JÄN`."""
    with database.connect() as connection:
        connection.execute(PUSH, {**USUAL, **others})


@pytest.fixture
def item(database: TestDatabase) -> int:
    """An item that SierraDNA showed an hour ago, with the call number from before the push."""
    database.fetch("UPDATE sync_state SET all_changes_until = now() - interval '1 hour'")
    database.add_item(1001, item_record_id=1, classification="84.31", item_call_number="84.2 JÄN", location_code="hki")
    return 1


@pytest.mark.usefixtures("item")
def test_push_that_sierra_did_not_keep_is_not_shown(database: TestDatabase) -> None:
    push(database)
    assert database.fetch(SEEN) == [("not shown", "84.31 JÄN", "84.2 JÄN")]


@pytest.mark.usefixtures("item")
@pytest.mark.parametrize(
    "others",
    [
        {"shown_at": "2026-11-01 12:00+00"},
        {"after": "84.2 JÄN"},
        {"outcome": "unchanged"},
        {"hours": 1.9},
        {"after": None},
    ],
    ids=["shown once", "the same text", "no push", "too new", "no call number written"],
)
def test_other_pushes_are_not_there(database: TestDatabase, others: dict[str, Any]) -> None:
    push(database, **others)
    assert database.fetch(SEEN) == []


@pytest.mark.usefixtures("item")
@pytest.mark.parametrize(
    "because",
    [
        "UPDATE sync_state SET all_changes_until = NULL",
        "UPDATE sync_state SET gap_from = now(), gap_until = now()",
        "UPDATE sierra_item SET item_call_number = NULL, location_code = NULL",
        "INSERT INTO update_queue (item_record_id) VALUES (1)",
    ],
    ids=["another etl", "changes are missing", "never read", "queued again"],
)
def test_nothing_is_judged_that_is_not_known(database: TestDatabase, because: str) -> None:
    push(database)
    database.fetch(because)
    assert database.fetch(SEEN) == []


@pytest.mark.usefixtures("item")
@pytest.mark.parametrize("outcome", ["pushed", "unchanged", "rejected", "dismissed"])
def test_newest_row_of_history_of_an_item_counts(database: TestDatabase, outcome: str) -> None:
    push(database)
    push(database, outcome=outcome, after="84.2 JÄN")
    assert database.fetch(SEEN) == []


@pytest.mark.usefixtures("item")
@pytest.mark.parametrize(
    ("change", "state"),
    [
        ("classification = '85'", "changed in Sierra since"),
        ("classification = NULL", "changed in Sierra since"),
        ("item_call_number = 'OPR JÄN', item_updated_at = now()", "changed in Sierra since"),
        ("item_call_number = NULL, item_updated_at = now()", "changed in Sierra since"),
        ("item_updated_at = now()", "not shown"),
        ("item_call_number = 'OPR JÄN', item_updated_at = now() - interval '1 day'", "not shown"),
    ],
)
def test_what_was_changed_since_is_told_apart(database: TestDatabase, change: str, state: str) -> None:
    push(database)
    database.fetch(f"UPDATE sierra_item SET {change}")
    assert [found for found, *_ in database.fetch(SEEN)] == [state]


@pytest.mark.usefixtures("item")
def test_revert_needs_no_class_in_front(database: TestDatabase) -> None:
    push(database, after="OPR", revert_of=7)
    assert database.fetch(SEEN) == [("not shown", "OPR", "84.2 JÄN")]


@pytest.mark.usefixtures("item")
def test_command_lists_them_and_marks_those_that_nobody_changed(signum: Signum, database: TestDatabase) -> None:
    assert signum("queue", "not-shown").out.startswith("Sierra shows all that was pushed")
    push(database)
    database.add_item(1002, item_record_id=2, classification="85", item_call_number="84.2 JÄN")
    push(database, item=2)
    listed = signum("queue", "not-shown", "--json").json
    assert [(row["item_record_id"], row["state"]) for row in listed] == [
        (1, "not shown"),
        (2, "changed in Sierra since"),
    ]
    assert "84.31 JÄN" in signum("queue", "not-shown").out
    assert signum("queue", "not-shown", "--mark").out == "marked 1 item\n"
    assert database.fetch("SELECT item_record_id, queued_by, priority FROM update_queue") == [(1, "aino", 1)]
    ran = signum("queue", "not-shown", "--mark")
    assert (ran.code, ran.out) == (0, "no item is to be marked again\n")


def test_long_history_is_read_for_its_last_days_only(item: int, database: TestDatabase) -> None:
    database.fetch(
        "INSERT INTO update_log (item_record_id, outcome, queued_at, queued_by, finished_at, finished_by, attempts)"
        " SELECT n, 'pushed', now(), 'a', now() - (200000 - n) * interval '5 minutes', 'n', 1"
        " FROM generate_series(1, 200000) AS n"
    )
    database.fetch("VACUUM ANALYZE update_log")
    scans = [node for node in plan_of(database, SEEN, {}) if node.get("Relation Name") == "update_log"]
    assert [scan["Node Type"] for scan in scans] == ["Bitmap Heap Scan"]
