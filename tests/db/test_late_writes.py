"""A write that had no answer may be done late: its item waits, and is looked at again after its next push."""

from dataclasses import replace

import pytest

from db import queue
from db.queue import Claim, Connection
from db.requests import Database
from tests.fix_postgres import TestDatabase
from tests.fix_queue import KEEP, LEASE, claim_one, end_unanswered, mark_item, pass_time, pushed, row

LATE = 300.0
LATE_ROW = """
    SELECT priority, pushed_revision, unanswered_at IS NOT NULL,
        round(extract(epoch FROM due_at - unanswered_at)), claimed_by, lease_until
    FROM update_queue WHERE item_record_id = %s
"""


@pytest.mark.parametrize("outcome", ["postpone", "release", "reject"])
@pytest.mark.parametrize("marked", ["before", "after"])
async def test_no_claim_takes_an_item_while_its_unanswered_write_may_be_under_way(
    database: TestDatabase, api_database: Database, connection: Connection, claimed: Claim, outcome: str, marked: str
) -> None:
    if marked == "before":
        await mark_item(api_database, claimed.item_record_id)
    await end_unanswered(connection, claimed, outcome)
    if marked == "after":
        await mark_item(api_database, claimed.item_record_id)
    assert await queue.claim(connection, "n2", 10, LEASE) == []
    assert KEEP - 5 < (await queue.next_wake(connection) or 0) <= KEEP
    pass_time(database, KEEP + 1)
    claim = await claim_one(connection, "n2")
    assert (claim.revision, claim.attempts) == (2, 1)


async def test_an_item_whose_write_had_no_answer_is_looked_at_again_after_its_push(
    database: TestDatabase, connection: Connection, claimed: Claim
) -> None:
    await end_unanswered(connection, claimed, "postpone")
    pass_time(database, KEEP + 1)
    again = await claim_one(connection)
    assert not again.is_recheck
    assert await queue.finish(connection, "n1", [pushed(again)]) == {again.item_record_id: "finished"}
    assert database.fetch(LATE_ROW, again.item_record_id) == [(2, 1, True, LATE, None, None)]
    pass_time(database, LATE)
    look = await claim_one(connection)
    assert (look.is_recheck, look.pushed_call_number) == (True, "84.31 Jännitys")
    found = pushed(look, outcome="unchanged", call_number_before="84.31 Jännitys")
    assert await queue.finish(connection, "n1", [found]) == {look.item_record_id: "finished"}
    assert row(database, look.item_record_id) == {}
    assert database.fetch("SELECT outcome FROM update_log") == [("pushed",)], "what was so is not told again"


async def test_a_late_write_that_was_done_is_mended_and_told(
    database: TestDatabase, connection: Connection, claimed: Claim
) -> None:
    await queue.finish(connection, "n1", [pushed(claimed, unanswered=True)])
    pass_time(database, LATE)
    look = await claim_one(connection)
    await queue.finish(connection, "n1", [pushed(look)])
    assert row(database, look.item_record_id) == {}
    assert database.fetch("SELECT outcome FROM update_log") == [("pushed",), ("pushed",)]


async def test_a_look_that_finds_what_no_push_in_history_wrote_is_told(
    database: TestDatabase, connection: Connection, claimed: Claim
) -> None:
    """The look before wrote a class that the sync had brought, and its answer was lost."""
    await queue.finish(connection, "n1", [pushed(claimed, unanswered=True)])
    pass_time(database, LATE)
    look = await claim_one(connection)
    found = pushed(look, outcome="unchanged", call_number_before="85.1 Jännitys", call_number_after="85.1 Jännitys")
    await queue.finish(connection, "n1", [found])
    told = "SELECT outcome, call_number_after FROM update_log ORDER BY update_log_id"
    assert database.fetch(told) == [("pushed", "84.31 Jännitys"), ("unchanged", "85.1 Jännitys")]


async def test_marks_and_pushes_before_the_look_put_it_off_for_none(
    database: TestDatabase, api_database: Database, connection: Connection, claimed: Claim
) -> None:
    """Each push may come before the late write."""
    await end_unanswered(connection, claimed, "release")
    for passed in (KEEP + 1, 100, 100):
        pass_time(database, passed)
        await mark_item(api_database, claimed.item_record_id)
        await queue.finish(connection, "n1", [pushed(await claim_one(connection))])
        assert database.fetch(LATE_ROW, claimed.item_record_id)[0][3] == LATE, "from the write on"
    pass_time(database, 100)
    assert (await claim_one(connection)).is_recheck


async def test_a_push_that_begins_after_the_last_moment_of_a_late_write_is_the_last_look(
    database: TestDatabase, connection: Connection, claimed: Claim
) -> None:
    await end_unanswered(connection, claimed, "postpone")
    pass_time(database, LATE)
    await queue.finish(connection, "n1", [pushed(await claim_one(connection))])
    assert row(database, claimed.item_record_id) == {}


async def test_a_mark_on_an_item_that_is_only_looked_at_again_enters_anew(
    database: TestDatabase, api_database: Database, connection: Connection, claimed: Claim
) -> None:
    await queue.finish(connection, "n1", [pushed(claimed, unanswered=True)])
    await mark_item(api_database, claimed.item_record_id, "printer 2")
    claim = await claim_one(connection)
    assert (claim.is_recheck, row(database, claim.item_record_id)["queued_by"]) == (False, "printer 2")
    assert claim.queued_at == claim.claimed_at or claim.queued_at > claimed.queued_at
    assert row(database, claim.item_record_id)["priority"] == 0


async def test_a_lease_that_lapsed_counts_as_an_unanswered_write(
    database: TestDatabase, connection: Connection, claimed: Claim
) -> None:
    """The notifier was killed: between the write and its outcome, maybe."""
    pass_time(database, LEASE + 1)
    again = await claim_one(connection, "n2")
    assert again.attempts == 2
    await queue.finish(connection, "n2", [pushed(again)])
    assert database.fetch(LATE_ROW, again.item_record_id) == [(2, 1, True, LATE, None, None)]


async def test_what_is_claimed_in_our_name_and_not_in_our_hands_is_given_back(
    database: TestDatabase, api_database: Database, connection: Connection
) -> None:
    items = [database.add_item(number) for number in range(1, 6)]
    for item in items[:4]:
        await mark_item(api_database, item)
    claims = await queue.claim(connection, "n1", 10, LEASE)
    await mark_item(api_database, items[4])
    await queue.claim(connection, "n2", 10, LEASE)
    await queue.reject(connection, "n1", claims[1], "Sierra did not answer", keep_seconds=KEEP)
    await queue.postpone(connection, "n1", claims[2], 0, "Sierra did not answer", KEEP)
    assert await queue.give_back(connection, "n1", [items[0]]) == [items[3]]
    assert [row(database, item)["claimed_by"] for item in items] == ["n1", "n1", None, None, "n2"]
    assert (await claim_one(connection)).attempts == 1


@pytest.mark.parametrize("who", ["nobody", "another", "gone"])
async def test_a_write_under_a_claim_that_is_not_known_any_more_has_its_item_looked_at_again(
    database: TestDatabase, connection: Connection, claimed: Claim, who: str
) -> None:
    """After a failover: the row may wait unclaimed, be another's, or be finished already."""
    item = claimed.item_record_id
    database.fetch("UPDATE update_queue SET claimed_by = NULL, lease_until = NULL, attempts = 0")
    if who != "nobody":
        other = await claim_one(connection, "n2")
    if who == "gone":
        await queue.finish(connection, "n2", [pushed(other)])
    assert await queue.recheck(connection, "n1", item) is None
    assert await queue.recheck(connection, "n1", 4711) is None, "it is removed here"
    if who == "gone":
        assert database.fetch(LATE_ROW, item) == [(2, 1, True, LATE, None, None)]
        return
    if who == "nobody":
        other = await claim_one(connection, "n2")
    await queue.finish(connection, "n2", [pushed(other)])
    assert database.fetch(LATE_ROW, item) == [(2, 1, True, LATE, None, None)]


async def test_a_write_whose_row_is_locked_is_told_at_once(
    database: TestDatabase, connection: Connection, claimed: Claim
) -> None:
    """Without a lock_timeout: it waits for nothing."""
    item = claimed.item_record_id
    with database.connect() as dba, dba.transaction():
        dba.execute("SELECT FROM update_queue FOR UPDATE")
        assert await queue.recheck(connection, "n1", item) == "locked"
    assert await queue.recheck(connection, "n1", item) is None
    assert database.fetch("SELECT count(unanswered_at) FROM update_queue") == [(1,)]


async def test_a_push_is_unproven_where_sierra_had_not_what_the_push_before_wrote(
    database: TestDatabase, api_database: Database, connection: Connection, claimed: Claim
) -> None:
    """Of earlier pushes only the newest counts; and a push that leaves the call number proves nothing about it."""
    item = claimed.item_record_id
    story: list[tuple[str | None, str | None, queue.Finish]] = [
        ("84.2", "84.31", "finished"),
        ("84.2", "84.31", "unproven"),
        ("84.31", "86", "finished"),
        ("84.2", "84.2", "finished"),
        ("84.2", "86", "finished"),
        ("86", "86", "finished"),
        ("84.2", "86", "unproven"),
        (None, "86", "unproven"),
    ]
    for before, after, expected in story:
        await mark_item(api_database, item)
        database.fetch("UPDATE update_queue SET lease_until = NULL, claimed_by = NULL")
        done = pushed(await claim_one(connection), call_number_before=before, call_number_after=after, proven=False)
        assert await queue.finish(connection, "n1", [done]) == {item: expected}, (before, after)
        if expected == "unproven":
            assert row(database, item)["leased"], "nothing is done"
            assert await queue.finish(connection, "n1", [replace(done, proven=True)]) == {item: "finished"}
