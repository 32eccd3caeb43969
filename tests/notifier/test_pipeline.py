"""The pipeline bounds the requests at Sierra, reads by chunks, and shares the queue."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from notifier.claims import Claims
from notifier.health import SierraHealth
from notifier.in_flight import InFlight, Limits
from notifier.outcomes import OutcomeWriter
from notifier.wakeup import Wakeup
from tests.fix_health import claimed
from tests.fix_notifier import EMPTY, NO_SWEEP, Notifier, add_items, eventually, mark
from tests.fix_postgres import TestDatabase
from tests.fix_sierra import SierraInThread


async def test_requests_are_one_read_per_chunk_and_one_write_per_item(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    mark(database, *add_items(database, sierra, *range(1001, 1041)))
    sierra.set_latency(0.02)
    async with notifier(**NO_SWEEP, sierra_api_client_pool_size=4, sierra_update_batch_size_limit=0):
        await eventually(database, EMPTY)
    assert len(sierra.requests("get_items")) == 10
    assert len(sierra.requests("get_item")) == 0
    assert len(sierra.puts()) == 40
    assert len(sierra.requests("token")) == 1
    assert sierra.most_in_flight <= 4


@pytest.mark.parametrize(("pool_size", "limit"), [(4, 20), (10, 0)])
async def test_all_places_at_sierra_stay_taken_while_there_is_something_to_push(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier, pool_size: int, limit: int
) -> None:
    count = 12 * pool_size
    mark(database, *add_items(database, sierra, *range(1001, 1001 + count)))
    sierra.set_latency(0.1)
    many = {"sierra_api_client_pool_size": pool_size, "sierra_update_batch_size_limit": limit}
    async with notifier(**NO_SWEEP, **many):
        await eventually(database, EMPTY)
    requests = [entry for entry in sierra.entries if entry.kind in ("get_items", "put_item")]
    _, *later = [entry.arrived_ns for entry in requests if entry.kind == "get_items"]
    beside = [sum(one.arrived_ns < at < (one.ended_ns or 0) for one in requests) for at in later]
    alone = beside.count(0)  # none, unless a claim takes longer than Sierra, as on a busy machine
    assert alone < len(beside) / 2, "a chunk is read while the one before it is written, not after"
    assert sierra.most_in_flight == pool_size
    assert len(requests) <= count * (1 + 1 / pool_size) * 1.02 + 2


async def test_no_more_items_are_held_than_the_limit_says(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    mark(database, *add_items(database, sierra, *range(1001, 1021)))
    barrier = sierra.hold(times=None)
    async with notifier(**NO_SWEEP, sierra_api_client_pool_size=4, sierra_update_batch_size_limit=6):
        await barrier.reached()
        await eventually(database, "SELECT count(*) FROM update_queue WHERE claimed_by IS NOT NULL", 6)
        barrier.off()
        await eventually(database, EMPTY)


@pytest.mark.parametrize(
    ("settled", "unsettled", "writing", "room"),
    [(0, 3, 0, 1), (0, 4, 0, 0), (36, 3, 0, 1), (37, 3, 0, 0), (40, 0, 0, 0), (4, 0, 3, 1), (4, 0, 4, 0)],
)
def test_items_whose_outcome_waits_for_their_rows_take_no_room_until_they_are_very_many(
    settled: int, unsettled: int, writing: int, room: int
) -> None:
    in_flight, nothing = InFlight(), cast("Any", None)
    limits = Limits(pool_size=4, most_items=4, timeout_seconds=10, max_attempts=10)
    outcomes = cast("OutcomeWriter", SimpleNamespace(writing=writing))
    for number in range(settled + unsettled):
        item = claimed(number, sent_at=0)
        item.is_settled = number < settled
        in_flight.items.add(item)
    assert Claims(in_flight, outcomes, Wakeup(), SierraHealth(), limits, nothing)._room() == room


async def test_two_notifiers_share_the_work(database: TestDatabase, sierra: SierraInThread, notifier: Notifier) -> None:
    sierra.set_latency(0.02)
    async with notifier("n1", **NO_SWEEP), notifier("n2", **NO_SWEEP):
        mark(database, *add_items(database, sierra, *range(1001, 1061)))
        await eventually(database, EMPTY)
    assert len(sierra.puts()) == 60, "each item once"
    assert database.fetch("SELECT count(DISTINCT finished_by) FROM update_log") == [(2,)]
