"""Claims, and the outcomes of claimed items, written to the queue: finished, postponed, rejected, released.

Outcomes that come together are finished together: while one statement runs, the next ones gather. When the database is
away, or another session has locked an item's row, they are kept and tried again: a write to Sierra must not be
forgotten because of that. An item that was written under a claim which is not known any more is looked at again.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TypeVar

import psycopg

from db import queue
from db.connections import one_line
from db.history import look_up_undone
from db.queue import Claim, Connection, Finish, Locked, Pushed, Release
from db.reasons import Reason
from notifier.backoff import postponement, reconnect_pause
from notifier.metrics import OUTCOMES
from notifier.outcome_log import ids_of, log, log_finish
from notifier.sessions import LockWait, Sessions
from notifier.sierra.errors import ItemError, ItemRejected
from notifier.unanswered import UnansweredWrites
from runtime.sentry import reporting

Result = TypeVar("Result")
GATHER_SECONDS = 0.005  # a statement for several outcomes costs hardly more than one for one
RECHECKS = 2  # at a time: a row that is being entered keeps a session waiting
HISTORY_AGAIN_SECONDS = 60.0
HISTORY_AWAY = Reason("history_away", "History can't be read at the moment")


class OutcomeWriter:
    """Claims items in the name of one notifier, and finishes, postpones, rejects or releases them."""

    def __init__(self, sessions: Sessions, notifier: str, max_attempts: int, unanswered: UnansweredWrites) -> None:
        self._sessions = sessions
        self._max_attempts = max_attempts
        self.unanswered = unanswered
        self.writing = 0  # the outcomes whose statements are under way, or stand still
        self.owed: set[Claim] = set()  # those whose look, see `recheck`, is not noted yet
        self._rechecks = asyncio.Semaphore(RECHECKS)
        self._pushed: list[tuple[Pushed, asyncio.Future[Finish | None]]] = []
        self._turn = asyncio.Lock()
        self.notifier = notifier

    async def claim(self, limit: int, lease_seconds: float, newest: bool = False) -> list[Claim]:
        """Claim what is due, oldest or newest first. Raise OperationalError when the database is away.

        Postpone reverts where history can't be read: other items do not wait for it.
        """
        async with self._sessions.lend() as connection:
            claims = await queue.claim(connection, self.notifier, limit, lease_seconds, newest)
        if not (reverts := [claim for claim in claims if claim.revert_of is not None]):
            return claims
        try:
            async with self._sessions.lend() as connection:
                return await look_up_undone(connection, claims)
        except psycopg.Error as error:
            log.warning("reverts were put off, history can't be read: %s", one_line(error))
            await self.release(reverts, HISTORY_AGAIN_SECONDS, HISTORY_AWAY)
            return [claim for claim in claims if claim.revert_of is None]

    async def next_wake(self) -> float | None:
        """Seconds until something is due or a lease lapses."""
        async with self._sessions.lend() as connection:
            return await queue.next_wake(connection)

    async def give_back(self, in_hand: Collection[int]) -> None:
        """After a lost session: give back what is claimed in our name, not in our hands, and not written."""
        unanswered = [claim.item_record_id for claim in self.unanswered.claims()]
        async with self._sessions.lend() as connection:
            strays = await queue.give_back(connection, self.notifier, [*in_hand, *unanswered])
        if strays:
            log.warning("given back after a lost session", extra={"item_record_ids": strays})

    async def finish(self, push: Pushed) -> Finish | None:
        """Take a pushed item off the queue, in one statement with others that wait for it. Raise its error.

        Return what came of it. `unproven`: nothing, until its record was read again. None: its claim is not ours.
        """
        lock = LockWait()
        while True:
            with self._counted():
                came_of_it = await self._finish(push)
            if came_of_it is None and push.outcome == "pushed":
                await self.recheck(push.claim)
            if came_of_it != "locked":
                return came_of_it
            # Without its lock the row can't be compared with the pushed revision, so neither deleted nor kept.
            await lock.pause([push.claim])

    async def _finish(self, push: Pushed) -> Finish | None:
        told: asyncio.Future[Finish | None] = asyncio.get_running_loop().create_future()
        self._pushed.append((push, told))
        async with self._turn:
            # The first to get its turn finishes all that gather meanwhile; the others find nothing left.
            if self._pushed:
                await asyncio.sleep(GATHER_SECONDS)
                together, self._pushed = self._pushed, []
                await self._finish_together(together)
        return await told

    async def _finish_together(self, together: Sequence[tuple[Pushed, asyncio.Future[Finish | None]]]) -> None:
        pushes = [replace(one, unanswered=True) if one.claim in self.unanswered else one for one, _ in together]
        late_seconds = self.unanswered.late_seconds
        try:
            finished = await self._sessions.until_done(
                lambda connection: queue.finish(connection, self.notifier, pushes, late_seconds)
            )
        except Exception as error:
            if len(together) == 1:
                together[0][1].set_exception(error)
            else:  # one alone may raise it, by a DBA's trigger, say: try each, so that the others are finished
                for one in together:
                    await self._finish_together([one])
            return
        for push, told in together:
            came_of_it = finished.get(push.claim.item_record_id)
            told.set_result(came_of_it)
            if came_of_it not in ("locked", "unproven"):
                log_finish(push, came_of_it)

    async def fail(self, claim: Claim, error: ItemError, call_number: str | None = None) -> None:
        """Postpone the item, or reject it: as the error says, or after its last attempt."""
        if isinstance(error, ItemRejected):
            await self._reject(claim, Reason(error.reason_code, str(error)), call_number)
        elif claim.attempts >= self._max_attempts:
            given_up = f"{error} (given up after {claim.attempts} attempts)"
            await self._reject(claim, Reason(error.reason_code, given_up), call_number)
        else:
            await self._postpone(claim, error)

    async def release(self, claims: Sequence[Claim], delay_seconds: float = 0.0, reason: Reason | None = None) -> None:
        """Release claims, each with its attempt; due `delay_seconds` later and for a reason, or as before."""
        left, unknown, lock = list(claims), set[Claim](), LockWait()
        OUTCOMES.labels("released").inc(len(left))
        while left:
            given_back = left
            told = await self._sessions.until_done(
                lambda connection: self._release(connection, given_back, delay_seconds, reason)  # noqa: B023
            )
            unknown.update(one for one in left if one in self.unanswered and one.item_record_id not in told)
            self.owed.update(unknown)
            log.debug("released %d items", list(told.values()).count("released"))
            left = [claim for claim in left if told.get(claim.item_record_id) == "locked"]
            if left:
                await lock.pause(left)
        await asyncio.gather(*map(self.recheck, unknown))

    async def _release(
        self, connection: Connection, claims: Sequence[Claim], delay_seconds: float, reason: Reason | None
    ) -> dict[int, Release]:
        """Release them, each kept for as long as its unanswered write needs, reckoned anew at every try."""
        kept = {one.item_record_id: s for one in claims if (s := self.unanswered.keep_seconds(one)) is not None}
        code, sentence = reason or (None, None)
        return await queue.release(connection, self.notifier, claims, delay_seconds, sentence, kept, code)

    async def recheck(self, claim: Claim) -> None:
        """Have the item looked at again whose claim is not ours any more: a newer write may have come before ours.

        It is `owed` until that is noted, whatever the database says to it.
        """
        self.owed.add(claim)
        lock, refusals, late_seconds = LockWait(), 0, self.unanswered.late_seconds
        while True:
            try:
                async with self._rechecks:
                    locked = await self._sessions.until_done(
                        lambda connection: queue.recheck(connection, self.notifier, claim.item_record_id, late_seconds)
                    )
                if not locked:
                    break
                await lock.pause([claim])
            except psycopg.Error as error:  # a DBA's trigger, say
                if not refusals:
                    log.error("database refuses, keeping the outcome: %s", one_line(error), extra=ids_of(claim))
                await asyncio.sleep(reconnect_pause(refusals, random.random()))  # noqa: S311  jitter, not a secret
                refusals += 1
        self.owed.discard(claim)

    async def _postpone(self, claim: Claim, error: ItemError) -> None:
        reason, wish = str(error), error.retry_after or 0.0
        delay = postponement(claim.attempts, random.random(), wish)  # noqa: S311  jitter, not a secret
        due_at = await self._within_lease(
            claim,
            lambda connection: queue.postpone(
                *(connection, self.notifier, claim, delay, reason, self.unanswered.keep_seconds(claim)),
                reason_code=error.reason_code,
            ),
        )
        if due_at:
            OUTCOMES.labels("postponed").inc()
            log.warning("postponed: %s", reason, extra={**ids_of(claim), "attempts": claim.attempts, "due_at": due_at})
        elif claim in self.unanswered:
            await self.recheck(claim)

    async def _reject(self, claim: Claim, reason: Reason, call_number: str | None) -> None:
        notifier, unanswered = self.notifier, self.unanswered
        rejected = await self._within_lease(
            claim,
            lambda connection: queue.reject(
                connection,
                notifier,
                claim,
                reason.sentence,
                call_number,
                unanswered.keep_seconds(claim),
                unanswered.late_seconds,
                reason.code,
            ),
        )
        if rejected:
            OUTCOMES.labels("rejected").inc()
            with reporting(claim.trace, item_number=claim.item_number or ""):
                log.error("rejected: %s", reason.sentence, extra={**ids_of(claim), "attempts": claim.attempts})
        elif rejected is None and claim in self.unanswered:
            await self.recheck(claim)

    async def _within_lease(
        self, claim: Claim, work: Callable[[Connection], Awaitable[Result | Locked]]
    ) -> Result | None:
        """Do the work as `until_done` does, but give up when the lease lapses: another claim may take the item."""
        lock = LockWait()
        with suppress(TimeoutError):
            async with asyncio.timeout((claim.lease_until - claim.claimed_at).total_seconds()):
                while True:
                    with self._counted():
                        result = await self._sessions.until_done(work)
                    if result != "locked":
                        return result
                    await lock.pause([claim])
        return None

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """Count an outcome as being written, unless it waits for its row."""
        self.writing += 1
        try:
            yield
        finally:
            self.writing -= 1
