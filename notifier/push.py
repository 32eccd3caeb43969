"""The push of one item: read, plan, write. Each request at Sierra returns what came of it, as values.

The worker makes the requests and acts on the values: it puts items in line for their next request, and writes outcomes
to the queue after the slot is free, so that the next request at Sierra does not wait for the database.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from db.queue import Claim, Pushed, storable
from db.reasons import Reason
from notifier.health import SierraHealth
from notifier.in_flight import ClaimedItem, Failed, Limits, Released
from notifier.metrics import MARK_TO_SIERRA_SECONDS, PUSH_SECONDS
from notifier.patch import IUSE3_LABEL, Plan, Rules, Wish, describe, plan_update
from notifier.revert import Undo, plan_revert
from notifier.sierra.client import SierraClient
from notifier.sierra.errors import (
    ItemError,
    ItemRejected,
    ItemTroubled,
    LeaseTooShort,
    ListFailed,
    SierraUnavailable,
)
from notifier.sierra.records import Record
from notifier.sierra.responses import Deleted
from notifier.sierra.sendings import Sendings
from notifier.unanswered import UnansweredWrites

log = logging.getLogger("signum.push")

DRY_RUN_SECONDS = 3600.0
NOTHING = Plan({}, None, None)


@dataclass(frozen=True, slots=True)
class ToReadSingly:
    """The items wait for a request of their own: the list could not tell."""

    items: Sequence[ClaimedItem]


@dataclass(frozen=True, slots=True)
class ToWrite:
    """The item was read and planned, and waits for its write."""

    item: ClaimedItem


@dataclass(frozen=True, slots=True)
class Finished:
    """The item is as it should be in Sierra: take it off the queue."""

    item: ClaimedItem
    push: Pushed


Outcome = Finished | Failed | Released  # to be written to the queue
Result = ToReadSingly | ToWrite | Outcome


class ItemPush:
    """Makes requests at Sierra, and tells Sierra's health how they went.

    An item that is in none of the results is undecided: `SierraHealth` keeps it, and returns it later.
    """

    def __init__(
        self, sierra: SierraClient, health: SierraHealth, rules: Rules, limits: Limits, unanswered: UnansweredWrites
    ) -> None:
        self._sierra, self._health, self._rules, self._limits = sierra, health, rules, limits
        self._unanswered = unanswered
        self._warned: set[str] = set()

    async def read(self, chunk: Sequence[ClaimedItem]) -> Sequence[Result]:
        """Read several items with one request."""
        _note_sent(chunk)
        try:
            records = await self._sierra.read_items([item.number for item in chunk])
        except ListFailed as error:  # says nothing about any one of them
            log.warning("reading %d items one by one: %s", len(chunk), error)
            return [ToReadSingly(chunk)]
        except SierraUnavailable as error:
            return self._health.unavailable(chunk, error, writing=False)
        # An item that the list lacks may be gone, or left out for the list's own reasons: its single read decides.
        missing = [item for item in chunk if item.number not in records]
        results: list[Result] = [ToReadSingly(missing)] if missing else []
        for item in chunk:
            if (record := records.get(item.number)) is not None:
                results.extend(self._after_read(item, record))
        return results

    async def read_one(self, item: ClaimedItem) -> Sequence[Result]:
        """Read one item. Its answer decides where a list could not tell."""
        _note_sent([item])
        try:
            record = await self._sierra.read_item(item.number)
        except SierraUnavailable as error:
            return self._health.unavailable([item], error, writing=False)
        except ItemError as error:
            if item.claim.is_recheck and isinstance(error, ItemRejected) and error.ambiguous is None:
                return self._finish(item, NOTHING, "unchanged")  # it is gone, so nothing of ours is to be put right
            return self._health.failed(item, error, writing=False)
        return self._after_read(item, record)

    async def write(self, item: ClaimedItem) -> Sequence[Result]:
        """Write one item, if a write that begins now ends within its lease."""
        plan = item.plan
        assert plan is not None, "an item is written after it was read"

        def check_lease() -> None:
            # One for the write, and one in which no other notifier may write, should this one stay without an answer.
            if item.is_lost or time.monotonic() + 2 * self._limits.timeout_seconds > item.lease_ends:
                raise LeaseTooShort

        _note_sent([item])
        sendings = Sendings(check_lease)
        item.is_being_written = True
        try:
            await self._sierra.write_item(item.number, plan.patch, sendings)
        except LeaseTooShort:
            why = "its claim may be lost" if item.is_lost else "its lease is too short to write"
            log.warning("left to the next claim: %s", why, extra={"item_number": item.number})
            return [Released([item])]
        except SierraUnavailable as error:
            return self._health.unavailable([item], error, writing=True)
        except ItemError as error:
            return self._health.failed(item, error, writing=True)
        finally:
            item.is_being_written = False
            if (sent_at := sendings.unanswered_since) is not None:
                self._unanswered.add(item.claim, sent_at)
        ended = time.monotonic()
        item.steps.append(("write", item.sent_at, ended))
        PUSH_SECONDS.observe(ended - item.read_at)
        queued_seconds = (item.claim.claimed_at - item.claim.queued_at).total_seconds()  # by the database's clock
        if not item.claim.is_recheck:
            MARK_TO_SIERRA_SECONDS.observe(queued_seconds + ended - item.claimed_at)
        return self._finish(item, plan, "pushed")

    def _after_read(self, item: ClaimedItem, record: Record | Deleted) -> Sequence[Result]:
        """Plan the write of an item that was read. An error of ours with one record costs the others nothing."""
        item.read_at = item.sent_at
        item.steps.append(("read", item.read_at, time.monotonic()))
        if isinstance(record, Deleted):
            if item.claim.is_recheck:
                return self._finish(item, NOTHING, "unchanged")
            gone = ItemRejected("deleted", f"Item {item.number} was deleted in Sierra on {record.on}")
            return self._health.failed(item, gone, writing=False)
        try:
            plan = self._plan(item.claim, record)
        except Exception as error:
            return fail_by_own_error([item], error)
        if item.unproven is not None:
            return self._after_write(item, item.unproven, plan)
        item.plan = plan
        # As the push left it: a class that the ETL has brought since waits for a mark.
        is_look_at_update = item.claim.is_recheck and item.claim.revert_of is None
        if is_look_at_update and (has := storable(plan.call_number_before)) and has == item.claim.pushed_call_number:
            return self._finish(item, Plan({}, has, has), "unchanged")
        # A field without subfields is none of ours: nothing is to be put right.
        if is_look_at_update and plan.refusal and plan.refusal.code == "no_subfield":
            return self._finish(item, NOTHING, "unchanged")
        # A look, too: the text may be staff's, or one of ours of a late write, which history must not call undone.
        if plan.refusal:
            return self._health.failed(item, ItemRejected(*plan.refusal), writing=False)
        self._warn_once(plan)
        # A write that was done late is known by the call number. The rest would be written for its own sake only.
        if not plan.patch or (item.claim.is_recheck and "varFields" not in plan.patch):
            return self._finish(item, plan, "unchanged")
        if self._limits.dry_run:
            would = f"dry run: would write {describe(plan)}"
            log.info(would, extra={"item_number": item.number})
            return [
                *self._health.succeeded(item, wrote=False),
                Released([item], DRY_RUN_SECONDS, Reason("dry_run", would)),
            ]
        # It waited beyond its last attempt for a write without an answer, see `reject` in queue.sql. Another that had
        # none would have it wait anew, without end.
        if item.claim.revert_of is not None and item.claim.attempts > self._limits.max_attempts:
            tries, has = item.claim.attempts - 1, _quoted(plan)
            said = f"The revert of item {item.number} was not done in {tries} attempts: Sierra still has {has}"
            return self._health.failed(item, ItemRejected("unanswered", said), writing=False)
        return [ToWrite(item)]

    def _after_write(self, item: ClaimedItem, push: Pushed, found: Plan) -> Sequence[Result]:
        """Compare the record with what was written: Sierra may answer well and keep it as it was."""
        if found.call_number_before != push.call_number_before:
            return [Finished(item, replace(push, proven=True)), *self._health.succeeded(item, wrote=False)]
        has = _quoted(found)
        said = f"Sierra does not keep what is written to item {item.number}: it answers well, and still has {has}"
        return self._health.failed(item, ItemTroubled("not_kept", said), writing=False)

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

    def _finish(self, item: ClaimedItem, plan: Plan, outcome: Literal["pushed", "unchanged"]) -> Sequence[Result]:
        settled = self._health.succeeded(item, wrote=outcome == "pushed")
        before, after, remark = plan.call_number_before, plan.call_number_after, "; ".join(plan.remarks) or None
        sierra_ms = round((time.monotonic() - item.read_at) * 1000)
        push = Pushed(item.claim, outcome, before, after, remark, sierra_ms, proven=outcome == "unchanged")
        return [Finished(item, push), *settled]


def _quoted(found: Plan) -> str:
    return repr(found.call_number_before) if found.call_number_before else "no call number"


def fail_by_own_error(items: Sequence[ClaimedItem], error: Exception) -> list[Failed]:
    """The items at which our own code failed: to be postponed, or rejected when they have no attempt left."""
    log.error(
        "our own error, please report it", exc_info=error, extra={"item_numbers": [item.number for item in items]}
    )
    return [
        Failed(item, ItemTroubled("our_error", f"our own error at item {item.number[:30]}: {error!r}"[:500]))
        for item in items
    ]


def _note_sent(items: Sequence[ClaimedItem]) -> None:
    """Note the time of the request: answers to requests from before a pause do not end it."""
    sent_at = time.monotonic()
    for item in items:
        item.sent_at = sent_at
