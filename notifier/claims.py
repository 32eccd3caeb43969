"""Claims: when to look at the queue, how much to take of it, and in which line the items wait to be read."""

import logging
import time
from collections.abc import Callable, Collection, Coroutine, Sequence
from typing import Any

from db.queue import Claim
from notifier.health import SierraHealth
from notifier.in_flight import Allowance, ClaimedItem, InFlight, Limits
from notifier.metrics import NOTIFY_TO_CLAIM_SECONDS
from notifier.outcomes import OutcomeWriter
from notifier.sierra.errors import ItemRejected
from notifier.wakeup import Wakeup

log = logging.getLogger("signum.claims")

MOST_HELD = 10  # times `most_items`: the claimed items at the most, where outcomes can't be written
CLAIM_AGAIN_SECONDS = 2.0  # requests under way may take long: items that come due meanwhile do not wait for them


class Claims:
    """Claims what is due, one claim at a time: two would claim more than there is room for."""

    def __init__(
        self,
        in_flight: InFlight,
        outcomes: OutcomeWriter,
        wakeup: Wakeup,
        health: SierraHealth,
        limits: Limits,
        start: Callable[[Coroutine[Any, Any, None]], object],
    ) -> None:
        """`start` starts a task that the notifier's stop waits for."""
        self._in_flight, self._outcomes, self._wakeup = in_flight, outcomes, wakeup
        self._health, self._limits, self._start = health, limits, start
        self._more_may_be_due = False
        self.is_under_way = False
        self._ended_at, self._given_back_at = 0.0, 0.0

    @property
    def are_expected(self) -> bool:
        """Tell whether items may soon come in line to be read."""
        return self._more_may_be_due or self.is_under_way

    @property
    def may_be_lost(self) -> bool:
        """Tell whether a session was lost since the last claim: the database may not know what it was told before."""
        return self._in_flight.lost_at > self._given_back_at

    def expect_more(self) -> None:
        """Have the queue looked at as soon as there is room."""
        self._more_may_be_due = True

    def next_claim(self) -> Coroutine[Any, Any, None] | None:
        """The claim to be started now; None if nothing is expected, or there is no room for it."""
        # The time also finds rows that come due without a notification: postponed items, lapsed leases.
        is_long_ago = time.monotonic() - self._ended_at > CLAIM_AGAIN_SECONDS
        if self.is_under_way or not (self._more_may_be_due or is_long_ago):
            return None
        allowance = self._health.allowance(has_probe=any(item.probe for item in self._in_flight.items))
        limit = self._room() if allowance.limit is None else allowance.limit
        if not limit:
            return None
        self.is_under_way, self._more_may_be_due = True, False
        return self._claim(limit, allowance)

    def _room(self) -> int:
        """The number of items to claim while Sierra is well.

        As many as fill up one chunk that is kept ready, so that no read waits for the database, but no more than
        `most_items` allows in all. If that limit leaves room for a few only, claim none yet: a read of few items costs
        as much as one of many. Worth it is the whole chunk, or nearly half of `most_items` where that is less.
        Settled items count towards a wider limit only: their rows may be locked for long, and others must not wait.
        Those whose statement is under way count in full: where it stands still, so would any other's.
        """
        in_flight, limits = self._in_flight, self._limits
        pushed = in_flight.unsettled + self._outcomes.writing
        chunk = limits.pool_size - len(in_flight.to_read) - len(in_flight.to_read_singly)
        room = min(chunk, limits.most_items - pushed, MOST_HELD * limits.most_items - len(in_flight.items))
        return room if room >= max(1, min(chunk, limits.most_items // 2 - 1)) else 0

    async def _claim(self, limit: int, allowance: Allowance) -> None:
        """Claim, and put the items in line to be read."""
        # The lease is counted from before the claim was sent: by our clock it ends before it does in the database.
        asked_at, notified_at = time.monotonic(), self._wakeup.take_notified_at()
        state = self._health.state
        try:
            if self.may_be_lost:
                await self._outcomes.give_back([item.claim.item_record_id for item in self._in_flight.items])
                # The database may have lost what it was told of them. A lock on one keeps no claim waiting.
                for claim in self._outcomes.unanswered.claims():
                    self._start(self._outcomes.recheck(claim))
                self._given_back_at = asked_at
            claims = await self._outcomes.claim(limit, self._limits.lease_seconds, allowance.newest_first)
        finally:
            self.is_under_way, self._ended_at = False, time.monotonic()
        if claims and notified_at is not None:
            NOTIFY_TO_CLAIM_SECONDS.observe(time.monotonic() - notified_at)
        if len(claims) == limit:
            self._more_may_be_due = True
        lease_ends = asked_at + self._limits.lease_seconds
        is_lost = self._in_flight.lost_at >= asked_at
        if not is_lost:
            self._outcomes.unanswered.forget_past({item.claim for item in self._in_flight.items} | self._outcomes.owed)
        too_early = self._lose_older(claims)
        items = [
            ClaimedItem(claim, asked_at, lease_ends, probe=allowance.read_alone, is_lost=is_lost)
            for claim in claims
            if claim not in too_early
        ]
        if items and allowance.read_alone:
            numbers = [item.number for item in items]
            log.info("%s with item %s", state, ", ".join(numbers))
        self._put_in_line([item for item in items if item.number])
        self._wakeup.set(something_due=False)
        # After the others were put in line: an outcome waits for the database.
        await self._reject([item.claim for item in items if not item.number])
        await self._keep(too_early)

    def _put_in_line(self, items: Sequence[ClaimedItem]) -> None:
        """Put items in line to be read: alone where the answer must count for that item only."""
        self._in_flight.items.update(items)
        for item in items:
            is_alone = item.probe or self._health.is_suspect(item)
            (self._in_flight.to_read_singly if is_alone else self._in_flight.to_read).append(item)

    async def _reject(self, claims: Sequence[Claim]) -> None:
        """Reject items that Sierra can't be asked for."""
        for claim in claims:
            given = f"item number {claim.item_number!r}" if claim.item_number else "no item number"
            error = ItemRejected("no_number", f"The item came with {given} from Sierra: it can't be asked for")
            await self._outcomes.fail(claim, error)

    def _lose_older(self, claims: Sequence[Claim]) -> set[Claim]:
        """Note that older claims of these items are lost. Return those that come too early: an older write may land.

        The database has forgotten the older claim in a failover, or a person has taken its lease off.
        """
        newer, too_early = {claim.item_record_id: claim for claim in claims}, set[Claim]()
        for item in self._in_flight.items:
            if claim := newer.get(item.claim.item_record_id):
                item.is_lost = True
                if item.is_being_written or item.claim in self._outcomes.unanswered:
                    too_early.add(claim)
        return too_early

    async def _keep(self, claims: Collection[Claim]) -> None:
        """Give claims back for two time-outs, as after a write without an answer."""
        for claim in claims:
            self._outcomes.unanswered.add(claim, time.monotonic())
        if claims:
            numbers = [claim.item_number for claim in claims]
            log.warning("left to a later claim: an older write is under way", extra={"item_numbers": numbers})
            await self._outcomes.release([*claims])
