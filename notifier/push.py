"""The push of one item: read, plan, write; and the outcome that each response leads to.

`read`, `read_one` and `write` make one request at Sierra and return coroutines that write outcomes to the database, not
yet awaited: the worker awaits them after it has freed the slot, so that the next request at Sierra does not wait for
the database.
"""

import logging
import time
from collections.abc import Coroutine, Sequence
from typing import Any, Literal

from db.queue import Claim, Pushed
from notifier.breaker import Breaker
from notifier.doubts import Doubts
from notifier.in_flight import ClaimedItem, InFlight, Limits
from notifier.metrics import MARK_TO_SIERRA_SECONDS, PUSH_SECONDS
from notifier.outcomes import OutcomeWriter
from notifier.patch import IUSE3_LABEL, Plan, Rules, Wish, describe, plan_update
from notifier.revert import Undo, plan_revert
from notifier.sierra.client import SierraClient
from notifier.sierra.errors import (
    ItemError,
    ItemRejected,
    ItemTroubled,
    LeaseTooShort,
    ListFailed,
    NeedsPerson,
    NotReached,
    SierraRefused,
    SierraUnavailable,
)
from notifier.sierra.records import Record
from notifier.sierra.responses import Deleted
from notifier.suspects import Suspects
from notifier.wakeup import Wakeup
from runtime.sentry import Step, tell_steps

log = logging.getLogger("signum.push")

PROBE_BACK_SECONDS = 60.0
DRY_RUN_SECONDS = 3600.0

Remaining = list[Coroutine[Any, Any, None]]


class Pusher:
    """Pushes claimed items, and decides for each failure whether it is the item's, Sierra's or the configuration's."""

    def __init__(
        self,
        in_flight: InFlight,
        outcomes: OutcomeWriter,
        sierra: SierraClient,
        wakeup: Wakeup,
        breaker: Breaker,
        rules: Rules,
        limits: Limits,
    ) -> None:
        self._in_flight, self._outcomes, self._sierra = in_flight, outcomes, sierra
        self._wakeup, self._breaker, self._rules, self._limits = wakeup, breaker, rules, limits
        self.doubts, self.suspects = Doubts(), Suspects()
        # The kind of ambiguous failure that opened the breaker: Sierra answers, but five items failed alike.
        self._opened_by: str | None = None
        # Sierra refused a write: it may still read well, so only a write that it takes shows that it is well again.
        self._refused_writes = False
        self._warned: set[str] = set()
        self.lists_fail = False
        self.succeeded = False  # since the last heartbeat, which resets it

    @property
    def is_paused_by_alike(self) -> bool:
        """Tell whether the breaker is open because five items failed alike: another item may still succeed."""
        return self._opened_by is not None

    async def read(self, chunk: Sequence[ClaimedItem]) -> Remaining:
        """Read several items with one request. Put in line to be read singly those that the list does not show."""
        read_at = time.monotonic()
        try:
            records = await self._sierra.read_items([item.number for item in chunk])
        except ListFailed as error:
            log.warning("reading %d items one by one: %s", len(chunk), error)
            self.lists_fail = True
            self._in_flight.to_read_singly.extend(chunk)
            return []
        except SierraUnavailable as error:
            return [self.on_unavailable(chunk, error)]
        # An item that the list lacks may be gone, or left out for the list's own reasons: its single read decides.
        there = [item for item in chunk if item.number in records]
        remaining = [step for item in there for step in self._after_read(item, records[item.number], read_at)]
        self._in_flight.to_read_singly.extend(item for item in chunk if item.number not in records)
        return remaining

    async def read_one(self, item: ClaimedItem) -> Remaining:
        """Read one item. Its answer decides where a list could not tell."""
        read_at = time.monotonic()
        try:
            record = await self._sierra.read_item(item.number)
        except SierraUnavailable as error:
            return [self.on_unavailable([item], error)]
        except ItemError as error:
            return [self.on_item_error(item, error)]
        self.lists_fail = False
        return self._after_read(item, record, read_at)

    async def write(self, item: ClaimedItem) -> Remaining:
        """Write one item, if a write that begins now ends within its lease."""
        plan = item.plan
        assert plan is not None, "an item is written after it was read"

        def check_lease() -> None:
            if time.monotonic() + self._limits.timeout_seconds > item.lease_ends:
                raise LeaseTooShort

        began = time.monotonic()
        try:
            await self._sierra.write_item(item.number, plan.patch, check_lease)
        except LeaseTooShort:
            return [self._release_unwritten(item)]
        except SierraUnavailable as error:
            return [self.on_unavailable([item], error)]
        except ItemError as error:
            return [self.on_item_error(item, error)]
        ended = time.monotonic()
        item.steps.append(("write", began, ended))
        PUSH_SECONDS.observe(ended - item.read_at)
        queued_seconds = (item.claim.claimed_at - item.claim.queued_at).total_seconds()  # by the database's clock
        MARK_TO_SIERRA_SECONDS.observe(queued_seconds + ended - item.claimed_at)
        return [self._finish(item, plan, "pushed")]

    def _after_read(self, item: ClaimedItem, record: Record | Deleted, read_at: float) -> Remaining:
        """Plan the write and put the item in line for it; or return the outcome, if there is nothing to write."""
        item.steps.append(("read", read_at, time.monotonic()))
        if isinstance(record, Deleted):
            return [self.on_item_error(item, ItemRejected(f"Item {item.number} was deleted in Sierra on {record.on}"))]
        plan = self._plan(item.claim, record)
        item.plan, item.read_at = plan, read_at
        if plan.refusal:
            return [self.on_item_error(item, ItemRejected(plan.refusal))]
        self._warn_once(plan)
        if not plan.patch:
            return [self._finish(item, plan, "unchanged")]
        if self._limits.dry_run:
            would = f"dry run: would write {describe(plan)}"
            log.info(would, extra={"item_number": item.number})
            return [self._note_sierra_well(), self.release([item], DRY_RUN_SECONDS, would)]
        # A probe goes first: until it is written, nothing else is claimed.
        (self._in_flight.to_write.appendleft if item.probe else self._in_flight.to_write.append)(item)
        return []

    def _plan(self, claim: Claim, record: Record) -> Plan:
        if claim.revert_of is not None:
            return plan_revert(record, Undo(claim.revert_of, claim.undone_before, claim.undone_after))
        return plan_update(record, Wish(claim.classification, claim.queued_at, claim.claimed_at), self._rules)

    def _warn_once(self, plan: Plan) -> None:
        """Log once per start that IUSE3 is left out of all updates, and which setting decides."""
        for remark in plan.remarks:
            if remark.startswith(IUSE3_LABEL) and remark not in self._warned:
                self._warned.add(remark)
                log.warning(remark)

    async def _finish(self, item: ClaimedItem, plan: Plan, outcome: Literal["pushed", "unchanged"]) -> None:
        self.suspects.forget(item.claim.item_record_id)
        undecided = self._record_success(wrote=outcome == "pushed")
        began = time.monotonic()
        before, after, remark = plan.call_number_before, plan.call_number_after, "; ".join(plan.remarks) or None
        sierra_ms = round((began - item.read_at) * 1000)
        await self._outcomes.finish(Pushed(item.claim, outcome, before, after, remark, sierra_ms))
        self._forget_settled(item, ("finish", began, time.monotonic()))
        # Last: an obstacle to their outcomes, such as a lock, must not keep this one.
        await self._settle_all(undecided)

    async def on_item_error(self, item: ClaimedItem, error: ItemError) -> None:
        """Settle a failed item; if the failure is ambiguous, keep it until other responses tell whose fault it is."""
        if error.ambiguous is None:
            if error.shows_sierra_well:
                await self._note_sierra_well()
            await self._settle(item, error)
        elif error.ambiguous == self._opened_by:  # the probe failed alike again: the cause is still there
            await self._pause([item], NeedsPerson(self._breaker.reason or str(error)))
        else:
            await self._keep_undecided(item, error)

    async def _keep_undecided(self, item: ClaimedItem, error: ItemError) -> None:
        """Keep a failure that may be Sierra's or the configuration's until other items show whose it is."""
        if error.ambiguous != self.doubts.kind:  # the items before fail in another way: nothing common is to blame
            await self._settle_all(self.doubts.end_streak())
        self._refused_writes |= item.plan is not None
        self.doubts.add(item, error)

    async def settle_undecided(self) -> None:
        """Settle the undecided failures when nothing in flight can clear these items any more.

        A few: postpone a first refusal, reject a second; a 500 or a silence is postponed like any trouble. The streak
        goes on, for marks that come one by one reveal a wrong configuration as well. Five or more, and the samples that
        were tried failed too: the fault is Sierra's or the configuration's, so open the breaker and give all of them
        back without using up an attempt.
        """
        if self.doubts.are_many:
            if self._breaker.state != "open":
                self._opened_by = self.doubts.kind
            fault = NeedsPerson(self.doubts.fault)
            await self._pause([item for item, _ in self.doubts.end_streak()], fault)
            return
        for item, error in self.doubts.take():
            again = item.claim.attempts < 2 and isinstance(error, ItemRejected)
            await self._settle(item, ItemTroubled(str(error)) if again else error)

    async def on_unexpected_error(self, items: Sequence[ClaimedItem], error: Exception) -> None:
        """Postpone the items at which our own code failed, or reject them when they have no attempt left."""
        numbers = [item.number for item in items]
        log.error("our own error, please report it", exc_info=error, extra={"item_numbers": numbers})
        for item in items:
            if item in self._in_flight.items:
                await self._settle(item, ItemTroubled(f"our own error at item {item.number[:30]}: {error!r}"[:500]))

    async def _settle_all(self, failures: Sequence[tuple[ClaimedItem, ItemError]]) -> None:
        """Write these failures as the items' own."""
        for item, error in failures:
            await self._settle(item, error)

    async def on_unavailable(self, items: Sequence[ClaimedItem], fault: SierraUnavailable) -> None:
        """Open the breaker and release the items; or settle the one item that alone makes Sierra look unwell."""
        # A Retry-After is asked of all clients, and without a connection nothing of the item reached Sierra.
        may_be_the_items = len(items) == 1 and not fault.retry_after and not isinstance(fault, NotReached)
        if may_be_the_items and self.suspects.record_failure(items[0].claim.item_record_id):
            await self._settle(items[0], ItemTroubled(str(fault)))
            return
        self._opened_by = None
        self._refused_writes |= isinstance(fault, SierraRefused) and any(item.plan for item in items)
        await self._pause(items, fault)

    async def _pause(self, items: Sequence[ClaimedItem], fault: SierraUnavailable) -> None:
        """Open the breaker and release the items, due as before.

        A failed probe goes to the back of the queue, so that the next probe is another item.
        """
        self._breaker.open(fault)
        await self.release([item for item in items if item.probe], PROBE_BACK_SECONDS, str(fault))
        await self.release([item for item in items if not item.probe])

    async def _release_unwritten(self, item: ClaimedItem) -> None:
        log.warning("left to the next claim: its lease is too short to write", extra={"item_number": item.number})
        await self.release([item])
        self._wakeup.set()

    async def release(
        self, items: Sequence[ClaimedItem], delay_seconds: float = 0.0, reason: str | None = None
    ) -> None:
        """Release items, due as before, or `delay_seconds` later and for a reason."""
        await self._outcomes.release([item.claim for item in items], delay_seconds, reason)
        self._in_flight.items.difference_update(items)

    async def _note_sierra_well(self) -> None:
        await self._settle_all(self._record_success())

    def _record_success(self, wrote: bool = False) -> list[tuple[ClaimedItem, ItemError]]:
        """Close the breaker after a good response, and return the undecided failures, to be settled as the items' own.

        Return none where the response proves nothing: it answers a request from before the breaker opened; or Sierra
        refused writes, and this was none (it may read well, and know an item to be up to date).
        """
        self.succeeded = True
        if self._breaker.state == "open" or (self._refused_writes and not wrote):
            return []
        if wrote:
            self.suspects.count_write()
        self._opened_by = None
        self._refused_writes = False
        if self._breaker.close():
            self._wakeup.set()  # what was given back meanwhile is due
        return self.doubts.end_streak()

    async def _settle(self, item: ClaimedItem, error: ItemError) -> None:
        call_number, began = item.plan.call_number_before if item.plan else None, time.monotonic()
        await self._outcomes.fail(item.claim, error, call_number)
        self._forget_settled(item, ("fail", began, time.monotonic()))

    def _forget_settled(self, item: ClaimedItem, last_step: Step) -> None:
        """Forget an item that was finished, postponed or rejected, and send its steps to Sentry."""
        self._in_flight.items.discard(item)
        tell_steps("push", item.claim.trace, item.claimed_at, [*item.steps, last_step], item_number=item.number)
