"""A person's acts on an item with an unanswered write: no act lets it be forgotten."""

from typing import Any

import pytest

from db import history, queue, queue_people
from db.queue import Claim, Connection
from tests.fix_postgres import TestDatabase
from tests.fix_queue import KEEP, LEASE, claim_one, end_unanswered, pass_time, pushed, row

LATE = 300.0


async def test_retrying_an_item_waits_for_its_unanswered_write(
    database: TestDatabase, connection: Connection, claimed: Claim
) -> None:
    await end_unanswered(connection, claimed, "reject")
    assert await queue_people.retry(connection, "aino", item_numbers=["1"]) == [claimed.item_record_id]
    assert await queue.claim(connection, "n2", 10, LEASE) == []
    pass_time(database, KEEP + 1)
    assert (await claim_one(connection, "n2")).attempts == 1


async def test_a_rejected_item_that_is_made_due_by_hand_counts_from_one_though_it_kept_its_lease(
    database: TestDatabase, connection: Connection, claimed: Claim
) -> None:
    database.fetch("UPDATE update_queue SET attempts = 10")
    await end_unanswered(connection, claimed, "reject")
    database.fetch("UPDATE update_queue SET due_at = now()")
    pass_time(database, KEEP + 1)
    assert (await claim_one(connection, "n2")).attempts == 1


@pytest.mark.parametrize("outcome", ["postpone", "reject", "lapse"])
async def test_an_item_is_dismissed_only_when_its_write_can_not_be_done_any_more_and_history_tells_of_it(
    database: TestDatabase, connection: Connection, claimed: Claim, outcome: str
) -> None:
    """Without the row, a new mark's push would be followed by the late write, and nobody would look."""
    if outcome == "lapse":
        pass_time(database, LEASE + 1)
    else:
        await end_unanswered(connection, claimed, outcome)
        pass_time(database, KEEP + 1)
    dismissed: dict[str, Any] = {"item_numbers": ["1"]}
    assert await queue_people.dismiss(connection, "aino", LATE, **dismissed) == []
    pass_time(database, LATE)
    assert await queue_people.dismiss(connection, "aino", LATE, **dismissed) == [claimed.item_record_id]
    ((error,),) = database.fetch("SELECT error FROM update_log WHERE outcome = 'dismissed'")
    assert error.endswith("it is not known whether a write that had no answer was done")


async def test_a_push_that_is_to_be_looked_at_again_can_be_undone(
    database: TestDatabase, connection: Connection, claimed: Claim
) -> None:
    await queue.finish(connection, "n1", [pushed(claimed, unanswered=True)])
    ((undone,),) = database.fetch("SELECT update_log_id FROM update_log")
    (revert,) = await history.queue_reverts(connection, "liisa", [undone])
    assert revert.queued
    claim = await claim_one(connection)
    assert (claim.revert_of, claim.is_recheck) == (undone, False)
    await queue.finish(connection, "n1", [pushed(claim)])
    assert row(database, claim.item_record_id)["due"] is False, "the late write is still looked for"


async def test_a_revert_is_rejected_only_when_no_write_can_be_done_after_it(
    database: TestDatabase, connection: Connection, claimed: Claim
) -> None:
    """History then says what Sierra has."""
    await queue.finish(connection, "n1", [pushed(claimed, unanswered=True)])
    ((undone,),) = database.fetch("SELECT update_log_id FROM update_log")
    await history.queue_reverts(connection, "liisa", [undone])
    claim = await claim_one(connection)
    assert await queue.reject(connection, "n1", claim, "Sierra has '84.2'", "84.2") is False
    assert database.fetch("SELECT state FROM queue_detail") == [("postponed",)]
    pass_time(database, LATE)
    claim = await claim_one(connection)
    assert claim.revert_of == undone
    assert await queue.reject(connection, "n1", claim, "Sierra has '85.1'", "85.1") is True
    assert database.fetch("SELECT outcome, call_number_after FROM update_log ORDER BY update_log_id")[1:] == [
        ("rejected", "85.1")
    ]


async def test_a_look_that_is_rejected_is_no_look_any_more(
    database: TestDatabase, connection: Connection, claimed: Claim
) -> None:
    """So a retry of it is logged, whatever it finds."""
    await queue.finish(connection, "n1", [pushed(claimed, unanswered=True)])
    pass_time(database, LATE)
    claim = await claim_one(connection)
    assert claim.is_recheck
    assert await queue.reject(connection, "n1", claim, "Sierra refuses it") is True
    assert database.fetch("SELECT pushed_revision FROM update_queue") == [(None,)]
