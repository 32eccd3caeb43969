"""The progress of the relabelling: what is counted, by whom, and what is said of pace and end."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from db import progress
from tests.db.test_plans import plan_of
from tests.fix_postgres import TestDatabase
from tests.fix_roles import AsRole

COUNTS = "SELECT location, item_type, material, done, to_do, without_classification, unknown FROM progress_count"
DAYS = "SELECT day, desk, pushed, relabelled FROM progress_day ORDER BY day, desk"
OVERVIEW = "SELECT done, to_do, unknown, a_day::float8, ends_on, no_end_because FROM progress_overview"
BOOK = {"location_name": "Helsinki", "item_type_name": "Kirja", "material_name": "Kirja"}
PUSH = """
INSERT INTO update_log (
    item_record_id, queued_at, queued_by, finished_at, finished_by, outcome, attempts, call_number_before,
    call_number_after, revert_of
) VALUES (1, %(at)s, %(by)s, %(at)s, 'n', %(outcome)s, 1, %(before)s, '84.31', %(revert_of)s)
"""


def push(database: TestDatabase, at: datetime, **others: Any) -> None:
    """A row of history: the push of a label of desk 1, which changed the call number."""
    usual = {"by": "desk 1", "outcome": "pushed", "before": "84.2", "revert_of": None}
    with database.connect() as connection:
        connection.execute(PUSH, {"at": at, **usual, **others})


def today() -> date:
    return datetime.now(UTC).date()


def add_days(database: TestDatabase, relabelled: int, *days_ago: int) -> None:
    for ago in days_ago:
        database.fetch(
            "INSERT INTO progress_day VALUES (%s, 'desk 1', %s, %s)", today() - timedelta(ago), relabelled, relabelled
        )


def count(database: TestDatabase, done: int, to_do: int, unknown: int) -> None:
    database.fetch("INSERT INTO progress_count VALUES ('', '', '', %s, %s, 0, %s)", done, to_do, unknown)


async def add_up(database: TestDatabase) -> int:
    """Add up all that has to be; the number of weeks."""
    async with await database.aconnect() as connection:
        weeks = await progress.find_weeks(connection)
        for first_day in weeks:
            await progress.add_up_week(connection, first_day)
    return len(weeks)


async def test_living_items_are_counted_by_collection(database: TestDatabase) -> None:
    database.add_item(1, is_relabelled=True, **BOOK)
    database.add_item(2, is_relabelled=False, **BOOK)
    database.add_item(3, is_relabelled=False, **BOOK)
    database.add_item(4, classification=None, **BOOK)
    database.add_item(5, **BOOK)
    database.add_item(6, is_relabelled=True, deleted_on="2026-11-01", **BOOK)
    database.add_item(7)
    async with await database.aconnect() as connection:
        assert await progress.count_items(connection)
    assert sorted(database.fetch(COUNTS)) == [("", "", "", 0, 0, 0, 1), ("Helsinki", "Kirja", "Kirja", 1, 2, 1, 1)]


async def test_new_count_takes_the_place_of_the_last_ten_minutes_later(database: TestDatabase) -> None:
    item = database.add_item(1, is_relabelled=False, **BOOK)
    async with await database.aconnect() as connection:
        assert await progress.count_items(connection)
        assert not await progress.count_items(connection)
        database.fetch("UPDATE progress_count SET counted_at = now() - interval '10 minutes'")
        database.fetch("UPDATE sierra_item SET location_name = 'Espoo' WHERE item_record_id = %s", item)
        assert await progress.count_items(connection)
    assert [row[0] for row in database.fetch(COUNTS)] == ["Espoo"]


async def test_of_two_notifiers_one_counts(database: TestDatabase) -> None:
    database.add_item(1, **BOOK)
    async with await database.aconnect() as one, await database.aconnect() as another, one.transaction():
        assert await progress.count_items(one)
        assert not await progress.count_items(another)
    assert len(database.fetch(COUNTS)) == 1


@pytest.mark.usefixtures("printer_key")
async def test_pushes_are_added_up_by_day_and_print_station(database: TestDatabase) -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    push(database, noon)
    push(database, noon, before="84.31")
    push(database, noon, by="aino")
    push(database, noon, by="a script")
    push(database, noon, outcome="unchanged")
    push(database, noon, revert_of=1)
    push(database, datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC))
    assert await add_up(database) > 4
    first, last = date(2026, 3, 1), date(2026, 3, 31)
    assert database.fetch(DAYS) == [(first, "", 2, 2), (first, "desk 1", 2, 1), (last, "desk 1", 1, 1)]


@pytest.mark.usefixtures("printer_key")
async def test_day_that_is_added_up_again_grows_and_outlives_history(database: TestDatabase) -> None:
    now = datetime.now(UTC)
    push(database, now)
    await add_up(database)
    push(database, now)
    push(database, now - timedelta(days=1))
    await add_up(database)
    expected = [(today() - timedelta(1), "desk 1", 1, 1), (today(), "desk 1", 2, 2)]
    assert database.fetch(DAYS) == expected
    database.fetch("DELETE FROM update_log WHERE update_log_id IN (SELECT max(update_log_id) - 1 FROM update_log)")
    await add_up(database)
    assert database.fetch(DAYS) == expected


@pytest.mark.usefixtures("printer_key")
async def test_role_of_the_notifier_may_count_and_that_of_a_reader_look(
    database: TestDatabase, as_role: AsRole
) -> None:
    database.add_item(1, **BOOK)
    push(database, datetime.now(UTC))
    async with await as_role("signum_notifier").aconnect() as connection:
        assert await progress.count_items(connection)
    for _ in range(2):
        await add_up(as_role("signum_notifier"))
    assert as_role("signum_reader").fetch("SELECT unknown, pushed FROM progress_overview") == [(1, 1)]
    assert [row[1] for row in as_role("signum_operator").fetch(DAYS)] == ["desk 1"]


async def test_nothing_is_added_up_without_history(database: TestDatabase) -> None:
    assert await add_up(database) == 0


def test_pace_is_that_of_the_four_weeks_before_today(database: TestDatabase) -> None:
    count(database, done=10, to_do=100, unknown=0)
    add_days(database, 28, 1, 28)
    add_days(database, 1_000, 0, 29)
    assert database.fetch(OVERVIEW) == [(10, 100, 0, 2.0, today() + timedelta(50), None)]


def test_pace_of_the_first_days_is_theirs(database: TestDatabase) -> None:
    count(database, done=10, to_do=101, unknown=0)
    add_days(database, 10, 1, 2)
    assert database.fetch(OVERVIEW) == [(10, 101, 0, 10.0, today() + timedelta(11), None)]


def test_items_of_which_it_is_not_known_count_as_to_do(database: TestDatabase) -> None:
    count(database, done=10, to_do=60, unknown=40)
    add_days(database, 10, 1)
    assert database.fetch(OVERVIEW) == [(10, 60, 40, 10.0, today() + timedelta(10), None)]


@pytest.mark.parametrize(
    ("counts", "relabelled", "because"),
    [
        (None, (28, 1), "nothing has been counted yet"),
        ((5, 0, 0), (28, 1), "all items with a classification are relabelled"),
        ((0, 0, 9), (28, 1), "the ETL brings no call numbers, so only what was pushed is known"),
        ((5, 5, 0), None, "nothing was relabelled in the four weeks before today"),
        ((5, 5, 0), (28, 0), "nothing was relabelled in the four weeks before today"),
        ((5, 5, 0), (28, 29), "nothing was relabelled in the four weeks before today"),
        ((5, 5_000_000, 0), (1, 28), "at this pace it takes more than a hundred years"),
    ],
)
def test_what_can_not_be_known_is_said(
    database: TestDatabase, counts: tuple[int, int, int] | None, relabelled: tuple[int, int] | None, because: str
) -> None:
    if counts:
        count(database, *counts)
    if relabelled:
        add_days(database, *relabelled)
    ((*_, ends_on, said),) = database.fetch(OVERVIEW)
    assert (ends_on, said) == (None, because)


def test_count_reads_two_small_indexes_and_no_item(database: TestDatabase) -> None:
    database.fetch(
        "INSERT INTO sierra_item (item_record_id, classification, best_title, updated_at)"
        " SELECT n, CASE WHEN n %% 2 = 0 THEN '84.31' END, repeat('x', 500), now() FROM generate_series(1, 5000) AS n"
    )
    database.fetch("VACUUM (ANALYZE) sierra_item")
    scans = [
        node for node in plan_of(database, progress.SQL["count"], {}) if node.get("Relation Name") == "sierra_item"
    ]
    assert {(node["Node Type"], node.get("Index Name")) for node in scans} == {
        ("Index Only Scan", "sierra_item_progress_idx"),
        ("Index Only Scan", "sierra_item_unclassified_idx"),
    }
