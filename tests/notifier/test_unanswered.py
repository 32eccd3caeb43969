"""An unanswered write keeps its item; one under a claim that is not known any more has it looked at again."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from db import queue
from db.pool import make_pool
from db.queue import Claim, Connection
from notifier.claims import Claims
from notifier.health import SierraHealth
from notifier.in_flight import ClaimedItem, InFlight, Limits
from notifier.outcomes import RECHECKS, OutcomeWriter
from notifier.sessions import Sessions
from notifier.sierra.errors import ItemRejected, ItemTroubled
from notifier.tasks import Tasks
from notifier.unanswered import UnansweredWrites
from notifier.wakeup import Wakeup
from runtime.settings import NotifierSettings
from tests.fix_notifier import TO_RECHECK
from tests.fix_postgres import TestDatabase
from tests.fix_queue import LEASE, pushed
from tests.notifier.test_database_away import logged
from tests.notifier.test_lost_sessions import until

REFUSING = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not now'; END $$;
CREATE TRIGGER refusing BEFORE UPDATE ON update_queue FOR EACH ROW EXECUTE FUNCTION refuse();
"""
KEPT = "SELECT unanswered_at IS NOT NULL, extract(epoch FROM lease_until - now())::float8, claimed_by FROM update_queue"
SIERRA: dict[str, Any] = {
    "sierra_api_endpoint": "https://sierra.example.org",
    "sierra_api_client_key": "k",
    "sierra_api_client_secret": "s",
}
Fail = Callable[[OutcomeWriter, Claim], Awaitable[object]]
FAILURES: dict[str, Fail] = {
    "postponed": lambda outcomes, claim: outcomes.fail(claim, ItemTroubled("unanswered", "no answer")),
    "rejected": lambda outcomes, claim: outcomes.fail(claim, ItemRejected("unanswered", "no answer")),
    "released": lambda outcomes, claim: outcomes.release([claim]),
}


@pytest.fixture
async def outcomes(database: TestDatabase) -> AsyncIterator[OutcomeWriter]:
    """Those of notifier n1, whose requests take 10 s at the most."""
    async with make_pool({**database.parameters, "options": "-c lock_timeout=100ms"}, 1) as pool:
        yield OutcomeWriter(Sessions(pool), "n1", 10, UnansweredWrites(10, 300))


@pytest.fixture
async def claim(database: TestDatabase, outcomes: OutcomeWriter) -> Claim:
    """The item that n1 pushes."""
    database.fetch("INSERT INTO update_queue (item_record_id) VALUES (%s)", database.add_item(1))
    (claimed,) = await outcomes.claim(1, LEASE)
    return claimed


@pytest.fixture
def in_flight() -> InFlight:
    """The items of n1 that are in flight."""
    return InFlight()


@pytest.fixture
async def tasks() -> AsyncIterator[Tasks]:
    """The tasks of n1."""
    tasks = Tasks(Wakeup())
    yield tasks
    await tasks.cancel()


@pytest.fixture
def claims(outcomes: OutcomeWriter, in_flight: InFlight, tasks: Tasks) -> Claims:
    """Those of n1, one at a time."""
    limits = Limits(pool_size=1, most_items=9, timeout_seconds=10, max_attempts=10)
    return Claims(in_flight, outcomes, Wakeup(), SierraHealth(), limits, tasks.start)


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
    assert database.fetch(TO_RECHECK) == [(True,)]


async def test_after_a_lost_session_what_is_neither_in_hand_nor_unanswered_is_given_back(
    database: TestDatabase, outcomes: OutcomeWriter, connection: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    """The database lost the record of the first item's write, which is noted again, and the third's claim's answer."""
    items = [database.add_item(number) for number in (1, 2, 3)]
    database.fetch("INSERT INTO update_queue (item_record_id) SELECT item_record_id FROM sierra_item")
    claims = {one.item_record_id: one for one in await queue.claim(connection, "n1", 3, LEASE)}
    outcomes.unanswered.add(claims[items[0]], time.monotonic())
    await outcomes.give_back([items[1]])
    assert database.fetch("SELECT claimed_by FROM update_queue ORDER BY item_record_id") == [("n1",), ("n1",), (None,)]
    assert caplog.messages == ["given back after a lost session"]


async def look(claims: Claims) -> None:
    """Claim, as the notifier does."""
    claims.expect_more()
    claiming = claims.next_claim()
    assert claiming is not None
    await claiming


async def test_a_write_done_while_the_database_was_away_for_long_is_looked_at_again_all_the_same(
    database: TestDatabase, outcomes: OutcomeWriter, claim: Claim, claims: Claims, tasks: Tasks, in_flight: InFlight
) -> None:
    """The new primary of a failover: the record of it is lost, and another notifier has pushed the item meanwhile."""
    database.fetch("DELETE FROM update_queue")
    outcomes.unanswered.add(claim, time.monotonic() - 1000)
    outcomes.unanswered.add(replace(claim, item_record_id=0), time.monotonic())
    in_flight.lost_at = time.monotonic()
    await look(claims)
    await until(lambda: not len(tasks))
    assert database.fetch("SELECT pushed_revision = revision, due_at > now() FROM update_queue") == [(True, True)]
    assert outcomes.owed == set()


async def test_a_write_that_can_not_be_done_any_more_is_forgotten_at_the_next_claim_unless_a_session_was_lost(
    outcomes: OutcomeWriter, claim: Claim, claims: Claims, in_flight: InFlight
) -> None:
    outcomes.unanswered.add(claim, time.monotonic() - 1000)
    for lost_at, remembered in ((float("inf"), [claim]), (-1.0, [])):
        in_flight.lost_at = lost_at
        await look(claims)
        assert outcomes.unanswered.claims() == remembered


async def test_a_write_is_remembered_for_as_long_as_its_outcome_is_not_written(
    outcomes: OutcomeWriter, claim: Claim, claims: Claims, in_flight: InFlight
) -> None:
    """A person has locked the row for longer than a write may be done late."""
    outcomes.unanswered.add(claim, time.monotonic() - 1000)
    item = ClaimedItem(claim, 0.0, 0.0)
    in_flight.items.add(item)
    await look(claims)
    assert outcomes.unanswered.claims() == [claim]
    in_flight.items.remove(item)
    await look(claims)
    assert outcomes.unanswered.claims() == []


async def test_an_item_that_is_claimed_anew_waits_if_it_is_being_written_under_any_older_claim(
    database: TestDatabase, claim: Claim, claims: Claims, in_flight: InFlight
) -> None:
    in_flight.items = {ClaimedItem(claim, 0.0, 0.0, is_being_written=number == 0) for number in range(5)}
    database.fetch("UPDATE update_queue SET claimed_by = NULL, lease_until = NULL")
    await look(claims)
    assert database.fetch("SELECT claimed_by, lease_until > now() FROM update_queue") == [(None, True)]
    assert len(in_flight.items) == 5
    assert all(item.is_lost for item in in_flight.items)


async def test_a_write_whose_row_is_locked_after_a_lost_session_is_noted_again_when_it_is_free(
    database: TestDatabase, outcomes: OutcomeWriter, claim: Claim, claims: Claims, tasks: Tasks, in_flight: InFlight
) -> None:
    """The database has lost the record of it. Meanwhile the lock keeps no claim waiting."""
    outcomes.unanswered.add(claim, time.monotonic())
    unanswered = "SELECT unanswered_at IS NOT NULL FROM update_queue WHERE item_record_id = %s"
    with database.connect() as person:
        person.autocommit = False
        person.execute("SELECT FROM update_queue FOR UPDATE")
        in_flight.lost_at = time.monotonic()
        await look(claims)
        assert len(tasks) == 1
        assert database.fetch(unanswered, claim.item_record_id) == [(False,)]
    await until(lambda: not len(tasks))
    assert database.fetch(unanswered, claim.item_record_id) == [(True,)]


async def test_looks_at_items_that_other_sessions_are_entering_keep_no_other_from_being_noted(
    database: TestDatabase, claim: Claim, tasks: Tasks
) -> None:
    database.fetch("DELETE FROM update_queue")
    entering = [database.add_item(number) for number in range(1001, 1001 + RECHECKS)]
    async with make_pool({**database.parameters, "options": "-c lock_timeout=10"}, RECHECKS) as pool:
        outcomes = OutcomeWriter(Sessions(pool), "n1", 10, UnansweredWrites())
        with database.connect() as person, person.transaction():
            person.execute("INSERT INTO update_queue (item_record_id) SELECT unnest(%s::bigint[])", [entering])
            for item in (*entering, claim.item_record_id):
                tasks.start(outcomes.recheck(replace(claim, item_record_id=item)))
            await until(lambda: len(tasks) == RECHECKS)
            assert claim not in outcomes.owed
        await until(lambda: not len(tasks))
    assert database.fetch("SELECT count(unanswered_at) FROM update_queue") == [(RECHECKS + 1,)]


async def test_what_the_database_refuses_to_note_is_owed_until_it_does(
    database: TestDatabase, outcomes: OutcomeWriter, claim: Claim, tasks: Tasks, caplog: pytest.LogCaptureFixture
) -> None:
    database.fetch(REFUSING)
    tasks.start(outcomes.recheck(claim))
    await logged(caplog, "database refuses, keeping the outcome: not now")
    assert outcomes.owed == {claim}
    database.fetch("DROP TRIGGER refusing ON update_queue")
    await until(lambda: not len(tasks))
    assert outcomes.owed == set()
    assert database.fetch("SELECT unanswered_at IS NOT NULL FROM update_queue") == [(True,)]


def test_a_late_write_is_awaited_for_longer_than_its_item_is_kept() -> None:
    assert NotifierSettings(**SIERRA, sierra_api_client_timeout_seconds=600).late_write_seconds == 2400
