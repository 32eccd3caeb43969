"""The notifier's stop gives back what it has not written, whatever moment it comes at."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, cast

from notifier.claims import Claims
from notifier.in_flight import ClaimedItem, InFlight, Limits
from notifier.outcomes import OutcomeWriter
from notifier.push import ItemPush, Result
from notifier.tasks import Tasks
from notifier.wakeup import Wakeup
from notifier.worker import Worker
from tests.fix_health import Health, claimed


class NoClaims:
    """Nothing more is due."""

    is_under_way = are_expected = False

    def next_claim(self) -> Coroutine[Any, Any, None] | None:
        return None

    def expect_more(self) -> None:
        pass


class Told:
    """The outcomes that a queue would be told: items that failed, and items that were released."""

    def __init__(self) -> None:
        self.failed, self.released = list[int](), list[int]()

    async def fail(self, claim: Any, *_: object) -> None:
        self.failed.append(claim.item_record_id)

    async def release(self, claims: Sequence[Any], *_: object) -> None:
        self.released += [claim.item_record_id for claim in claims]


class DeafSierra:
    """A Sierra that answers nothing."""

    async def read(self, chunk: Sequence[ClaimedItem]) -> Sequence[Result]:
        await asyncio.Event().wait()
        return []


async def test_a_read_that_has_not_begun_at_a_stop_keeps_no_undecided_item(health: Health) -> None:
    """It was started in the same turn of the event loop in which the signal came."""
    in_flight, told, wakeup, limits = InFlight(), Told(), Wakeup(), Limits(4, 20, 10.0, 10)
    parts = cast(OutcomeWriter, told), cast(ItemPush, DeafSierra()), cast(Claims, NoClaims())
    worker = Worker(in_flight, *parts, Tasks(wakeup), wakeup, health, limits)
    health.refuse(1001)
    in_flight.to_read.append(claimed(1002, 0.0))
    worker.move_on()
    wakeup.stop()
    async with asyncio.timeout(10):
        while worker.move_on():
            await wakeup.wait(1)
            wakeup.clear()
    assert (told.failed, told.released) == ([1001], [1002])
