"""How is one item pushed? Read, plan, write; and what then becomes of it.

Each step at Sierra answers with what remains to be done at the database: that is done when its place at Sierra is free
for the next request.
"""

import logging
import time
from collections.abc import Coroutine, Sequence
from typing import Any, Literal

from db.queue import Claim, Pushed
from notifier.breaker import Breaker
from notifier.doubts import Doubts
from notifier.in_flight import Belt, Held, Limits
from notifier.metrics import MARK_TO_SIERRA_SECONDS, PUSH_SECONDS
from notifier.outcomes import Desk
from notifier.patch import IUSE3_LABEL, Plan, Record, Rules, Wish, describe, plan_update
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
from notifier.sierra.responses import Deleted
from notifier.suspects import Suspects
from notifier.wakeup import Bell
from runtime.sentry import Step, tell_steps

log = logging.getLogger("signum.push")

PROBE_BACK_SECONDS = 60.0
DRY_RUN_SECONDS = 3600.0

Remaining = list[Coroutine[Any, Any, None]]


class Pusher:
    """Moves items along the belt."""

    def __init__(
        self, belt: Belt, desk: Desk, sierra: SierraClient, bell: Bell, breaker: Breaker, rules: Rules, limits: Limits
    ) -> None:
        self._belt, self._desk, self._sierra = belt, desk, sierra
        self._bell, self._breaker, self._rules, self._limits = bell, breaker, rules, limits
        self.doubts, self.suspects = Doubts(), Suspects()
        self._opened_by: str | None = None
        self._refused_writes = False
        self._warned: set[str] = set()
        self.lists_fail = False
        self.succeeded = False

    @property
    def is_refused(self) -> bool:
        """Whether the breaker is open because Sierra answers, but refuses: any other item may be taken."""
        return self._opened_by is not None

    async def read(self, chunk: Sequence[Held]) -> Remaining:
        """Read several with one request. Those of which that can't tell are put in line to be read one by one."""
        read_at = time.monotonic()
        try:
            records = await self._sierra.read_items([held.number for held in chunk])
        except ListFailed as error:
            log.warning("reading %d items one by one: %s", len(chunk), error)
            self.lists_fail = True
            self._belt.to_read_singly.extend(chunk)
            return []
        except SierraUnavailable as error:
            return [self.unavailable(chunk, error)]
        there = [held for held in chunk if held.number in records]
        steps = [step for held in there for step in self._has_read(held, records[held.number], read_at)]
        self._belt.to_read_singly.extend(held for held in chunk if held.number not in records)
        return steps

    async def read_one(self, held: Held) -> Remaining:
        """Read one item: only this answer counts where a list could not tell."""
        read_at = time.monotonic()
        try:
            record = await self._sierra.read_item(held.number)
        except SierraUnavailable as error:
            return [self.unavailable([held], error)]
        except ItemError as error:
            return [self.fail(held, error)]
        self.lists_fail = False
        return self._has_read(held, record, read_at)

    async def write(self, held: Held) -> Remaining:
        """Write one item, if a write that begins now ends within its lease."""
        plan = held.plan
        assert plan is not None, "an item is written after it was read"

        def fence() -> None:
            if time.monotonic() + self._limits.timeout_seconds > held.lease_ends:
                raise LeaseTooShort

        began = time.monotonic()
        try:
            await self._sierra.write_item(held.number, plan.patch, fence)
        except LeaseTooShort:
            return [self._leave(held)]
        except SierraUnavailable as error:
            return [self.unavailable([held], error)]
        except ItemError as error:
            return [self.fail(held, error)]
        ended = time.monotonic()
        held.steps.append(("write", began, ended))
        PUSH_SECONDS.observe(ended - held.read_at)
        queued_seconds = (held.claim.claimed_at - held.claim.queued_at).total_seconds()  # by the database's clock
        MARK_TO_SIERRA_SECONDS.observe(queued_seconds + ended - held.claimed_at)
        return [self._finish(held, plan, "pushed")]

    def _has_read(self, held: Held, record: Record | Deleted, read_at: float) -> Remaining:
        """Decide what to write; what has nothing to write is done."""
        held.steps.append(("read", read_at, time.monotonic()))
        if isinstance(record, Deleted):
            return [self.fail(held, ItemRejected(f"Item {held.number} was deleted in Sierra on {record.on}"))]
        plan = self._plan(held.claim, record)
        held.plan, held.read_at = plan, read_at
        if plan.refusal:
            return [self.fail(held, ItemRejected(plan.refusal))]
        self._warn_once(plan)
        if not plan.patch:
            return [self._finish(held, plan, "unchanged")]
        if self._limits.dry_run:
            would = f"dry run: would write {describe(plan)}"
            log.info(would, extra={"item_number": held.number})
            return [self._sierra_is_well(), self.release([held], DRY_RUN_SECONDS, would)]
        (self._belt.to_write.appendleft if held.probe else self._belt.to_write.append)(held)
        return []

    def _plan(self, claim: Claim, record: Record) -> Plan:
        if claim.revert_of is not None:
            return plan_revert(record, Undo(claim.revert_of, claim.undone_before, claim.undone_after))
        return plan_update(record, Wish(claim.classification, claim.queued_at, claim.claimed_at), self._rules)

    def _warn_once(self, plan: Plan) -> None:
        """Tell the night shift once per start what no item gets, and which setting decides."""
        for remark in plan.remarks:
            if remark.startswith(IUSE3_LABEL) and remark not in self._warned:
                self._warned.add(remark)
                log.warning(remark)

    async def _finish(self, held: Held, plan: Plan, outcome: Literal["pushed", "unchanged"]) -> None:
        self.suspects.clear(held.claim.item_record_id)
        doubted = self._take_as_well(wrote=outcome == "pushed")
        began = time.monotonic()
        before, after, remark = plan.call_number_before, plan.call_number_after, "; ".join(plan.remarks) or None
        sierra_ms = round((began - held.read_at) * 1000)
        await self._desk.finish(Pushed(held.claim, outcome, before, after, remark, sierra_ms))
        self._is_over(held, ("finish", began, time.monotonic()))
        await self._settle_all(doubted)  # afterwards: what stands in the way of theirs must not keep this outcome

    async def fail(self, held: Held, error: ItemError) -> None:
        """Postpone or reject an item. Where the answer leaves a doubt, the next one decides whose fault it is."""
        if error.doubt is None:
            if error.shows_sierra_well:
                await self._sierra_is_well()
            await self._settle(held, error)
        elif error.doubt == self._opened_by:
            await self._pause([held], NeedsPerson(self._breaker.reason or str(error)))
        else:
            await self._doubt(held, error)

    async def _doubt(self, held: Held, error: ItemError) -> None:
        """Keep an outcome that may be Sierra's fault or our configuration's, until other items tell."""
        if error.doubt != self.doubts.kind:
            await self._settle_all(self.doubts.end_row())
        self._refused_writes |= held.plan is not None
        self.doubts.add(held, error)

    async def adjourn_doubts(self) -> None:
        """No other answer is to come for now: try these again later. Who fails alike once more has had his say.

        The row of equal doubts goes on: marks that come one by one tell of a wrong configuration as well. After enough
        of them it is nobody's fault but Sierra's, or our configuration's: the breaker opens and none of them is burnt.
        """
        if self.doubts.are_many:
            if self._breaker.state != "open":
                self._opened_by = self.doubts.kind
            fault = NeedsPerson(self.doubts.fault)
            await self._pause([held for held, _ in self.doubts.end_row()], fault)
            return
        for held, error in self.doubts.take():
            again = held.claim.attempts < 2 and isinstance(error, ItemRejected)
            await self._settle(held, ItemTroubled(str(error)) if again else error)

    async def surprise(self, several: Sequence[Held], bug: Exception) -> None:
        """What nobody thought of is no reason to stop: these items are tried again later, and given up in time."""
        log.error("our own error, please report it", exc_info=bug, extra={"item_numbers": [h.number for h in several]})
        for held in several:
            if held in self._belt.held:
                await self._settle(held, ItemTroubled(f"our own error at item {held.number[:30]}: {bug!r}"[:500]))

    async def _settle_all(self, row: Sequence[tuple[Held, ItemError]]) -> None:
        """Take doubted answers for what they say of their items."""
        for held, error in row:
            await self._settle(held, error)

    async def unavailable(self, several: Sequence[Held], fault: SierraUnavailable) -> None:
        """Sierra as a whole: open the breaker and give the items back. Unless one item makes it look so."""
        may_be_the_items = len(several) == 1 and not fault.retry_after and not isinstance(fault, NotReached)
        if may_be_the_items and self.suspects.is_to_blame(several[0].claim.item_record_id):
            await self._settle(several[0], ItemTroubled(str(fault)))
            return
        self._opened_by = None
        self._refused_writes |= isinstance(fault, SierraRefused) and any(held.plan for held in several)
        await self._pause(several, fault)

    async def _pause(self, several: Sequence[Held], fault: SierraUnavailable) -> None:
        """Open the breaker. Items are due as before, but a failed probe goes to the back: the next one is another."""
        self._breaker.open(fault)
        await self.release([held for held in several if held.probe], PROBE_BACK_SECONDS, str(fault))
        await self.release([held for held in several if not held.probe])

    async def _leave(self, held: Held) -> None:
        log.warning("left to the next claim: its lease is too short to write", extra={"item_number": held.number})
        await self.release([held])
        self._bell.ring()

    async def release(self, several: Sequence[Held], delay_seconds: float = 0.0, reason: str | None = None) -> None:
        """Give items back, due as before, or later and for a reason."""
        await self._desk.release([held.claim for held in several], delay_seconds, reason)
        self._belt.held.difference_update(several)

    async def _sierra_is_well(self) -> None:
        await self._settle_all(self._take_as_well())

    def _take_as_well(self, wrote: bool = False) -> list[tuple[Held, ItemError]]:
        """An answer shows that Sierra is well, unless it is one to a request from before the breaker opened: close it.

        Where it refused writes, only a write that it takes shows it: it may well read, and know what it has not.
        Answers the row of doubts that ends with it, to be settled: they were the items' own.
        """
        self.succeeded = True
        if self._breaker.state == "open" or (self._refused_writes and not wrote):
            return []
        if wrote:
            self.suspects.served_well()
        self._opened_by = None
        self._refused_writes = False
        if self._breaker.close():
            self._bell.ring()  # what was given back meanwhile is due
        return self.doubts.end_row()

    async def _settle(self, held: Held, error: ItemError) -> None:
        call_number, began = held.plan.call_number_before if held.plan else None, time.monotonic()
        await self._desk.fail(held.claim, error, call_number)
        self._is_over(held, ("fail", began, time.monotonic()))

    def _is_over(self, held: Held, last_step: Step) -> None:
        """Finished, postponed or rejected: it is in our hands no more."""
        self._belt.held.discard(held)
        tell_steps("push", held.claim.trace, held.claimed_at, [*held.steps, last_step], item_number=held.number)
