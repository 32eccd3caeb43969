"""The pipeline from the queue to Sierra: claim, read by chunks, write; and how much of it at once.

A chunk of items is read with one request, then each is written: 1 + 1/pool requests per item. While a chunk is written
the next one is claimed and read, so that all slots at Sierra stay taken (a slot: one of the `pool_size` requests that
may be under way), and no item waits longer than about one request between its read and its write: changes that staff
make in between would be lost.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial

from db.queue import NOT_CHECKED, Finish, Pushed
from notifier.claims import Claims
from notifier.health import SierraHealth
from notifier.in_flight import ClaimedItem, Failed, InFlight, Limits, Released
from notifier.outcomes import OutcomeWriter
from notifier.push import Finished, ItemPush, Outcome, Result, ToReadSingly, ToWrite, fail_by_own_error
from notifier.tasks import Tasks
from notifier.wakeup import Wakeup
from runtime.sentry import tell_steps

Work = Callable[[], Awaitable[Sequence[Result]]]


class Worker:
    """Moves items on from the queue to Sierra. It never waits.

    The notifier's loop calls it whenever it is woken, and so does each request at its end: its slot is filled at once.
    """

    def __init__(
        self,
        in_flight: InFlight,
        outcomes: OutcomeWriter,
        push: ItemPush,
        claims: Claims,
        tasks: Tasks,
        wakeup: Wakeup,
        health: SierraHealth,
        limits: Limits,
    ) -> None:
        self._in_flight, self._outcomes, self._push, self._claims = in_flight, outcomes, push, claims
        self._tasks, self._wakeup, self._health, self._limits = tasks, wakeup, health, limits

    def move_on(self) -> bool:
        """Start all that can start. Return whether anything is under way: if not, the queue is drained, or it waits."""
        if self._wakeup.stopping or self._health.state == "open":
            # Sierra may not be asked for anything: another notifier may have what waits here.
            self._release_waiting()
        else:
            # A session was lost, and with it perhaps their claims: others may have these items by now.
            if lost := self._in_flight.take_waiting(only_lost=True):
                self.settle([Released(lost)])
            if claim := self._claims.next_claim():
                self._tasks.start(claim)
            while len(self._in_flight.requests) < self._limits.pool_size and self._start_request():
                pass
        # Outcomes may wait for a row that a person has locked: so they do not count here.
        if not (self._claims.is_under_way or self._in_flight.awaits_answers):
            # No answer can tell any more whose fault the undecided failures are.
            self.settle(self._health.no_answers_to_come())
        return bool(self._tasks)

    def settle(self, outcomes: Sequence[Outcome]) -> None:
        """Start to write outcomes to the queue, each by itself: an obstacle to one, such as a lock, keeps no other."""
        for outcome in outcomes:
            for item in _items_of(outcome):
                # It has told what it could: neither the next probe nor other items wait for a row that is locked.
                item.probe, item.is_settled = False, True
            self._tasks.start(self._settle(outcome))

    def _start_request(self) -> bool:
        """Start the next request at Sierra. Return False if there is none to start now."""
        in_flight = self._in_flight
        # Reads come before writes: one read feeds several writes, and without it the other slots fall idle. Those of
        # one item come first: where a list failed, its items have waited for a request already.
        if in_flight.to_read_singly:
            item = in_flight.to_read_singly.popleft()
            self._start(partial(self._push.read_one, item), [item], reads=True)
        elif chunk := self._next_chunk():
            self._start(partial(self._push.read, chunk), chunk, reads=True)
        # Where a claim may bring more to read, the last slot is kept for it.
        elif in_flight.to_write and not self._keeps_slot_for_read():
            item = in_flight.to_write.popleft()
            self._start(partial(self._push.write, item), [item], reads=False)
        else:
            return False
        return True

    def _next_chunk(self) -> list[ClaimedItem]:
        """The items to read with the next request; none while enough are read or being read."""
        in_flight, pool_size = self._in_flight, self._limits.pool_size
        # A read further ahead would age before its write: staff may change the record in between.
        if in_flight.being_read + len(in_flight.to_write) >= pool_size:
            return []
        # A small chunk costs as much as a full one: it can wait to grow while another read goes on.
        if in_flight.being_read and len(in_flight.to_read) < pool_size:
            return []
        return [in_flight.to_read.popleft() for _ in range(min(len(in_flight.to_read), pool_size))]

    def _keeps_slot_for_read(self) -> bool:
        """Tell whether to keep the last free slot for reading items that are being claimed, rather than for a write."""
        in_flight = self._in_flight
        is_last = len(in_flight.requests) == self._limits.pool_size - 1
        # With a pool of one the last slot is the only one: kept, nothing would ever be written.
        if not is_last or not in_flight.requests:
            return False
        return self._claims.are_expected and not (in_flight.to_read or in_flight.being_read)

    def _start(self, work: Work, items: Sequence[ClaimedItem], reads: bool) -> None:
        task = self._tasks.start(self._run(work, items))
        self._in_flight.requests[task] = items if reads else ()

    async def _run(self, work: Work, items: Sequence[ClaimedItem]) -> None:
        """Run one request at Sierra, free its slot, put items in line for their next request, write outcomes."""
        try:
            results = await work()
        except Exception as error:
            results = fail_by_own_error(items, error)
        finally:
            self._in_flight.requests.pop(asyncio.current_task(), None)  # type: ignore[arg-type]
        outcomes: list[Outcome] = []
        for result in results:
            match result:
                case ToReadSingly(items):
                    self._in_flight.to_read_singly.extend(items)
                case ToWrite(item):
                    # A probe goes first: until it is written, nothing else is claimed.
                    (self._in_flight.to_write.appendleft if item.probe else self._in_flight.to_write.append)(item)
                case outcome:
                    outcomes.append(outcome)
        self.settle(outcomes)
        self.move_on()

    async def _settle(self, outcome: Outcome) -> None:
        """Write an outcome to the queue and forget its items. Whatever goes wrong with it, the other items go on."""
        items, outcome = _items_of(outcome), _left_to_look(outcome)
        try:
            if await self._write(outcome) == "unproven" and isinstance(outcome, Finished):
                outcome.item.unproven, outcome.item.is_settled = outcome.push, False
                self._in_flight.to_read_singly.append(outcome.item)
                items = ()
        except Exception as error:
            for failed in fail_by_own_error(items, error):
                await self._write(failed)
        finally:
            self._in_flight.items.difference_update(items)

    async def _write(self, outcome: Outcome) -> Finish | None:
        """Write an outcome to the queue. Return what came of a finish; an `unproven` item is still to be settled."""
        began, came_of_it = time.monotonic(), None
        match outcome:
            case Released(items, delay_seconds, reason):
                untouched = [item.claim for item in items if item.unproven is None]
                pushes = [_without_proof(item.unproven) for item in items if item.unproven]
                await asyncio.gather(
                    self._outcomes.release(untouched, delay_seconds, reason),
                    *(self._outcomes.finish(push) for push in pushes),
                )
                if not delay_seconds:
                    self._claims.expect_more()
                return None
            case Finished(item, push):
                came_of_it = await self._outcomes.finish(push)
                if came_of_it == "marked again":
                    self._claims.expect_more()
            case Failed(item, error):
                await self._outcomes.fail(item.claim, error, item.plan.call_number_before if item.plan else None)
                self._claims.expect_more()  # it may have been marked again
        step = ("finish" if isinstance(outcome, Finished) else "fail", began, time.monotonic())
        if came_of_it != "unproven":
            tell_steps("push", item.claim.trace, item.claimed_at, [*item.steps, step], item_number=item.number)
        return came_of_it

    def _release_waiting(self) -> None:
        """Release the items that wait for a request; when the notifier stops, those being read too."""
        waiting = self._in_flight.take_waiting()
        if self._wakeup.stopping:
            for task, chunk in list(self._in_flight.requests.items()):
                if chunk and task.cancel():  # a read changes nothing at Sierra; a write is let end
                    del self._in_flight.requests[task]  # a task that has not begun yet never gets to do so
                    waiting.extend(chunk)
        if waiting:
            self.settle([Released(waiting)])


def _items_of(outcome: Outcome) -> Sequence[ClaimedItem]:
    return outcome.items if isinstance(outcome, Released) else [outcome.item]


def _left_to_look(outcome: Outcome) -> Outcome:
    """The outcome; of a push whose record could not be read again, that it was done."""
    if isinstance(outcome, Failed) and outcome.item.unproven and outcome.error.reason_code != "not_kept":
        return Finished(outcome.item, _without_proof(outcome.item.unproven))
    return outcome


def _without_proof(push: Pushed) -> Pushed:
    """The push, its read-back left to the look that follows a write without an answer. Its remark says so."""
    remark = f"{push.remark}; {NOT_CHECKED}" if push.remark else NOT_CHECKED
    return replace(push, proven=True, unanswered=True, remark=remark)
