"""The views show people the queue's state: pauses, and the sync."""

import pytest

from tests.fix_postgres import TestDatabase

PAUSED = "SELECT DISTINCT paused FROM queue_overview"


def test_the_overview_says_who_paused_why_and_until_when(database: TestDatabase) -> None:
    assert database.fetch(PAUSED) == [(None,)]
    database.fetch("UPDATE queue_control SET paused_at = now(), paused_by = 'aino', reason = 'Sierra is upgraded'")
    assert database.fetch(PAUSED) == [("by aino: Sierra is upgraded",)]
    database.fetch("UPDATE queue_control SET resume_at = '2199-11-23T14:00+00'")
    ((paused,),) = database.fetch(PAUSED)
    assert paused.startswith("by aino: Sierra is upgraded, until 2199-11-2")


@pytest.mark.parametrize("given", ["resume_at = now() - interval '1 second'", "paused_at = NULL"])
def test_a_pause_that_is_over_is_none(database: TestDatabase, given: str) -> None:
    database.fetch("UPDATE queue_control SET paused_at = now(), paused_by = 'aino', reason = 'x'")
    database.fetch(f"UPDATE queue_control SET {given}")
    assert database.fetch(PAUSED) == [(None,)]


def test_the_oldest_item_that_could_be_claimed_is_found_whatever_its_priority(database: TestDatabase) -> None:
    for number, (priority, due, leased) in enumerate(
        [(0, 1, None), (2, 3, None), (1, 9, 1), (1, 5, -2), (1, -9, None)]
    ):
        database.fetch(
            "INSERT INTO update_queue (item_record_id, priority, due_at, lease_until)"
            " VALUES (%s, %s, now() - %s * interval '1 hour', now() + %s * interval '1 hour')",
            database.add_item(number),
            priority,
            due,
            leased,
        )
    hours = "SELECT round(extract(epoch FROM oldest_due_age) / 3600) FROM queue_progress"
    assert database.fetch(hours) == [(3,)], "one is leased, one was until 2 h ago, one is due later"


def test_the_sync_overview_says_whether_a_batch_is_being_taken_in(database: TestDatabase) -> None:
    under_way = "SELECT batch_under_way FROM sync_overview"
    assert database.fetch(under_way) == [(False,)]
    with database.connect() as batch, batch.transaction():
        batch.execute("SELECT pg_try_advisory_xact_lock(1398361667)")
        assert database.fetch(under_way) == [(True,)]
    assert database.fetch(under_way) == [(False,)]
