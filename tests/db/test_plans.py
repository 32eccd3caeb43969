"""No statement of the hot paths reads more as the tables grow: their plans use the indexes that are there for them."""

import json
import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from db import history, items, queue, snapshot, sync
from tests.fix_postgres import TestDatabase

ITEMS, QUEUED = 20_000, 5_000
FIRST = 450_971_566_081
DUE = "update_queue_priority_due_at_idx"


@pytest.fixture
def full(database: TestDatabase) -> TestDatabase:
    """A database with enough in it that reading all of a table never pays."""
    database.fetch(
        "INSERT INTO sierra_item (item_record_id, item_number, barcode, updated_at) "
        "SELECT %s + n, n, 33010000000000 + n, now() FROM generate_series(0, %s - 1) AS n",
        FIRST,
        ITEMS,
    )
    database.fetch("INSERT INTO update_queue (item_record_id) SELECT item_record_id FROM sierra_item LIMIT %s", QUEUED)
    database.fetch(
        "INSERT INTO update_log (item_record_id, outcome, queued_at, queued_by, finished_by, attempts) "
        "SELECT %s + n %% 1000, 'pushed', now(), 'a', 'b', 1 FROM generate_series(0, 9999) AS n",
        FIRST,
    )
    database.fetch("ANALYZE")
    return database


def plan_of(database: TestDatabase, statement: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    """The nodes of its plan."""
    with database.connect() as connection:
        text = psycopg.ClientCursor(connection).mogrify(statement, parameters)
        row = connection.execute(f"EXPLAIN (FORMAT json) {text}".encode()).fetchone()
    assert row is not None
    return list(_nodes((json.loads(row[0]) if isinstance(row[0], str) else row[0])[0]["Plan"]))


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)


def read_whole(nodes: list[dict[str, Any]]) -> set[str]:
    """The growing tables that are read from end to end, as they lie or along an index."""
    grow = {"sierra_item", "update_queue", "update_log"}
    scans = [node for node in nodes if node["Node Type"] in ("Seq Scan", "Index Scan", "Index Only Scan")]
    return {node["Relation Name"] for node in scans if "Index Cond" not in node} & grow


KEY = {"api_key_sha256": b"\0" * 32}
A_CLAIM = {"notifier": "n", "limit": 4, "lease_seconds": 70, "newest": False}
FOUR = {
    "notifier": "n",
    "item_record_ids": [FIRST + place for place in range(4)],
    "revisions": [1] * 4,
    "leases": ["2026-11-01T00:00:00+00:00"] * 4,
    "outcomes": ["pushed"] * 4,
    "befores": ["84.2"] * 4,
    "afters": ["84.31"] * 4,
    "remarks": [None] * 4,
    "sierra_ms": [1] * 4,
    "revert_ofs": [None] * 4,
    "claimed_ats": ["2026-11-01T00:00:00+00:00"] * 4,
    "unanswered": [False] * 4,
    "proven": [False] * 4,
    "late_seconds": 300,
}


@pytest.mark.parametrize(
    ("statement", "parameters"),
    [
        pytest.param(queue.SQL["claim"], A_CLAIM, id="claim"),
        pytest.param(queue.SQL["finish"], FOUR, id="finish"),
        pytest.param(queue.SQL["next_wake"], {}, id="next_wake"),
        pytest.param(history.SQL["history"], {"barcode": "33010000000001", "limit": 100}, id="history"),
        pytest.param(history.SQL["revert"], {"person": "a", "ids": [1, 2]}, id="revert"),
        pytest.param(history.SQL["undone"], {"ids": [1, 2], "item_record_ids": [FIRST, FIRST + 1]}, id="undone"),
        pytest.param(items.FIND, {**KEY, "barcode": "33010000000001"}, id="find"),
        pytest.param(items.MARK, {**KEY, "item_record_id": FIRST, "request_id": None, "trace": None}, id="mark"),
    ],
)
def test_no_statement_of_the_hot_paths_reads_a_growing_table_whole(
    full: TestDatabase, statement: str, parameters: dict[str, Any]
) -> None:
    assert read_whole(plan_of(full, statement, parameters)) == set()


def generic_plan_of(database: TestDatabase, statement: str) -> list[dict[str, Any]]:
    """The nodes of the plan that serves all values."""
    names = dict.fromkeys(re.findall(r"%\((\w+)\)s", statement))
    places = {parameter: f"${place}" for place, parameter in enumerate(names, 1)}
    numbered = re.sub(r"%\((\w+)\)s", lambda found: places[found[1]], statement)
    with database.connect() as connection:
        if connection.info.server_version < 160_000:
            pytest.skip("EXPLAIN (GENERIC_PLAN) came with PostgreSQL 16")
        row = (
            psycopg.ClientCursor(connection)
            .execute(f"EXPLAIN (GENERIC_PLAN, FORMAT json) {numbered}".encode())
            .fetchone()
        )
    assert row is not None
    return list(_nodes(row[0][0]["Plan"]))


@pytest.mark.parametrize("name", ["claim", "finish", "still_ours", "postpone", "reject", "release", "next_wake"])
def test_the_notifiers_statements_need_no_plan_of_their_own_for_each_value(full: TestDatabase, name: str) -> None:
    assert read_whole(generic_plan_of(full, queue.SQL[name])) == set()


def test_history_is_pruned_from_its_start_and_not_searched(full: TestDatabase) -> None:
    kinds = [node["Node Type"] for node in generic_plan_of(full, history.SQL["prune"])]
    assert "Seq Scan" not in kinds
    assert "Limit" in kinds


def test_a_claim_finds_what_is_due_by_one_index_scan_per_priority(full: TestDatabase) -> None:
    scans = [node for node in plan_of(full, queue.SQL["claim"], A_CLAIM) if node.get("Index Name") == DUE]
    assert [node["Node Type"] for node in scans] == ["Index Scan"] * 3
    assert all("due_at" in node["Index Cond"] and "priority" in node["Index Cond"] for node in scans)


def test_a_finish_looks_up_the_newest_push_of_each_item_by_its_index(full: TestDatabase) -> None:
    """And reads that one row, however many there are of the item."""
    nodes = generic_plan_of(full, queue.SQL["finish"])
    (scan,) = [node for node in nodes if node.get("Relation Name") == "update_log" and "Index Name" in node]
    assert (scan["Node Type"], scan["Index Name"]) == ("Index Scan", "update_log_pushed_idx")
    assert "Filter" not in scan
    (limit,) = [node for node in nodes if node["Node Type"] == "Limit" and scan in node["Plans"]]
    assert limit["Plans"] == [scan], "not sorted first"


def test_the_snapshot_reads_a_growing_table_only_up_to_a_limit(full: TestDatabase) -> None:
    parameters = {"day_began_at": "2026-11-01T00:00:00+00:00", "reason_codes": ["absent", "ghost"]}
    nodes = plan_of(full, snapshot.SQL["snapshot"], parameters)
    limited = [child for node in nodes if node["Node Type"] == "Limit" for child in node["Plans"]]
    assert read_whole([node for node in nodes if node not in limited]) == set()


PAGE = 2_000
LATER = "2100-01-01T00:00:00+00:00"


@pytest.fixture
def page(full: TestDatabase) -> Iterator[psycopg.Connection[Any]]:
    """A transaction that has a page of a full sync, from the middle of the catalogue."""
    columns = sync.SQL["copy_batch"].partition("(")[2].count(",") + 1
    with psycopg.connect(**full.parameters) as connection:
        keys = range(FIRST + ITEMS // 2, FIRST + ITEMS // 2 + PAGE)
        sync.fill_batch(connection, [(line, key, *[None] * (columns - 2)) for line, key in enumerate(keys)])
        yield connection
        connection.rollback()


def plan_of_part(page: psycopg.Connection[Any], name: str) -> list[dict[str, Any]]:
    """The nodes of the plan of a statement for the batch's one part."""
    (part,) = sync.find_parts(page)
    parameters = {**part._asdict(), "timestamp": LATER, "bibs": "note", "item_record_ids": [], "shelfmarks": []}
    text = psycopg.ClientCursor(page).mogrify(sync.SQL[name], parameters)
    (row,) = page.execute(f"EXPLAIN (FORMAT json) {text}".encode()).fetchall()
    return list(_nodes(row[0][0]["Plan"]))


@pytest.mark.parametrize("name", ["read_new_subfields", "merge_part"])
def test_a_page_of_a_full_sync_looks_up_its_own_items(page: psycopg.Connection[Any], name: str) -> None:
    assert read_whole(plan_of_part(page, name)) == set()


def test_a_part_of_a_batch_is_stored_without_sorting_its_rows(page: psycopg.Connection[Any]) -> None:
    """They are wide: sorted, or hashed, by the thousand they go to the disk."""
    nodes = plan_of_part(page, "merge_part")
    sorted_or_hashed = [below for node in nodes if node["Node Type"] in ("Sort", "Hash") for below in _nodes(node)]
    assert "b" not in {node.get("Alias") for node in sorted_or_hashed}


def test_beside_many_deleted_items_the_batch_is_read_once(full: TestDatabase, page: psycopg.Connection[Any]) -> None:
    """Also where PostgreSQL has no statistics of the deletions yet."""
    full.fetch("UPDATE sierra_item SET deleted_on = '2026-11-01' WHERE item_record_id < %s", FIRST + 500)
    text = psycopg.ClientCursor(page).mogrify(sync.SQL["revive"], {"timestamp": LATER})
    (row,) = page.execute(f"EXPLAIN (ANALYZE, FORMAT json) {text}".encode()).fetchall()
    scans = [node for node in _nodes(row[0][0]["Plan"]) if node.get("Alias") == "b"]
    assert scans
    assert all("Index Cond" in node or node["Actual Loops"] <= 1 for node in scans)
