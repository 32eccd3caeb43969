"""A claim ends finished, postponed, rejected or released, and a mark made meanwhile is never lost."""

import psycopg
import pytest

from db import queue
from db.queue import Connection
from db.requests import Database
from tests.fix_postgres import TestDatabase
from tests.fix_queue import LEASE, mark_item, pushed, row


async def test_a_pushed_item_leaves_the_queue_and_is_logged(
    database: TestDatabase, api_database: Database, connection: Connection
) -> None:
    item = database.add_item(1, best_title="Kaik Turust")
    await mark_item(api_database, item, request_id="r-1")
    (claim,) = await queue.claim(connection, "n1", 10, LEASE)
    assert await queue.finish(connection, "n1", [pushed(claim, remark="left out")]) == {item: "finished"}
    assert row(database, item) == {}
    (logged,) = database.fetch(
        "SELECT item_record_id, item_number, barcode, title, queued_by, finished_by, outcome, attempts, "
        "call_number_before, call_number_after, error, sierra_ms, request_id FROM update_log"
    )
    assert logged == (
        item, "1", "33010000000001", "Kaik Turust", "printer 1", "n1", "pushed", 1,
        "84.2 Jännitys", "84.31 Jännitys", "left out", 12, "r-1",
    )  # fmt: skip


async def test_an_item_marked_while_being_pushed_is_pushed_again(
    database: TestDatabase, api_database: Database, connection: Connection
) -> None:
    item = database.add_item(1)
    await mark_item(api_database, item)
    (claim,) = await queue.claim(connection, "n1", 10, LEASE)
    await mark_item(api_database, item)
    assert row(database, item)["leased"], "a mark leaves the lease alone: two never push one item at a time"
    assert await queue.finish(connection, "n1", [pushed(claim)]) == {item: "marked again"}
    now = row(database, item)
    assert (now["revision"], now["attempts"], now["due"], now["claimed_by"], now["leased"]) == (2, 0, True, None, None)
    assert database.fetch("SELECT outcome FROM update_log") == [("pushed",)], "Sierra was written"
    (again,) = await queue.claim(connection, "n1", 10, LEASE)
    assert again.revision == 2


async def test_a_mark_under_way_when_its_item_is_finished_is_not_lost(
    database: TestDatabase, api_database: Database, connection: Connection
) -> None:
    item = database.add_item(1)
    await mark_item(api_database, item)
    (claim,) = await queue.claim(connection, "n1", 10, LEASE)
    async with await psycopg.AsyncConnection.connect(**database.parameters) as marking:
        await marking.execute("UPDATE update_queue SET revision = revision + 1, due_at = now(), attempts = 0")
        assert await queue.finish(connection, "n1", [pushed(claim)]) == {item: "locked"}, "told again, not waited for"
        await marking.commit()
    assert await queue.finish(connection, "n1", [pushed(claim)]) == {item: "marked again"}
    now = row(database, item)
    assert (now["revision"], now["claimed_by"], now["due"]) == (2, None, True)
    assert database.fetch("SELECT outcome FROM update_log") == [("pushed",)]


async def test_what_another_session_has_locked_is_told_and_keeps_no_other_waiting(
    database: TestDatabase, api_database: Database, connection: Connection
) -> None:
    pushing, releasing = [[database.add_item(number) for number in pair] for pair in ((1, 2), (3, 4))]
    for item in (*pushing, *releasing):
        await mark_item(api_database, item)
    claims = await queue.claim(connection, "n1", 10, LEASE)
    done, back = claims[:2], claims[2:]
    async with await psycopg.AsyncConnection.connect(**database.parameters) as dba:
        lock = "SELECT FROM update_queue WHERE item_record_id = ANY (%s) FOR UPDATE"
        await dba.execute(lock, [[pushing[0], releasing[0]]])
        told = await queue.finish(connection, "n1", [pushed(claim) for claim in done])
        assert told == {pushing[0]: "locked", pushing[1]: "finished"}
        assert await queue.release(connection, "n1", back) == {releasing[0]: "locked", releasing[1]: "released"}
    assert await queue.finish(connection, "n1", [pushed(done[0])]) == {pushing[0]: "finished"}
    assert await queue.release(connection, "n1", [back[0]]) == {releasing[0]: "released"}
    assert await queue.release(connection, "n1", [back[0]]) == {}, "ours no more"
    assert database.fetch("SELECT count(*), count(lease_until) FROM update_queue") == [(2, 0)]


async def test_a_failure_of_an_item_whose_row_is_locked_is_told_at_once(
    database: TestDatabase, api_database: Database, connection: Connection
) -> None:
    """Without a lock_timeout: it waits for nothing."""
    item = database.add_item(1)
    await mark_item(api_database, item)
    (claim,) = await queue.claim(connection, "n1", 10, LEASE)
    async with await psycopg.AsyncConnection.connect(**database.parameters) as dba:
        await dba.execute("SELECT FROM update_queue FOR UPDATE")
        assert await queue.postpone(connection, "n1", claim, 60, "Somebody is using item 1 in Sierra") == "locked"
        assert await queue.reject(connection, "n1", claim, "Sierra has no item 1") == "locked"
    assert await queue.reject(connection, "n1", claim, "Sierra has no item 1") is True


async def test_a_postponed_item_is_due_later_with_its_reason(
    database: TestDatabase, api_database: Database, connection: Connection
) -> None:
    item = database.add_item(1)
    await mark_item(api_database, item)
    (claim,) = await queue.claim(connection, "n1", 10, LEASE)
    assert await queue.postpone(connection, "n1", claim, 60, "Somebody is using item 1 in Sierra") is not None
    now = row(database, item)
    assert (now["due"], now["attempts"], now["claimed_by"]) == (False, 1, None)
    assert now["last_error"] == "Somebody is using item 1 in Sierra"
    assert await queue.claim(connection, "n1", 10, LEASE) == []
    assert 50 < (await queue.next_wake(connection) or 0) <= 60


async def test_a_rejected_item_waits_for_a_person_and_says_why(
    database: TestDatabase, api_database: Database, connection: Connection
) -> None:
    item = database.add_item(1)
    await mark_item(api_database, item)
    (claim,) = await queue.claim(connection, "n1", 10, LEASE)
    assert await queue.reject(connection, "n1", claim, "Sierra has no item 1", "84.2") is True
    now = row(database, item)
    assert (now["rejected"], now["last_error"], now["leased"]) == (True, "Sierra has no item 1", None)
    assert database.fetch("SELECT outcome, error, call_number_after FROM update_log") == [
        ("rejected", "Sierra has no item 1", "84.2")
    ]
    assert await queue.claim(connection, "n1", 10, LEASE) == []


@pytest.mark.parametrize("outcome", ["postpone", "reject"])
async def test_what_was_marked_again_is_neither_postponed_nor_rejected(
    database: TestDatabase, api_database: Database, connection: Connection, outcome: str
) -> None:
    item = database.add_item(1)
    await mark_item(api_database, item)
    (claim,) = await queue.claim(connection, "n1", 10, LEASE)
    await mark_item(api_database, item)
    if outcome == "postpone":
        assert await queue.postpone(connection, "n1", claim, 60, "busy") is not None
    else:
        assert await queue.reject(connection, "n1", claim, "gone") is False
    now = row(database, item)
    assert (now["due"], now["attempts"], now["claimed_by"], now["last_error"]) == (True, 0, None, None)
    assert database.fetch("SELECT count(*) FROM update_log") == [(0,)], "Sierra was not written"


async def test_a_rejected_item_made_due_by_hand_counts_its_attempts_from_one(
    database: TestDatabase, api_database: Database, connection: Connection
) -> None:
    item = database.add_item(1)
    await mark_item(api_database, item)
    database.fetch("UPDATE update_queue SET attempts = 9")
    (claim,) = await queue.claim(connection, "n1", 10, LEASE)
    assert claim.attempts == 10
    await queue.reject(connection, "n1", claim, "given up")
    database.fetch("UPDATE update_queue SET due_at = now()")
    (claim,) = await queue.claim(connection, "n1", 10, LEASE)
    assert claim.attempts == 1


async def test_a_released_item_is_due_as_before_and_keeps_its_attempt(
    database: TestDatabase, api_database: Database, connection: Connection
) -> None:
    item = database.add_item(1)
    await mark_item(api_database, item)
    due = database.fetch("SELECT due_at FROM update_queue")
    (claim,) = await queue.claim(connection, "n1", 10, LEASE)
    await queue.release(connection, "n1", [claim])
    assert database.fetch("SELECT due_at FROM update_queue") == due
    assert (row(database, item)["attempts"], row(database, item)["claimed_by"]) == (0, None)


async def test_releasing_an_item_marked_again_never_counts_below_zero(
    database: TestDatabase, api_database: Database, connection: Connection
) -> None:
    item = database.add_item(1)
    await mark_item(api_database, item)
    (claim,) = await queue.claim(connection, "n1", 10, LEASE)
    await mark_item(api_database, item)
    await queue.release(connection, "n1", [claim], 60)
    now = row(database, item)
    assert (now["attempts"], now["due"], now["claimed_by"]) == (0, True, None)


async def test_an_item_released_to_the_back_is_due_later(
    database: TestDatabase, api_database: Database, connection: Connection
) -> None:
    item = database.add_item(1)
    await mark_item(api_database, item)
    (claim,) = await queue.claim(connection, "n1", 10, LEASE)
    await queue.release(connection, "n1", [claim], 60)
    assert (row(database, item)["due"], row(database, item)["attempts"]) == (False, 0)


async def test_of_two_claims_of_an_item_told_together_only_the_living_one_counts(
    database: TestDatabase, api_database: Database, connection: Connection
) -> None:
    item = database.add_item(1)
    await mark_item(api_database, item)
    (stale,) = await queue.claim(connection, "n1", 10, LEASE)
    database.fetch("UPDATE update_queue SET lease_until = now() - interval '1 second'")
    (fresh,) = await queue.claim(connection, "n1", 10, LEASE)
    assert await queue.finish(connection, "n1", [pushed(stale), pushed(fresh, outcome="unchanged")]) == {
        item: "finished"
    }
    assert row(database, item)["due"] is False, "to be looked at again, for the write of the stale one may be done late"
    assert database.fetch("SELECT outcome FROM update_log") == [("unchanged",)]
