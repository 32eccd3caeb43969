"""A notifier lets go of what it holds when it stops, and when too little of a lease is left."""

import time
from typing import Any

import pytest

from db import queue
from tests.fix_notifier import EMPTY, NO_SWEEP, OUTCOMES, Notifier, add_items, eventually, mark
from tests.fix_postgres import TestDatabase
from tests.fix_sierra import SierraInThread
from tests.notifier.test_lost_sessions import until


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


async def test_a_push_whose_outcome_waits_longer_than_its_lease_is_not_pushed_again(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person has locked history, so the row in the queue is free, and due when its lease has lapsed."""
    first, second = add_items(database, sierra, 1001, 1002)
    claim = queue.claim

    async def claim_for_a_moment(connection: Any, notifier: str, limit: int, _: float, *more: Any) -> list[queue.Claim]:
        if claims := await claim(connection, notifier, limit, 0.0, *more):
            monkeypatch.setattr(queue, "claim", claim)
            database.fetch("UPDATE queue_control SET paused_at = now()")  # not claimed again before it is pushed
        return claims

    monkeypatch.setattr(queue, "claim", claim_for_a_moment)
    async with notifier(**NO_SWEEP) as service:
        with database.connect() as dba, dba.transaction():
            dba.execute("LOCK TABLE update_log IN SHARE MODE")
            mark(database, first)
            await until(lambda: any(item.is_settled for item in service.in_flight.items))
            database.fetch("UPDATE queue_control SET paused_at = NULL")
            mark(database, second)
            await sierra.until(lambda journal: len(journal.find("put_item")) == 2)
        await eventually(database, EMPTY)
    assert database.fetch(OUTCOMES) == [(["pushed", "pushed"],)]
