"""People retry, dismiss, pause and resume, and see the queue and its history."""

import psycopg
import pytest

from db import history, queue, queue_people
from db.queue import LATE_SECONDS, Connection
from db.requests import Database
from tests.fix_postgres import TestDatabase
from tests.fix_queue import LEASE, mark_item, pushed, row


async def test_a_person_retries_all_of_one_reason(
    database: TestDatabase, api_database: Database, connection: Connection
) -> None:
    items = [database.add_item(number) for number in (1, 2, 3)]
    for item in items:
        await mark_item(api_database, item)
    for claim, reason in zip(await queue.claim(connection, "n1", 10, LEASE), ["gone", "gone", "bad"], strict=True):
        await queue.reject(connection, "n1", claim, reason)
    assert sorted(await queue_people.retry(connection, "liisa", reason="gone")) == items[:2]
    now = row(database, items[0])
    assert (now["due"], now["queued_by"], now["priority"], now["attempts"]) == (True, "liisa", 1, 0)
    assert row(database, items[2])["rejected"]
    assert await queue_people.retry(connection, "liisa", item_numbers=["3"]) == [items[2]]
    assert await queue_people.retry(connection, "liisa", item_numbers=["3"]) == [], "only what is rejected"


async def test_what_a_person_dismisses_leaves_and_is_logged(
    database: TestDatabase, api_database: Database, connection: Connection
) -> None:
    item = database.add_item(1)
    await mark_item(api_database, item)
    assert await queue_people.dismiss(connection, "liisa", LATE_SECONDS, barcodes=["33010000000001"]) == [item]
    assert row(database, item) == {}
    assert database.fetch("SELECT outcome, finished_by FROM update_log") == [("dismissed", "liisa")]
    with pytest.raises(ValueError, match="needs items, or a reason"):
        await queue_people.dismiss(connection, "liisa", LATE_SECONDS)


async def test_old_history_is_forgotten_a_little_at_a_time(
    database: TestDatabase, api_database: Database, connection: Connection
) -> None:
    for number in range(1, 6):
        await mark_item(api_database, database.add_item(number))
    claims = await queue.claim(connection, "n1", 10, LEASE)
    await queue.finish(connection, "n1", [pushed(claim) for claim in claims])
    database.fetch("UPDATE update_log SET finished_at = now() - interval '401 days' WHERE update_log_id <= 4")
    assert await history.prune_history(connection, 400, 3) == 3
    assert await history.prune_history(connection, 400, 3) == 1
    assert await history.prune_history(connection, 400, 3) == 0
    assert database.fetch("SELECT count(*) FROM update_log") == [(1,)]


async def test_views_spell_out_the_states(
    database: TestDatabase, api_database: Database, connection: Connection
) -> None:
    items = [database.add_item(number) for number in range(1, 8)]
    for item in items:
        await mark_item(api_database, item)
    claims = await queue.claim(connection, "n1", 6, LEASE)
    await queue.postpone(connection, "n1", claims[0], 60, "busy")
    await queue.reject(connection, "n1", claims[1], "gone", keep_seconds=20)
    await queue.release(connection, "n1", claims[3:5], keep_seconds={items[3]: 20, items[4]: 20})
    await queue.finish(connection, "n1", [pushed(claims[5], unanswered=True)])
    await mark_item(api_database, items[4])
    overview = {state["state"]: state["items"] for state in await queue_people.overview(connection)}
    assert overview == {"waiting": 1, "in flight": 1, "postponed": 3, "rejected": 1, "to recheck": 1}
    (rejected,) = await queue_people.detail(connection, "rejected")
    assert (rejected["title"], rejected["reason"]) == ("Kirja 2", "gone")
    assert (rejected["pushed_by"], rejected["next_try_at"]) == (None, None)
    waits = "A write had no answer and may still be done: the next one waits for it"
    assert [one["reason"] for one in await queue_people.detail(connection, "postponed")] == [waits, waits, "busy"]
    (pushed_one,) = await queue_people.detail(connection, "to recheck")
    assert pushed_one["reason"].startswith("It was pushed, but a write before had no answer")


async def test_an_item_that_waits_can_not_be_removed_without_its_place_in_the_queue(
    database: TestDatabase, api_database: Database
) -> None:
    item = database.add_item(1)
    await mark_item(api_database, item)
    with pytest.raises((psycopg.errors.RestrictViolation, psycopg.errors.ForeignKeyViolation)):  # the latter before 18
        database.fetch("DELETE FROM sierra_item")
    assert row(database, item)["due"]
