"""A revert goes through the queue like an update, and a mark turns it into one."""

import asyncio
from typing import Any

import psycopg
import pytest

from db import history, queue, queue_people
from db.queue import LATE_SECONDS, Claim, Connection
from db.requests import Database
from tests.fix_postgres import TestDatabase
from tests.fix_queue import LEASE, mark_item, pushed, row, waits_for_a_lock

LAST = "SELECT outcome, revert_of, queued_by FROM update_log ORDER BY update_log_id DESC LIMIT 1"
MARK_BY_HAND = "UPDATE update_queue SET revision = revision + 1, due_at = now()"


async def push(api_database: Database, connection: Connection, item: int) -> int:
    """Have an item marked and pushed; its row of history."""
    await mark_item(api_database, item)
    (claim,) = await queue.claim(connection, "n1", 10, LEASE)
    await queue.finish(connection, "n1", [pushed(claim)])
    cursor = await connection.execute("SELECT max(update_log_id) FROM update_log")
    ((update_log_id,),) = await cursor.fetchall()
    return int(update_log_id)


async def claim_one(connection: Connection) -> Claim:
    """The one item that is due, as the notifier gets it."""
    (claim,) = await history.look_up_undone(connection, await queue.claim(connection, "n1", 10, LEASE))
    return claim


async def was_queued(connection: Connection, *update_log_ids: int) -> list[bool]:
    """Ask for these pushes to be undone; whether each is queued."""
    return [one.queued for one in await history.queue_reverts(connection, "liisa", update_log_ids)]


@pytest.fixture
async def reverting(database: TestDatabase, api_database: Database, connection: Connection) -> tuple[int, int]:
    """An item whose push is to be undone, and the row of history of that."""
    item = database.add_item(1)
    undone = await push(api_database, connection, item)
    assert await was_queued(connection, undone) == [True]
    return item, undone


async def test_a_claim_of_a_revert_has_the_call_numbers_of_the_push_and_history_says_which(
    database: TestDatabase, connection: Connection, reverting: tuple[int, int]
) -> None:
    item, undone = reverting
    (shown,) = await queue_people.detail(connection)
    assert (shown["revert_of"], shown["queued_by"], shown["priority"]) == (undone, "liisa", 1)
    claim = await claim_one(connection)
    assert (claim.revert_of, claim.undone_before, claim.undone_after) == (undone, "84.2 Jännitys", "84.31 Jännitys")
    assert await queue.finish(connection, "n1", [pushed(claim)]) == {item: "finished"}
    assert database.fetch(LAST) == [("pushed", undone, "liisa")]
    newest, _ = await history.read_history(connection, "33010000000001")
    assert newest["revert_of"] == undone


async def test_a_revert_can_be_undone_as_any_push(connection: Connection, reverting: tuple[int, int]) -> None:
    claim = await claim_one(connection)
    back = pushed(claim, call_number_before="84.31 Jännitys", call_number_after="84.2 Jännitys")
    await queue.finish(connection, "n1", [back])
    newest, _ = await history.read_history(connection, "33010000000001")
    assert await was_queued(connection, newest["update_log_id"]) == [True]
    assert (await claim_one(connection)).undone_before == "84.31 Jännitys"


async def test_a_look_after_a_revert_whose_claim_is_not_known_any_more_is_a_revert_as_well(
    database: TestDatabase, connection: Connection, reverting: tuple[int, int]
) -> None:
    """Or it would write the class that was undone. After a failover: another notifier has finished the revert."""
    item, undone = reverting
    claim = await claim_one(connection)
    await queue.finish(connection, "n1", [pushed(claim)])
    await queue.recheck(connection, "n1", item)
    database.fetch("UPDATE update_queue SET due_at = now()")
    look = await claim_one(connection)
    assert (look.is_recheck, look.revert_of, look.undone_before) == (True, undone, claim.undone_before)


@pytest.mark.parametrize("by_hand", [False, True])
async def test_a_mark_makes_an_update_of_a_revert(
    database: TestDatabase, api_database: Database, connection: Connection, reverting: tuple[int, int], by_hand: bool
) -> None:
    if by_hand:
        database.fetch(MARK_BY_HAND)
    else:
        await mark_item(api_database, reverting[0])
    (shown,) = await queue_people.detail(connection)
    claim = await claim_one(connection)
    assert (shown["revert_of"], claim.revert_of, claim.undone_before, claim.revision) == (None, None, None, 2)
    await queue.reject(connection, "n1", claim, "Sierra refused it")
    await queue_people.retry(connection, "eero", item_numbers=["1"])
    claim = await claim_one(connection)
    assert (claim.revert_of, claim.revision) == (None, 3), "retried, it is an update still"
    await queue.finish(connection, "n1", [pushed(claim)])
    assert database.fetch(LAST) == [("pushed", None, "eero")]


async def test_a_revert_that_was_written_as_a_mark_came_is_logged_as_one_and_the_newest_classification_follows(
    database: TestDatabase, api_database: Database, connection: Connection, reverting: tuple[int, int]
) -> None:
    item, undone = reverting
    claim = await claim_one(connection)
    await mark_item(api_database, item)
    assert await queue.finish(connection, "n1", [pushed(claim)]) == {item: "marked again"}
    assert database.fetch(LAST) == [("pushed", undone, "liisa")]
    assert (await claim_one(connection)).revert_of is None


@pytest.mark.parametrize("by_hand", [False, True])
async def test_a_rejected_revert_that_is_retried_is_still_one(
    database: TestDatabase, connection: Connection, reverting: tuple[int, int], by_hand: bool
) -> None:
    item, undone = reverting
    stale = await claim_one(connection)
    await queue.reject(connection, "n1", stale, "Sierra has another one")
    assert database.fetch(LAST) == [("rejected", undone, "liisa")]
    if by_hand:
        database.fetch("UPDATE update_queue SET due_at = now()")
    else:
        assert await queue_people.retry(connection, "eero", item_numbers=["1"]) == [item]
    claim = await claim_one(connection)
    assert (claim.revert_of, claim.undone_before, claim.revision, claim.attempts) == (undone, "84.2 Jännitys", 1, 1)
    assert await queue.finish(connection, "n1", [pushed(stale)]) == {}, (
        "known by its lease, for the revision is the same"
    )


async def test_a_dismissed_revert_is_in_history_as_one(
    database: TestDatabase, connection: Connection, reverting: tuple[int, int]
) -> None:
    await queue_people.dismiss(connection, "eero", LATE_SECONDS, item_numbers=["1"])
    assert database.fetch(LAST) == [("dismissed", reverting[1], "liisa")]


async def test_a_postponed_or_released_revert_is_still_one(
    database: TestDatabase, connection: Connection, reverting: tuple[int, int]
) -> None:
    await queue.release(connection, "n1", [await claim_one(connection)])
    await queue.postpone(connection, "n1", await claim_one(connection), 60, "busy")
    database.fetch("UPDATE update_queue SET due_at = now()")
    assert (await claim_one(connection)).revert_of == reverting[1]


@pytest.mark.parametrize(
    "spoil",
    [
        "DELETE FROM update_log",
        "UPDATE update_log SET item_record_id = 4711",
        "UPDATE update_log SET outcome = 'rejected'",
    ],
)
async def test_what_history_has_no_push_of_comes_without_call_numbers(
    database: TestDatabase, connection: Connection, reverting: tuple[int, int], spoil: str
) -> None:
    database.fetch(spoil)
    claim = await claim_one(connection)
    assert (claim.revert_of, claim.undone_before, claim.undone_after) == (reverting[1], None, None)


async def test_what_is_queued_or_just_being_marked_is_left_alone(
    database: TestDatabase, api_database: Database, connection: Connection
) -> None:
    undone = await push(api_database, connection, database.add_item(1))
    async with await psycopg.AsyncConnection.connect(**database.parameters) as marking:
        await marking.execute("INSERT INTO update_queue (item_record_id) SELECT item_record_id FROM sierra_item")
        asking = asyncio.create_task(was_queued(connection, undone))
        await waits_for_a_lock(database, connection.info.backend_pid)
        await marking.commit()
    assert await asking == [False]
    assert await was_queued(connection, undone) == [False]
    assert row(database, database.fetch("SELECT item_record_id FROM sierra_item")[0][0])["revision"] == 1
    assert (await claim_one(connection)).revert_of is None


async def test_of_two_pushes_of_an_item_the_newer_is_undone(
    database: TestDatabase, api_database: Database, connection: Connection
) -> None:
    item = database.add_item(1)
    rows = [await push(api_database, connection, item) for _ in range(2)]
    assert await was_queued(connection, *rows) == [False, True]


@pytest.mark.parametrize(
    ("changes", "delete_item"),
    [
        ({"outcome": "unchanged"}, False),
        ({"call_number_before": "84.31"}, False),
        ({"call_number_before": None}, False),
        ({"call_number_before": " "}, False),
        ({}, True),
    ],
)
async def test_what_can_not_be_undone_is_not_queued(
    database: TestDatabase, api_database: Database, connection: Connection, changes: dict[str, Any], delete_item: bool
) -> None:
    undone = await push(api_database, connection, database.add_item(1))
    for column, value in {"call_number_after": "84.31", **changes}.items():
        database.fetch(f"UPDATE update_log SET {column} = %s", value)
    if delete_item:
        database.fetch("DELETE FROM sierra_item")
    assert await was_queued(connection, undone, 4711) == [False]
    assert database.fetch("SELECT count(*) FROM update_queue") == [(0,)]
