"""What is pushed, in which order, how much at once? The pipeline from the queue to Sierra and back.

A chunk of items is read with one request, then each is written: 1 + 1/pool requests per item. While a chunk is written
the next one is claimed and read, so that all places at Sierra stay taken, and no item waits longer than about one
request between its read and its write: what staff change in between would be lost.
"""

import asyncio
import time
from collections.abc import Coroutine, Sequence
from typing import Any

from notifier.breaker import Breaker
from notifier.in_flight import Belt, Held, Limits
from notifier.metrics import NOTIFY_TO_CLAIM_SECONDS
from notifier.outcomes import Desk
from notifier.push import Pusher, Remaining
from notifier.sierra.errors import ItemRejected
from notifier.wakeup import Bell

SAMPLES = 3
LOOK_SECONDS = 2.0  # what is under way may take long: what comes due meanwhile does not wait for it


class Worker:
    """Drains the queue. One call of `drain` at a time."""

    def __init__(self, belt: Belt, desk: Desk, pusher: Pusher, bell: Bell, breaker: Breaker, limits: Limits) -> None:
        self._belt, self._desk, self._pusher = belt, desk, pusher
        self._bell, self._breaker, self._limits = bell, breaker, limits
        self._tasks: set[asyncio.Task[None]] = set()
        self._reads: dict[asyncio.Task[None], Sequence[Held]] = {}
        self._requests = 0
        self._claiming = False
        self._look = False
        self._looked_at = 0.0
        self._newest = False
        self._failure: Exception | None = None
        self.moved_at = time.monotonic()

    async def drain(self, rung: bool = False) -> None:
        """Push until nothing is due and nothing is in flight, or Sierra is unwell, or we stop.

        `rung`: something new is due. Raises what a claim raised (the database is away), when nothing is in flight.
        """
        self._look_again(rung)
        self._failure = None
        while True:
            self.moved_at = time.monotonic()
            self._advance()
            if not self._tasks:
                if not self._pusher.doubts.waiting:
                    break
                self._start(self._pusher.adjourn_doubts())
            rung = await self._bell.next_move(LOOK_SECONDS)
            if rung or time.monotonic() - self._looked_at > LOOK_SECONDS:
                self._look_again(rung)
        if self._failure is not None:
            raise self._failure

    async def abandon(self) -> None:
        """End what is under way at once; the leases lapse by themselves."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _look_again(self, rung: bool) -> None:
        """More may be due. Where Sierra answers but refuses, the newest may be what it takes: that is tried at once."""
        self._look = True
        if rung and self._pusher.is_refused:
            self._breaker.end_pause()
            self._newest = True

    def _advance(self) -> None:
        """Start all that can start now: reads before writes, for one read feeds several writes."""
        if self._bell.stopping or self._breaker.state == "open":
            self._give_back()
            return
        if self._look and not self._claiming and (room := self._room()):
            self._look = False
            self._looked_at = time.monotonic()
            self._claiming = True
            self._start(self._claim(room))
        belt = self._belt
        while self._requests < self._limits.pool_size:
            if belt.to_read_singly:
                held = belt.to_read_singly.popleft()
                self._read([held], self._pusher.read_one(held))
            elif chunk := self._next_chunk():
                self._read(chunk, self._pusher.read(chunk))
            elif belt.to_write and not self._keeps_a_place():
                held = belt.to_write.popleft()
                self._request(self._pusher.write(held), [held])
            else:
                break

    def _next_chunk(self) -> list[Held]:
        """What to read now: a chunk, as soon as fewer items than that are read or wait; less only if none is read."""
        belt, pool_size = self._belt, self._limits.pool_size
        if belt.being_read + len(belt.to_write) >= pool_size or (belt.being_read and len(belt.to_read) < pool_size):
            return []
        return [belt.to_read.popleft() for _ in range(min(len(belt.to_read), pool_size))]

    def _room(self) -> int:
        """How many to claim: one chunk is kept ready, so that no read waits for the database.

        Where the limit is near, it is worth waiting for half of it: a read of few items costs as much as one of many.
        """
        belt = self._belt
        if self._is_probing:
            return 0 if any(held.probe for held in belt.held) else (SAMPLES if self._pusher.doubts.are_many else 1)
        chunk = self._limits.pool_size - len(belt.to_read) - len(belt.to_read_singly)
        room = min(chunk, self._limits.most_held - len(belt.held))
        return room if room >= max(1, min(chunk, self._limits.most_held // 2 - 1)) else 0

    @property
    def _is_probing(self) -> bool:
        """Whether no more is claimed than what shows how Sierra is."""
        return self._pusher.doubts.are_many or self._breaker.state == "probing"

    def _keeps_a_place(self) -> bool:
        """Whether the last free place is kept for a read: more is due, but none of it is here yet."""
        belt, is_last = self._belt, self._requests == self._limits.pool_size - 1
        return (
            is_last and self._requests > 0 and (self._look or self._claiming) and not (belt.to_read or belt.being_read)
        )

    async def _claim(self, room: int) -> None:
        """Claim, and put in line to be read. The lease is counted from before the claim was sent."""
        probe = self._is_probing
        newest = self._pusher.doubts.are_many or (probe and self._newest)
        self._newest = not newest
        asked_at, heard_at = time.monotonic(), self._bell.take_heard_at()
        try:
            claims = await self._desk.claim(room, self._limits.lease_seconds, newest)
        finally:
            self._claiming = False
        if claims and heard_at is not None:
            NOTIFY_TO_CLAIM_SECONDS.observe(time.monotonic() - heard_at)
        if len(claims) == room:
            self._look = True
        several = [Held(claim, asked_at, asked_at + self._limits.lease_seconds, probe) for claim in claims]
        self._belt.held.update(several)
        for held in several:
            if held.number:
                singly = probe or self._pusher.lists_fail or held.claim.item_record_id in self._pusher.suspects
                (self._belt.to_read_singly if singly else self._belt.to_read).append(held)
        self._bell.nudge()
        for held in several:
            if not held.number:
                given = f"item number {held.claim.item_number!r}" if held.claim.item_number else "no item number"
                error = ItemRejected(f"The item came with {given} from Sierra: it can't be asked for")
                await self._desk.fail(held.claim, error)
                self._belt.held.discard(held)

    def _read(self, chunk: Sequence[Held], work: Coroutine[Any, Any, Remaining]) -> None:
        self._belt.being_read += len(chunk)
        self._reads[self._request(work, chunk, len(chunk))] = chunk

    def _request(
        self, work: Coroutine[Any, Any, Remaining], several: Sequence[Held], being_read: int = 0
    ) -> asyncio.Task[None]:
        self._requests += 1
        return self._start(self._at_a_place(work, several, being_read))

    async def _at_a_place(self, work: Coroutine[Any, Any, Remaining], several: Sequence[Held], being_read: int) -> None:
        """One request at Sierra; what remains to be done at the database comes when its place is free again.

        The outermost fence of these items: whatever goes wrong with them, the others go on.
        """
        try:
            try:
                remaining = await work
                # Those of a chunk that go on by themselves are in other hands from here on.
                elsewhere = {*self._belt.to_write, *self._belt.to_read_singly} if being_read else set()
                several = [held for held in several if held not in elsewhere]
            finally:
                self._requests -= 1
                self._belt.being_read -= being_read
                self._reads.pop(asyncio.current_task(), None)  # type: ignore[arg-type]
                self._bell.nudge()
            for outcome in await asyncio.gather(*remaining, return_exceptions=True):
                if isinstance(outcome, BaseException):
                    raise outcome
        except Exception as bug:
            await self._pusher.surprise(several, bug)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._bell.nudge()
        if not task.cancelled() and isinstance(error := task.exception(), Exception):
            self._failure = error

    def _give_back(self) -> None:
        """Release what is not being written; when we stop, what is being read too."""
        waiting = self._belt.take_waiting()
        if self._bell.stopping:
            for task, chunk in self._reads.items():
                if task.cancel():
                    waiting.extend(chunk)
            self._reads.clear()
        if waiting:
            self._start(self._pusher.release(waiting))
