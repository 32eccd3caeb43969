"""A notifier lets go of what it holds when it stops, and when too little of a lease is left."""

import time

import pytest

from tests.fix_notifier import EMPTY, NO_SWEEP, OUTCOMES, Notifier, add_items, eventually, mark
from tests.fix_postgres import TestDatabase
from tests.fix_sierra import SierraInThread


async def test_a_stop_finishes_what_is_being_written_and_gives_the_rest_back(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    mark(database, *add_items(database, sierra, *range(1001, 1011)))
    barrier = sierra.hold(times=None)
    async with notifier(**NO_SWEEP, sierra_api_client_pool_size=2, sierra_update_batch_size_limit=6) as service:
        await sierra.until(lambda journal: len(journal.find("put_item")) == 2)
        service.wakeup.stop()
        await eventually(database, "SELECT count(*) = 2 FROM update_queue WHERE lease_until IS NOT NULL")
        barrier.off()
    assert database.fetch(OUTCOMES) == [(["pushed", "pushed"],)]
    assert database.fetch("SELECT count(*), max(attempts), count(lease_until) FROM update_queue") == [(8, 0, 0)]


@pytest.mark.parametrize("left", [1, 15], ids=["no write", "no write that then has no answer"])
async def test_a_lease_too_short_for_a_write_is_left_to_the_next_claim(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier, left: float
) -> None:
    """Of 10 s for each."""
    mark(database, *add_items(database, sierra, 1001))
    reading = sierra.hold(kind="get_items")
    async with notifier(**NO_SWEEP) as service:
        await reading.reached()
        for item in service.in_flight.items:
            item.lease_ends = time.monotonic() + left  # as if this process had stood still since the claim
        reading.release()
        await eventually(database, EMPTY)
    assert database.fetch(OUTCOMES) == [(["pushed"],)]
    assert len(sierra.requests("get_items")) == 2, "dropped before its PUT, read again by the next claim"
    assert len(sierra.requests("put_item")) == 1
