"""What becomes of the items that we hold? The desk takes their outcomes back to the queue.

Outcomes that come together are finished together: while one statement runs, the next ones gather. When the database is
away, or somebody has locked an item's row, they are kept and tried again, for what was written to Sierra must not be
forgotten because of that.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from db import queue
from db.engine import DATABASE_AWAY, DATABASE_REFUSES, NotifierPool, lend, one_line
from db.history import look_up_undone
from db.queue import Claim, Connection, Pushed
from notifier.backoff import lock_pause, postponement, reconnect_pause
from notifier.errors import ItemError, ItemRejected
from notifier.metrics import OUTCOMES
from runtime.sentry import reporting

log = logging.getLogger("signum.desk")

Result = TypeVar("Result")
LONG_LOCK_TRIES = 6  # about a second


class Desk:
    """Finishes, postpones, rejects and releases claims in the name of one notifier."""

    def __init__(self, pool: NotifierPool, notifier: str, max_attempts: int) -> None:
        self._pool = pool
        self._max_attempts = max_attempts
        self._pushed: list[Pushed] = []
        self._locked: list[Pushed] = []
        self._turn = asyncio.Lock()
        self.notifier = notifier

    async def claim(self, limit: int, lease_seconds: float, newest: bool = False) -> list[Claim]:
        """Claim what is due, oldest or newest first. Raises OperationalError when the database is away."""
        async with lend(self._pool) as connection:
            claims = await queue.claim(connection, self.notifier, limit, lease_seconds, newest)
            return await look_up_undone(connection, claims)

    async def next_wake(self) -> float | None:
        """Seconds until something is due or a lease lapses."""
        async with lend(self._pool) as connection:
            return await queue.next_wake(connection)

    async def finish(self, push: Pushed) -> None:
        """Take a pushed item off the queue, together with all that wait for the same."""
        failures = 0
        self._pushed.append(push)
        while True:
            async with self._turn:
                pushes, self._pushed = self._pushed, []
                if pushes:
                    await self._finish_together(pushes)
            if push not in self._locked:
                return
            self._locked.remove(push)
            await self._wait_for_a_lock([push.claim], failures)
            failures += 1
            self._pushed.append(push)

    async def _finish_together(self, pushes: Sequence[Pushed]) -> None:
        finished = await self._surely(lambda connection: queue.finish(connection, self.notifier, pushes))
        for push in pushes:
            item = push.claim.item_record_id
            if item in finished and finished[item] is None:
                self._locked.append(push)
            else:
                _tell(push, finished.get(item))

    async def fail(self, claim: Claim, error: ItemError, call_number: str | None = None) -> None:
        """Postpone the item, or reject it: as the error says, or because it was tried often enough."""
        if isinstance(error, ItemRejected):
            await self._reject(claim, str(error), call_number)
        elif claim.attempts >= self._max_attempts:
            await self._reject(claim, f"{error} (given up after {claim.attempts} attempts)", call_number)
        else:
            await self._postpone(claim, str(error), error.retry_after)

    async def release(self, claims: Sequence[Claim], delay_seconds: float = 0.0, reason: str | None = None) -> None:
        """Give claims back with their attempts; due `delay_seconds` later and for a reason, or as before."""
        left, failures = list(claims), 0
        OUTCOMES.labels("released").inc(len(left))
        while left:
            locked = await self._surely(
                lambda connection: queue.release(connection, self.notifier, left, delay_seconds, reason)  # noqa: B023
            )
            log.debug("released %d items", len(left) - len(locked))
            left = [claim for claim in left if claim.item_record_id in locked]
            if left:
                await self._wait_for_a_lock(left, failures)
                failures += 1

    async def _wait_for_a_lock(self, claims: Sequence[Claim], failures: int) -> None:
        """A mark's lock is gone at once. One that lasts is somebody's open transaction; the items can wait for it."""
        if failures == LONG_LOCK_TRIES:
            numbers = [claim.item_number for claim in claims]
            log.warning("locked in the queue by another session, keeping the outcome", extra={"item_numbers": numbers})
        await asyncio.sleep(lock_pause(failures, random.random()))  # noqa: S311  jitter, not a secret

    async def _postpone(self, claim: Claim, reason: str, retry_after: float | None) -> None:
        delay = postponement(claim.attempts, random.random(), retry_after or 0.0)  # noqa: S311  jitter, not a secret
        due_at = await self._surely(lambda connection: queue.postpone(connection, self.notifier, claim, delay, reason))
        if due_at:
            OUTCOMES.labels("postponed").inc()
            log.warning("postponed: %s", reason, extra={**_ids(claim), "attempts": claim.attempts, "due_at": due_at})

    async def _reject(self, claim: Claim, reason: str, call_number: str | None) -> None:
        rejected = await self._surely(
            lambda connection: queue.reject(connection, self.notifier, claim, reason, call_number)
        )
        if rejected:
            OUTCOMES.labels("rejected").inc()
            with reporting(claim.trace, item_number=claim.item_number or ""):
                log.error("rejected: %s", reason, extra={**_ids(claim), "attempts": claim.attempts})

    async def _surely(self, work: Callable[[Connection], Awaitable[Result]]) -> Result:
        """Do it, again and again while the database is away or refuses. What is not ours any more is left alone."""
        failures = 0
        while True:
            try:
                async with lend(self._pool) as connection:
                    return await work(connection)
            except (*DATABASE_AWAY, *DATABASE_REFUSES) as error:
                if failures == 0:
                    say = log.warning if isinstance(error, DATABASE_AWAY) else log.error
                    say("database away, keeping the outcome: %s", one_line(error))
                await asyncio.sleep(reconnect_pause(failures, random.random()))  # noqa: S311
                failures += 1


def _tell(push: Pushed, finished: bool | None) -> None:
    OUTCOMES.labels(push.outcome).inc()
    facts = {**_ids(push.claim), "sierra_ms": push.sierra_ms}
    if finished is None:
        log.warning("%s, but its claim was not ours any more", push.outcome, extra=facts)
    elif finished:
        log.info("%s %s", push.outcome, push.call_number_after or "(no call number)", extra=facts)
    else:
        log.info("%s, and marked again meanwhile", push.outcome, extra=facts)


def _ids(claim: Claim) -> dict[str, object]:
    return {
        "item_record_id": claim.item_record_id,
        "item_number": claim.item_number,
        "barcode": claim.barcode,
        "request_id": claim.request_id,
        **({} if claim.revert_of is None else {"revert_of": claim.revert_of}),
    }
