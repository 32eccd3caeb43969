"""An unanswered write keeps its item; one under a claim that is not known any more has it looked at again."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import pytest

from db import queue
from db.pool import make_pool
from db.queue import Claim, Connection
from notifier.claims import Claims
from notifier.health import SierraHealth
from notifier.in_flight import InFlight, Limits
from notifier.outcomes import OutcomeWriter
from notifier.sessions import Sessions
from notifier.sierra.errors import ItemRejected, ItemTroubled
from notifier.unanswered import UnansweredWrites
from notifier.wakeup import Wakeup
from tests.fix_postgres import TestDatabase
from tests.fix_queue import LEASE, pushed

KEPT = "SELECT unanswered_at IS NOT NULL, extract(epoch FROM lease_until - now())::float8, claimed_by FROM update_queue"
Fail = Callable[[OutcomeWriter, Claim], Awaitable[object]]
FAILURES: dict[str, Fail] = {
    "postponed": lambda outcomes, claim: outcomes.fail(claim, ItemTroubled("unanswered", "no answer")),
    "rejected": lambda outcomes, claim: outcomes.fail(claim, ItemRejected("unanswered", "no answer")),
    "released": lambda outcomes, claim: outcomes.release([claim]),
}


@pytest.fixture
async def outcomes(database: TestDatabase) -> AsyncIterator[OutcomeWriter]:
    """Those of notifier n1, whose requests take 10 s at the most."""
    async with make_pool(database.parameters, 1) as pool:
        yield OutcomeWriter(Sessions(pool), "n1", 10, UnansweredWrites(10, 300))


@pytest.fixture
async def claim(database: TestDatabase, outcomes: OutcomeWriter) -> Claim:
    """The item that n1 pushes."""
    database.fetch("INSERT INTO update_queue (item_record_id) VALUES (%s)", database.add_item(1))
    (claimed,) = await outcomes.claim(1, LEASE)
    return claimed


@pytest.mark.parametrize("outcome", FAILURES)
async def test_an_item_whose_write_had_no_answer_is_kept_until_two_timeouts_after_it_was_sent(
    database: TestDatabase, outcomes: OutcomeWriter, claim: Claim, outcome: str
) -> None:
    outcomes.unanswered.add(claim, time.monotonic() - 8)
    await FAILURES[outcome](outcomes, claim)
    ((unanswered, seconds, holder),) = database.fetch(KEPT)
    assert unanswered
    assert 5 < seconds <= 12
    assert holder == ("n1" if outcome == "rejected" else None)


@pytest.mark.parametrize("outcome", FAILURES)
async def test_an_item_whose_write_was_answered_is_not_kept(
    database: TestDatabase, outcomes: OutcomeWriter, claim: Claim, outcome: str
) -> None:
    await FAILURES[outcome](outcomes, claim)
    assert database.fetch(KEPT)[0][:2] == (False, None)


@pytest.mark.parametrize("outcome", [*FAILURES, "finished"])
async def test_an_item_written_under_a_claim_that_is_not_known_any_more_is_looked_at_again(
    database: TestDatabase, outcomes: OutcomeWriter, claim: Claim, outcome: str
) -> None:
    """The new primary of a failover: another has pushed the item meanwhile, and our write may have come after that."""
    database.fetch("DELETE FROM update_queue")
    if outcome == "finished":
        assert await outcomes.finish(pushed(claim)) is None
    else:
        outcomes.unanswered.add(claim, time.monotonic())
        await FAILURES[outcome](outcomes, claim)
    assert database.fetch("SELECT pushed_revision = revision, priority, queued_by FROM update_queue") == [
        (True, 2, "n1")
    ]


async def test_a_push_of_which_one_sending_had_no_answer_is_looked_at_again(
    database: TestDatabase, outcomes: OutcomeWriter, claim: Claim
) -> None:
    outcomes.unanswered.add(claim, time.monotonic())
    assert await outcomes.finish(pushed(claim)) == "finished"
    assert database.fetch("SELECT pushed_revision = revision FROM update_queue") == [(True,)]


async def test_after_a_lost_session_what_is_not_in_hand_is_given_back_and_unanswered_writes_are_noted_again(
    database: TestDatabase, outcomes: OutcomeWriter, connection: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    """The database lost the record of the first item's write, and the answer to the claim of the third."""
    items = [database.add_item(number) for number in (1, 2, 3)]
    database.fetch("INSERT INTO update_queue (item_record_id) SELECT item_record_id FROM sierra_item")
    claims = {one.item_record_id: one for one in await queue.claim(connection, "n1", 3, LEASE)}
    outcomes.unanswered.add(claims[items[0]], time.monotonic())
    await outcomes.give_back([items[1]])
    found = "SELECT claimed_by, unanswered_at IS NOT NULL FROM update_queue ORDER BY item_record_id"
    assert database.fetch(found) == [("n1", True), ("n1", False), (None, False)]
    assert caplog.messages == ["given back after a lost session"]


async def test_a_write_done_while_the_database_was_away_for_long_is_looked_at_again_all_the_same(
    database: TestDatabase, outcomes: OutcomeWriter, claim: Claim
) -> None:
    """The new primary of a failover: the record of it is lost, and another notifier has pushed the item meanwhile."""
    database.fetch("DELETE FROM update_queue")
    outcomes.unanswered.add(claim, time.monotonic() - 1000)
    outcomes.unanswered.add(replace(claim, item_record_id=0), time.monotonic())
    await outcomes.give_back([])
    assert database.fetch("SELECT pushed_revision = revision, due_at > now() FROM update_queue") == [(True, True)]


async def test_a_write_that_can_not_be_done_any_more_is_forgotten_at_the_next_claim_unless_a_session_was_lost(
    outcomes: OutcomeWriter, claim: Claim
) -> None:
    in_flight, wakeup, health = InFlight(), Wakeup(), SierraHealth()
    claims = Claims(in_flight, outcomes, wakeup, health, Limits(pool_size=1, most_items=1, timeout_seconds=10))
    outcomes.unanswered.add(claim, time.monotonic() - 1000)
    for lost_at, remembered in ((float("inf"), [claim.item_record_id]), (-1.0, [])):
        in_flight.lost_at = lost_at
        claims.expect_more()
        look = claims.next_claim()
        assert look is not None
        await look
        assert outcomes.unanswered.items() == remembered


def test_a_late_write_is_awaited_for_longer_than_its_item_is_kept() -> None:
    assert UnansweredWrites(timeout_seconds=600, late_seconds=300).late_seconds == 2400
