"""The pipeline from the queue to Sierra: claim, read by chunks, write; and how much of it at once.

A chunk of items is read with one request, then each is written: 1 + 1/pool requests per item. While a chunk is written
the next one is claimed and read, so that all slots at Sierra stay taken (a slot: one of the `pool_size` requests that
may be under way), and no item waits longer than about one request between its read and its write: changes that staff
make in between would be lost.
"""

import asyncio
import time
from collections.abc import Coroutine, Sequence
from typing import Any

from notifier.breaker import Breaker
from notifier.in_flight import ClaimedItem, InFlight, Limits
from notifier.metrics import NOTIFY_TO_CLAIM_SECONDS
from notifier.outcomes import OutcomeWriter
from notifier.push import Pusher, Remaining
from notifier.sierra.errors import ItemRejected
from notifier.wakeup import Wakeup

SAMPLES = 3  # new items to try when five failed alike, before Sierra or the configuration is blamed
CLAIM_AGAIN_SECONDS = 2.0  # requests under way may take long: items that come due meanwhile do not wait for them


class Worker:
    """Drains the queue. One call of `drain` at a time."""

    def __init__(
        self,
        in_flight: InFlight,
        outcomes: OutcomeWriter,
        pusher: Pusher,
        wakeup: Wakeup,
        breaker: Breaker,
        limits: Limits,
    ) -> None:
        self._in_flight, self._outcomes, self._pusher = in_flight, outcomes, pusher
        self._wakeup, self._breaker, self._limits = wakeup, breaker, limits
        self._tasks: set[asyncio.Task[None]] = set()
        self._reads: dict[asyncio.Task[None], Sequence[ClaimedItem]] = {}
        self._requests = 0
        self._claiming = False
        self._more_may_be_due = False
        self._claim_began_at = 0.0
        self._newest = False
        self._failure: Exception | None = None
        self.moved_at = time.monotonic()

    async def drain(self, something_due: bool = False) -> None:
        """Push until nothing is due and nothing is in flight, or Sierra is unwell, or the notifier stops.

        `something_due`: a notification came since the last drain. Raise a claim's error (the database is away) when
        nothing is in flight any more.
        """
        self._expect_more(something_due)
        self._failure = None
        while True:
            self.moved_at = time.monotonic()
            self._start_all_that_can_start()
            if not self._tasks:
                if not self._pusher.doubts.waiting:
                    break  # drained, or held up by the breaker or a stop
                # No response under way can tell any more whose fault the undecided failures are.
                self._start(self._pusher.settle_undecided())
            something_due = await self._wakeup.wait_and_clear(CLAIM_AGAIN_SECONDS)
            # The timer also finds rows that come due without a notification: postponed items, lapsed leases.
            if something_due or time.monotonic() - self._claim_began_at > CLAIM_AGAIN_SECONDS:
                self._expect_more(something_due)
        if self._failure is not None:
            raise self._failure

    async def abandon(self) -> None:
        """Cancel all requests and writes of outcomes; the leases lapse by themselves."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _expect_more(self, something_due: bool) -> None:
        """Have the next step claim. Where Sierra answers but refuses, have it try the newest mark at once."""
        self._more_may_be_due = True
        if something_due and self._pusher.is_paused_by_alike:
            self._breaker.end_pause()
            self._newest = True

    def _start_all_that_can_start(self) -> None:
        """Start a claim and as many requests as there are slots; or release, if nothing may be started."""
        if self._wakeup.stopping or self._breaker.state == "open":
            self._release_waiting()
            return
        # One claim at a time: two would claim more than there is room for.
        if self._more_may_be_due and not self._claiming and (room := self._room()):
            self._more_may_be_due = False
            self._claim_began_at = time.monotonic()
            self._claiming = True
            self._start(self._claim(room))
        in_flight = self._in_flight
        while self._requests < self._limits.pool_size:
            # Reads come before writes: one read feeds several writes, and without it the other slots fall idle.
            if in_flight.to_read_singly:
                item = in_flight.to_read_singly.popleft()
                self._start_read([item], self._pusher.read_one(item))
            elif chunk := self._next_chunk():
                self._start_read(chunk, self._pusher.read(chunk))
            elif in_flight.to_write and not self._keeps_slot_for_read():
                item = in_flight.to_write.popleft()
                self._start_request(self._pusher.write(item), [item])
            else:
                break

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

    def _room(self) -> int:
        """The number of items to claim now.

        As many as fill up one chunk that is kept ready, so that no read waits for the database, but no more than
        `most_items` allows in all. If that limit leaves room for a few only, claim none yet: a read of few items costs
        as much as one of many. Worth it is the whole chunk, or nearly half of `most_items` where that is less.
        """
        in_flight, limits = self._in_flight, self._limits
        if self._is_probing:
            if any(item.probe for item in in_flight.items):
                return 0
            return SAMPLES if self._pusher.doubts.are_many else 1
        chunk = limits.pool_size - len(in_flight.to_read) - len(in_flight.to_read_singly)
        room = min(chunk, limits.most_items - len(in_flight.items))
        return room if room >= max(1, min(chunk, limits.most_items // 2 - 1)) else 0

    @property
    def _is_probing(self) -> bool:
        """Tell whether to claim only the few items that show whether Sierra is well."""
        return self._pusher.doubts.are_many or self._breaker.state == "probing"

    def _keeps_slot_for_read(self) -> bool:
        """Tell whether to keep the last free slot for reading items that are being claimed, rather than for a write."""
        in_flight = self._in_flight
        is_last = self._requests == self._limits.pool_size - 1
        # With a pool of one the last slot is the only one: kept, nothing would ever be written.
        if not is_last or self._requests == 0:
            return False
        return (self._more_may_be_due or self._claiming) and not (in_flight.to_read or in_flight.being_read)

    async def _claim(self, room: int) -> None:
        """Claim, and put the items in line to be read."""
        probe = self._is_probing
        # A probe by the newest mark alternates with one by the oldest, so that neither starves the other.
        newest = self._pusher.doubts.are_many or (probe and self._newest)
        self._newest = not newest
        # The lease is counted from before the claim was sent: by our clock it ends before it does in the database.
        asked_at, notified_at = time.monotonic(), self._wakeup.take_notified_at()
        try:
            claims = await self._outcomes.claim(room, self._limits.lease_seconds, newest)
        finally:
            self._claiming = False
        if claims and notified_at is not None:
            NOTIFY_TO_CLAIM_SECONDS.observe(time.monotonic() - notified_at)
        if len(claims) == room:
            self._more_may_be_due = True
        items = [ClaimedItem(claim, asked_at, asked_at + self._limits.lease_seconds, probe) for claim in claims]
        self._in_flight.items.update(items)
        for item in items:
            if item.number:
                # Alone where its answer is to count for this item only: a probe, a suspect, and while lists fail.
                singly = probe or self._pusher.lists_fail or item.claim.item_record_id in self._pusher.suspects
                (self._in_flight.to_read_singly if singly else self._in_flight.to_read).append(item)
        self._wakeup.set(something_due=False)
        for item in items:  # after the others were put in line: a rejection waits for the database
            if not item.number:
                given = f"item number {item.claim.item_number!r}" if item.claim.item_number else "no item number"
                error = ItemRejected(f"The item came with {given} from Sierra: it can't be asked for")
                await self._outcomes.fail(item.claim, error)
                self._in_flight.items.discard(item)

    def _start_read(self, chunk: Sequence[ClaimedItem], work: Coroutine[Any, Any, Remaining]) -> None:
        self._in_flight.being_read += len(chunk)
        self._reads[self._start_request(work, chunk, len(chunk))] = chunk

    def _start_request(
        self, work: Coroutine[Any, Any, Remaining], items: Sequence[ClaimedItem], being_read: int = 0
    ) -> asyncio.Task[None]:
        self._requests += 1
        return self._start(self._run_in_slot(work, items, being_read))

    async def _run_in_slot(
        self, work: Coroutine[Any, Any, Remaining], items: Sequence[ClaimedItem], being_read: int
    ) -> None:
        """Run one request at Sierra, free its slot, then do what remains to be done at the database.

        Whatever goes wrong with these items, the others go on: no exception leaves here.
        """
        try:
            try:
                remaining = await work
                # Items that were put in line for their next request are no longer this one's to settle.
                elsewhere = {*self._in_flight.to_write, *self._in_flight.to_read_singly} if being_read else set()
                items = [item for item in items if item not in elsewhere]
            finally:
                self._requests -= 1
                self._in_flight.being_read -= being_read
                self._reads.pop(asyncio.current_task(), None)  # type: ignore[arg-type]
                self._wakeup.set(something_due=False)
            for outcome in await asyncio.gather(*remaining, return_exceptions=True):
                if isinstance(outcome, BaseException):
                    raise outcome
        except Exception as error:
            await self._pusher.on_unexpected_error(items, error)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._wakeup.set(something_due=False)
        if not task.cancelled() and isinstance(error := task.exception(), Exception):
            self._failure = error  # of a claim, or of the error handling itself: `drain` raises it at its end

    def _release_waiting(self) -> None:
        """Release the items that wait for a request; when the notifier stops, those being read too."""
        waiting = self._in_flight.take_waiting()
        if self._wakeup.stopping:
            for task, chunk in self._reads.items():
                if task.cancel():  # a read changes nothing at Sierra; a write is let end
                    waiting.extend(chunk)
            self._reads.clear()
        if waiting:
            self._start(self._pusher.release(waiting))
