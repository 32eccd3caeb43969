"""A notifier that is killed, told to stop, or frozen in the middle of its work: another carries on without error."""

import pytest

from tests.fix_library import NEW, Library
from tests.fix_notifier import eventually
from tests.fix_postgres import TestDatabase
from tests.fix_processes import Start
from tests.fix_sierra import SierraInThread

NO_SWEEP = {"sierra_update_interval_seconds": 3600}
LEASED = "SELECT count(*) FROM update_queue WHERE lease_until > now()"
HELD_BY = "SELECT item_number FROM update_queue JOIN sierra_item USING (item_record_id) WHERE claimed_by LIKE %s"
CLAIMING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
CLAIMS_WAIT = """
    CREATE FUNCTION wait_for_the_test() RETURNS trigger LANGUAGE plpgsql SET lock_timeout = 0
        AS 'BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NEW; END';
    CREATE TRIGGER claims_wait BEFORE UPDATE ON update_queue
        FOR EACH ROW WHEN (NEW.lease_until > now()) EXECUTE FUNCTION wait_for_the_test();
"""
OUTCOMES = "SELECT item_number, outcome FROM update_log ORDER BY item_number"


def end_leases(database: TestDatabase) -> None:
    """As if their time were over."""
    database.fetch("UPDATE update_queue SET lease_until = now() WHERE lease_until > now()")


async def test_wherever_a_notifier_is_killed_the_next_one_finishes_its_items(
    database: TestDatabase, sierra: SierraInThread, library: Library, start: Start
) -> None:
    numbers = range(1001, 1007)
    library.add(*numbers)
    before_reading = sierra.hold("get_items")
    killed = start("notifier", **NO_SWEEP)
    library.mark(*numbers)
    await before_reading.reached()
    killed.kill()
    before_reading.off()
    end_leases(database)

    before_writing = sierra.hold("get_items", after_applying=True)
    killed = start("notifier", **NO_SWEEP)
    await before_writing.reached()
    killed.kill()
    before_writing.off()
    end_leases(database)
    assert sierra.requests("put_item") == []

    before_finishing = sierra.hold("put_item", item="1003", after_applying=True)
    killed = start("notifier", **NO_SWEEP)
    await before_finishing.reached()
    await eventually(database, "SELECT count(*) FROM update_log", 5)
    killed.kill()
    before_finishing.off()
    end_leases(database)

    start("notifier", **NO_SWEEP)
    library.check()
    ends = {str(number): "unchanged" if number == 1003 else "pushed" for number in numbers}
    assert dict(database.fetch(OUTCOMES)) == ends
    assert sorted(put.item_numbers[0] for put in sierra.requests("put_item")) == sorted(ends)


async def test_a_notifier_told_to_stop_finishes_what_it_writes_and_told_twice_it_ends_at_once(
    database: TestDatabase, sierra: SierraInThread, library: Library, start: Start
) -> None:
    numbers = range(1001, 1013)
    library.add(*numbers)
    writing = sierra.hold("put_item", times=None)
    stopped = start("notifier", **NO_SWEEP)
    library.mark(*numbers)
    await writing.reached()
    stopped.terminate()
    stopped.wait_for_words("stopping: finishing what is being written")
    writing.off()
    assert stopped.wait(15) == 0
    assert not stopped.said("stopping with requests under way"), "in time"
    written = {put.item_numbers[0] for put in sierra.puts()}
    assert 1 <= len(written) <= 4
    assert {number for number, _ in database.fetch(OUTCOMES)} == written
    left = database.fetch("SELECT DISTINCT attempts, lease_until, claimed_by, last_error FROM update_queue")
    assert left == [(0, None, None, None)]

    writing = sierra.hold("put_item", times=None)
    ended = start("notifier", **NO_SWEEP)
    await writing.reached()
    ended.terminate()
    ended.wait_for_words("stopping: finishing what is being written")
    ended.terminate()
    assert ended.wait(5) == 1
    writing.off()
    end_leases(database)

    start("notifier", **NO_SWEEP)
    library.check()


@pytest.mark.long
async def test_a_lease_lapses_by_itself_and_who_was_frozen_meanwhile_writes_nothing(
    database: TestDatabase, sierra: SierraInThread, library: Library, start: Start
) -> None:
    """Four items are claimed by two notifiers: one is killed as it claims, one is frozen until its lease is over."""
    numbers = (1001, 1002, 1003, 1004)
    library.add(*numbers)
    hasty = {**NO_SWEEP, "sierra_api_client_timeout_seconds": 0.5, "sierra_update_batch_size_limit": 2}  # lease: 13 s
    frozen, killed = start("notifier", **hasty), start("notifier", **hasty)
    database.fetch(CLAIMS_WAIT)
    with database.connect() as barrier:
        barrier.execute("SELECT pg_advisory_lock(1)")
        library.mark(*numbers)
        await eventually(database, CLAIMING, 2)
        frozen.freeze()
        killed.kill()
    await eventually(database, LEASED, 4)
    outdated, _ = database.fetch(HELD_BY, f"%:{frozen.pid}:%")
    library.classify(int(outdated[0]), "85.2")
    start("notifier", **NO_SWEEP)
    library.wait_until_drained(at_most=60)  # of itself: the sweep comes in an hour

    frozen.thaw()
    frozen.wait_for_words("left to the next claim: its lease is too short to write")
    frozen.wait_for_words("unchanged, but its claim was not ours any more")
    library.check()
    assert len(sierra.requests("put_item")) == 4
    assert len(database.fetch(OUTCOMES)) == 4


async def test_who_was_frozen_inside_a_write_spoils_nothing(
    database: TestDatabase, sierra: SierraInThread, library: Library, start: Start
) -> None:
    library.add(1001)
    written = sierra.hold("put_item", after_applying=True)
    frozen = start("notifier", **NO_SWEEP, sierra_api_client_timeout_seconds=60)
    library.mark(1001)
    await written.reached()
    frozen.freeze()
    library.classify(1001, "85.2")
    library.mark(1001)
    end_leases(database)
    start("notifier", **NO_SWEEP)
    library.wait_until_drained(at_most=15)
    frozen.thaw()
    written.off()
    frozen.wait_for_words("its claim was not ours any more")
    (lapsed, _) = sierra.requests("put_item")
    library.check(lapsed=(lapsed.number,))
    ((before, after),) = database.fetch("SELECT call_number_before, call_number_after FROM update_log")
    assert (before, after) == (f"{NEW} Jännitys", "85.2 Jännitys")


@pytest.mark.parametrize("kind", ["token", "get_items"])
async def test_a_notifier_frozen_past_the_deadline_of_a_request_goes_on(
    database: TestDatabase, sierra: SierraInThread, library: Library, start: Start, kind: str
) -> None:
    """Of one connection, which each next request gets: thawed, it finds the answer and the deadline at once."""
    library.add(1001, 1002)
    asked = sierra.hold(kind)
    frozen = start("notifier", **NO_SWEEP, sierra_api_client_timeout_seconds=1, sierra_api_client_pool_size=1)
    library.mark(1001, 1002)
    await asked.reached()
    frozen.freeze()
    asked.off()
    ((deadline,),) = database.fetch("SELECT now() + interval '1.1 s'")
    await eventually(database, f"SELECT now() > '{deadline}'")
    frozen.thaw()
    library.check()
