"""The health of Sierra as this notifier sees it: whose fault a failure is, and how much may be claimed. Pure.

closed    Sierra is well: all that is due may be claimed.
sampling  Five items in a row failed alike: three new items decide whether that is the items' fault.
open      Sierra or our configuration is at fault: nothing is claimed until a pause is over.
probing   The pause is over: one item at a time tries whether Sierra is well again.

Each failure is settled as the item's own (`Failed`), which uses up an attempt, or as Sierra's (`Released`), which does
not. Until then its item is undecided, and kept here. Comments like "open -> probing": see the chart of docs/sierra.md.
"""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from db.reasons import Reason
from notifier.backoff import breaker_pause
from notifier.in_flight import Allowance, ClaimedItem, Failed, Released
from notifier.sierra.errors import (
    ItemError,
    ItemRejected,
    ItemTroubled,
    NeedsPerson,
    NotReached,
    SierraRefused,
    SierraUnavailable,
)
from notifier.suspects import Suspects

State = Literal["closed", "sampling", "open", "probing"]
Settled = Sequence[Failed | Released]

ALIKE = 5
SAMPLES = 3
PROBE_BACK_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class _Pause:
    """A pause under way, or over. `kind`: that of the five failures alike that began it; `failures`: failed probes."""

    fault: SierraUnavailable
    kind: str | None
    began_at: float
    ends_at: float
    failures: int


@dataclass(slots=True)
class _Streak:
    """Different items that failed alike, with no success in between. Those still to be settled are `undecided`."""

    kind: str | None = None
    items: set[int] = field(default_factory=set)
    undecided: list[Failed] = field(default_factory=list)


class SierraHealth:
    """The state, and the undecided failures. `on_change`: called when `fault` changes or sampling begins or ends."""

    def __init__(
        self,
        now: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._now, self._chance, self._on_change = now, chance, on_change
        self._pause: _Pause | None = None
        self._streak = _Streak()
        # Sierra refused a write: it may read well all the same, so only a write that it takes shows it well.
        self._writes_refused = False
        self._newest_first = False
        self._suspects = Suspects()
        self.last_success_at = float("-inf")

    @property
    def state(self) -> State:
        """The state. It changes by what is reported below, and by the clock."""
        if self._pause is None:
            return "sampling" if len(self._streak.items) >= ALIKE else "closed"
        # open -> probing: by the clock alone.
        return "open" if self._now() < self._pause.ends_at else "probing"

    @property
    def seconds_left(self) -> float:
        """Seconds until Sierra may be probed; 0 if now."""
        return max(0.0, self._pause.ends_at - self._now()) if self._pause else 0.0

    @property
    def fault(self) -> SierraUnavailable | None:
        """The fault for which nothing is pushed; None where pushing goes on."""
        return self._pause.fault if self._pause else None

    def allowance(self, has_probe: bool) -> Allowance:
        """The items that may be claimed now. Ask once per claim. `has_probe`: a probe or sample is still in flight."""
        state = self.state
        if state == "closed":
            self._newest_first = True
            return Allowance(None)
        if state == "open" or has_probe:  # one probe at a time, and samples together
            return Allowance(0)
        # A probe by the newest mark alternates with one by the oldest, so that neither starves the other.
        newest_first = state == "sampling" or self._newest_first
        self._newest_first = not newest_first
        return Allowance(SAMPLES if state == "sampling" else 1, newest_first, read_alone=True)

    def is_suspect(self, item: ClaimedItem) -> bool:
        """Return whether Sierra seemed unwell at this item: then its next answer must count for it alone."""
        return item in self._suspects

    def new_mark(self) -> None:
        """Note that a new mark came. It may be well where the items before failed alike, so it is tried at once."""
        if self._pause and self._pause.kind:
            # open -> probing: by the newest mark.
            self._pause = replace(self._pause, ends_at=min(self._pause.ends_at, self._now()))
            self._newest_first = True

    def succeeded(self, item: ClaimedItem, wrote: bool) -> Settled:
        """Settle what was undecided, after an item was written, or found to be so already."""
        self._suspects.clear(item)
        return self._note_success(item.sent_at, wrote)

    def failed(self, item: ClaimedItem, error: ItemError, writing: bool) -> Settled:
        """Settle an item that failed, and what its failure tells of others; or keep it, if the fault may not be its."""
        if error.ambiguous is None:
            others = self._note_success(item.sent_at, wrote=False) if error.shows_sierra_well else []
            return [*others, Failed(item, error)]
        if self._pause and error.ambiguous == self._pause.kind:
            # probing -> open: the probe failed as those that began the pause, so the cause is still there.
            self._open(self._pause.fault, item.sent_at, error.ambiguous)
            return _give_back([item], str(self._pause.fault))
        # In another way than the items before: then nothing that they have in common is to blame.
        others = [] if error.ambiguous == self._streak.kind else self._end_streak()
        before = self.state
        self._writes_refused |= writing
        self._streak.kind = error.ambiguous
        self._streak.items.add(item.claim.item_record_id)
        self._streak.undecided.append(Failed(item, error))
        if self.state != before:
            # closed -> sampling: so many failed alike that new items must decide.
            self._on_change()
        return others

    def unavailable(self, items: Sequence[ClaimedItem], fault: SierraUnavailable, writing: bool) -> Settled:
        """Settle the items of a request at which Sierra was unwell: they are not to blame, or the only one is."""
        troubled = ItemTroubled("unwell", str(fault), retry_after=fault.retry_after)
        is_reached = not isinstance(fault, NotReached)
        is_own = is_reached and self._suspects.is_to_blame(items, self._now())
        own = [Failed(item, troubled) for item in items if is_own]
        if own and not fault.retry_after:  # that is asked of all clients, whichever item it was for
            return own
        self._writes_refused |= writing and isinstance(fault, SierraRefused)
        # closed, sampling, probing -> open: Sierra as a whole is at fault.
        self._open(fault, items[0].sent_at if items else self._now())
        # What is undecided may have been the first sign of that.
        undecided = [one.item for one in self._end_streak()]
        return [*own, *_give_back(undecided if own else [*items, *undecided], str(fault))]

    def recovered(self, fault: SierraUnavailable) -> None:
        """Note that this fault is over. Opened for another reason meanwhile, it stays open."""
        if self._pause and str(self._pause.fault) == str(fault):
            # open, probing -> closed: what it was opened for is gone.
            self._close()

    def no_answers_to_come(self) -> Settled:
        """Settle what is undecided: no request is under way whose answer could tell whose fault it was.

        A few are the items' own: a first refusal is postponed, a second one rejected. The streak goes on, for marks
        that come one by one reveal a wrong configuration too. Five or more, failed samples among them, are not.
        """
        streak = self._streak
        if len(streak.items) < ALIKE:
            few, streak.undecided = streak.undecided, []
            return [_try_twice(one) for one in few]
        count, last = len(streak.items), streak.undecided[-1].error
        fault = NeedsPerson(f"{count} items in a row failed alike, is it the configuration? The last: {last}")
        # sampling, probing -> open: no item succeeds.
        self._open(fault, self._now(), streak.kind)
        return _give_back([one.item for one in self._end_streak()], str(fault))

    def _note_success(self, sent_at: float, wrote: bool) -> Settled:
        """Close it after an answer that shows Sierra well; return the undecided failures, which are the items' own."""
        self.last_success_at = self._now()
        if self._is_from_before(sent_at) or (self._writes_refused and not wrote):
            return []  # it proves nothing
        if wrote:
            self._suspects.note_write(self._now())
        self._writes_refused = False
        settled = self._end_streak()
        # probing -> closed: Sierra answered a request that was sent after it opened.
        self._close()
        return settled

    def _end_streak(self) -> list[Failed]:
        """Return the undecided failures as the items' own. The next one begins another streak."""
        before, undecided, self._streak = self.state, self._streak.undecided, _Streak()
        if before == "sampling":
            # sampling -> closed: another item succeeded, or failed in another way.
            self._on_change()
        return undecided

    def _is_from_before(self, sent_at: float) -> bool:
        """Return whether a request was sent before the probes: then its answer, good or bad, tells nothing new."""
        return self._pause is not None and (self.state == "open" or sent_at <= self._pause.began_at)

    def _open(self, fault: SierraUnavailable, sent_at: float, kind: str | None = None) -> None:
        """Begin a pause; after a failed probe, one of twice the length."""
        now, pause = self._now(), self._pause
        if pause and self._is_from_before(sent_at):
            # Requests that were under way when it opened fail too: that is the same fault. Where it is not that five
            # failed alike, but Sierra as a whole, a new mark ends the pause no more.
            ends_at = max(pause.ends_at, now + (fault.retry_after or 0.0))
            self._pause = replace(pause, ends_at=ends_at, kind=pause.kind if kind else None)
            return
        failures = pause.failures + 1 if pause else 0
        ends_at = now + breaker_pause(failures, self._chance(), fault.retry_after)
        self._pause = _Pause(fault, kind, now, ends_at, failures)
        if pause is None or str(pause.fault) != str(fault):
            self._on_change()

    def _close(self) -> None:
        if self._pause:
            self._pause = None
            self._on_change()


def _try_twice(one: Failed) -> Failed:
    """The failure, which no other answer explained: postponed where it was a first refusal."""
    is_first = one.item.claim.attempts < 2 and isinstance(one.error, ItemRejected)
    return replace(one, error=ItemTroubled(one.error.reason_code, str(one.error))) if is_first else one


def _give_back(items: Sequence[ClaimedItem], reason: str) -> Settled:
    """The items, due as before; failed probes at the back of the queue, so that the next probe is another item."""
    probes, others = [item for item in items if item.probe], [item for item in items if not item.probe]
    at_back = Released(probes, PROBE_BACK_SECONDS, Reason("unwell", reason))
    return [part for part in (at_back, Released(others)) if part.items]
