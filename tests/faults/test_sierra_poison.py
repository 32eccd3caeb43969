"""A hundred items that can never succeed, in front of good ones: how long do the good ones wait?

Less than 2 s beyond what is inherent: a request on which Sierra hangs keeps its place until its deadline.
"""

import time
from typing import Any

import pytest

from tests.fix_notifier import NO_SWEEP, Notifier, add_items, eventually, mark
from tests.fix_postgres import TestDatabase
from tests.fix_sierra import SierraInThread

POISON = range(1001, 1101)
GOOD = range(2001, 2009)
LIMIT_SECONDS = 2.0
GOOD_PUSHED = "SELECT count(*) FROM update_log WHERE outcome = 'pushed' AND barcode >= '33010000002000'"


async def wait_of_the_good(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier, faults: list[dict[str, Any]], **settings: Any
) -> float:
    """Seconds until good items are pushed that were marked after a hundred others, each met by one of the faults."""
    poison, good = add_items(database, sierra, *POISON), add_items(database, sierra, *GOOD)
    for at, number in enumerate(POISON):
        sierra.fault(item=str(number), **faults[at % len(faults)])
    mark(database, *poison)
    mark(database, *good)
    began = time.monotonic()
    async with notifier(**NO_SWEEP, **settings):
        await eventually(database, GOOD_PUSHED, len(GOOD), at_most=60)
        return time.monotonic() - began


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "*", "status": 404},
        {"kind": "put_item", "status": 404},
        {"kind": "put_item", "status": 400},
        {"kind": "*", "status": 400},
        {"kind": "put_item", "status": 500},
        {"kind": "put_item", "status": 500, "code": 132},
    ],
    ids=str,
)
async def test_items_that_sierra_refuses_delay_the_good_ones_behind_them_by_less_than_two_seconds(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier, fault: dict[str, Any]
) -> None:
    assert await wait_of_the_good(database, sierra, notifier, [fault]) < LIMIT_SECONDS


@pytest.mark.parametrize("fault", [{"manner": "hang"}, {"manner": "trickle", "pace_seconds": 0.05}], ids=str)
async def test_items_on_which_sierra_hangs_delay_the_good_ones_behind_them_by_little_more_than_their_deadlines(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier, fault: dict[str, Any]
) -> None:
    deadline, places = 0.2, 4
    hasty = {"sierra_api_client_timeout_seconds": deadline, "sierra_api_client_pool_size": places}
    took = await wait_of_the_good(database, sierra, notifier, [{"kind": "put_item", **fault}], **hasty)
    assert took < len(POISON) / places * deadline + LIMIT_SECONDS


async def test_a_record_on_which_sierra_hangs_is_that_records_fault_though_nothing_else_was_asked_meanwhile(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    (item,) = add_items(database, sierra, 1001)
    sierra.fault(kind="put_item", manner="hang")
    async with notifier(**NO_SWEEP, sierra_api_client_timeout_seconds=0.3) as service:
        mark(database, item)
        await eventually(database, "SELECT attempts = 1 AND due_at > now() FROM update_queue")
        assert service.breaker.state == "closed"


async def test_a_mark_is_tried_at_once_though_all_before_it_were_refused_alike(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    poison, (good,) = add_items(database, sierra, *POISON[:10]), add_items(database, sierra, GOOD[0])
    for number in POISON[:10]:
        sierra.fault(item=str(number), kind="put_item", status=400)
    mark(database, *poison)
    async with notifier(**NO_SWEEP) as service:
        await eventually(database, "SELECT breaker <> 'closed' FROM notifier_state")
        service.breaker._retry_at = time.monotonic() + 60  # as after many failed probes
        mark(database, good)
        await eventually(database, GOOD_PUSHED, 1, at_most=10)
