"""One notifier: puts its parts together and runs the loop: clear the wakeup, drain the queue, wait."""

import asyncio
import logging
import random
import time
from contextlib import suppress

import psycopg

from db.pool import Pool, lend
from notifier.backoff import reconnect_pause
from notifier.checks import warn_at_start
from notifier.claims import CLAIM_AGAIN_SECONDS, Claims
from notifier.config import counting_at, limits_of, listening_at, rules_of, unanswered_writes_of
from notifier.health import SierraHealth
from notifier.heartbeat import Heartbeat
from notifier.in_flight import InFlight
from notifier.listener import Listener
from notifier.metrics import Condition
from notifier.outcomes import OutcomeWriter
from notifier.progress import count_progress
from notifier.push import ItemPush
from notifier.sessions import Sessions
from notifier.sierra.client import SierraClient
from notifier.sierra.errors import SierraRefused, SierraUnavailable
from notifier.tasks import Tasks, end
from notifier.wakeup import Wakeup
from notifier.worker import Worker
from runtime.settings import NotifierSettings

log = logging.getLogger("signum.notifier")

POLLING_SECONDS = 2.0
STOP_SECONDS = 8.0
NOTE_SECONDS = 1.0


class Service:
    """One notifier: its parts, and the loop that they serve."""

    def __init__(self, settings: NotifierSettings, pool: Pool, sierra: SierraClient, name: str) -> None:
        self._settings = settings
        self._pool = pool
        self._sierra = sierra
        self.wakeup, self.in_flight = Wakeup(), InFlight()
        self.health = SierraHealth(on_change=self._on_health_change)
        self._unwell_since: float | None = None
        self.looped_at = time.monotonic()
        limits = limits_of(settings)
        # After a failover the new primary need not know a claim that the old one had made.
        pool.on_lost = self.in_flight.lose_claims
        unanswered = unanswered_writes_of(settings)
        self._outcomes = OutcomeWriter(Sessions(pool), name, limits.max_attempts, unanswered)
        self._tasks = Tasks(self.wakeup)
        self._claims = Claims(self.in_flight, self._outcomes, self.wakeup, self.health, limits, self._tasks.start)
        push = ItemPush(sierra, self.health, rules_of(settings), limits, unanswered)
        self._worker = Worker(
            self.in_flight, self._outcomes, push, self._claims, self._tasks, self.wakeup, self.health, limits
        )
        self.listener = Listener(listening_at(settings), pool, name, self.wakeup, self.in_flight.lose_claims)
        retention_days = settings.update_log_retention_days
        self._heartbeat = Heartbeat(pool, name, retention_days, self.listener, self.health, lambda: self.looped_at)

    async def run(self) -> None:
        """Serve until stopped; then finish the writes under way and release the other items."""
        jobs = (
            *(self.listener.run(), self._heartbeat.run()),
            *(self._prefetch_token(), self._check_self(), count_progress(counting_at(self._settings))),
        )
        helpers = [asyncio.create_task(job) for job in jobs]
        loop = asyncio.create_task(self._loop())
        stopped = asyncio.create_task(self.wakeup.stopped.wait())
        try:
            await asyncio.wait({loop, stopped, *helpers[:2]}, return_when=asyncio.FIRST_COMPLETED)
            # Listener and heartbeat never end but by a bug: then end the process too, rather than go on without them.
            _raise_if_ended(helpers[:2])
            await asyncio.wait({loop}, timeout=STOP_SECONDS)
            if not loop.done():
                log.warning("stopping with requests under way: their items are pushed again when their leases lapse")
            await self._note_lost_writes()
            await self._tasks.cancel()  # the leases lapse by themselves
        finally:
            await end([*helpers, stopped, loop])
        with suppress(psycopg.Error, TimeoutError):
            async with asyncio.timeout(1):
                await self._heartbeat.beat("stopped")
                await self.listener.ring()
        _raise_if_ended([loop])

    async def _note_lost_writes(self) -> None:
        """Have items looked at again whose writes, under way or unanswered, the database may not know any more."""
        lost = {item.claim for item in self.in_flight.items if item.is_lost}
        lost.update(self._outcomes.owed)
        if self._claims.may_be_lost:
            lost.update(self._outcomes.unanswered.claims())
        if lost:
            noting = [self._tasks.start(self._outcomes.recheck(claim)) for claim in lost]
            await asyncio.wait(noting, timeout=NOTE_SECONDS)
        if self._outcomes.owed:
            numbers = [claim.item_number for claim in self._outcomes.owed]
            log.warning("stopping, and no look at these items could be queued", extra={"item_numbers": numbers})

    async def _loop(self) -> None:
        """Push what is due, until the notifier stops and nothing is under way any more."""
        failures = 0
        self._claims.expect_more()
        while True:
            self.looped_at = time.monotonic()
            # Cleared before looking: what sets it during the look is not lost.
            if self.wakeup.clear():
                # Perhaps a mark: where Sierra answers but refuses what came before, it is tried at once.
                self.health.new_mark()
                self._claims.expect_more()
            if self._worker.move_on():
                # Each task sets the wakeup at its end. The time is for rows that come due without a notification.
                await self.wakeup.wait(CLAIM_AGAIN_SECONDS)
                continue
            try:
                self._tasks.raise_failure()
                if self.wakeup.stopping:
                    return
                pause = await self._seconds_to_next_look()
                failures = 0
            except psycopg.Error:  # logged; the database is asked again, now and then, until it answers
                if self.wakeup.stopping:
                    return
                pause = reconnect_pause(failures, random.random())  # noqa: S311  jitter, not a secret
                failures += 1
            await self._rest(pause)
            self._claims.expect_more()

    async def _seconds_to_next_look(self) -> float:
        """Seconds to the sweep, or to an item or a probe that is due before it."""
        if self.health.state == "open":
            return self.health.seconds_left
        sweep = self._settings.sierra_update_interval_seconds
        if self.listener.mode == "polling":
            sweep = min(sweep, POLLING_SECONDS)
        wake = await self._outcomes.next_wake()
        return sweep if wake is None else min(sweep, wake)

    async def _rest(self, seconds: float) -> None:
        due_at = time.monotonic() + seconds
        await self.wakeup.wait(seconds)
        late = time.monotonic() - due_at
        if late > self._settings.sierra_update_misfire_grace_time_seconds:
            log.warning("the sweep came late: was this process stopped?", extra={"late_seconds": round(late, 1)})

    def _on_health_change(self) -> None:
        """Log the change. Where Sierra is well again, wake the loop: what was given back meanwhile is due."""
        state, fault, now = self.health.state, self.health.fault, time.monotonic()
        if fault:
            write = log.error if fault.waits_for == "person" else log.warning
            said = "stopped pushing: %s" if self._unwell_since is None else "still not pushing: %s"
            self._unwell_since = self._unwell_since or now
            write(said, fault, extra={"state": state, "next_try_seconds": round(self.health.seconds_left, 1)})
        elif state == "sampling":
            log.info("items failed alike: new ones decide whose fault it is", extra={"state": state})
        elif self._unwell_since is None:
            log.info("the items that failed alike are themselves at fault", extra={"state": state})
        else:
            after_seconds = round(now - self._unwell_since, 1)
            log.info("pushing again: Sierra answers", extra={"state": state, "after_seconds": after_seconds})
            self._unwell_since = None
            self.wakeup.set()

    async def _prefetch_token(self) -> None:
        """Fetch the token before the first item needs it, so that a refusal shows at the start, not at the first mark.

        Where a person must act, ask again until a token is given: without an item nothing else would notice.
        """
        refusal: SierraUnavailable | None = None
        while True:
            try:
                await self._sierra.token.get()
            except SierraUnavailable as error:
                if refusal is None and error.waits_for != "person":
                    log.warning("%s", error)
                    return
                refusal = error
                self._worker.settle(self.health.unavailable([], error, writing=False))
                await asyncio.sleep(self.health.seconds_left)
            else:
                if refusal:
                    self.health.recovered(refusal)
                return

    async def _check_self(self) -> None:
        """Log warnings of faults that would show by no error. The start does not wait for it."""
        with suppress(psycopg.Error):  # the loop logs them
            async with lend(self._pool) as connection:
                await warn_at_start(connection, self._settings)

    def snapshot(self) -> Condition:
        """Return the notifier's condition, for metrics; safe to call from another thread."""
        return Condition(
            mode=self.listener.mode,
            breaker=self.health.state,
            key_is_refused=isinstance(self.health.fault, SierraRefused),
            token_seconds=self._sierra.token.seconds_left,
            items_held=len(self.in_flight.items),
        )


def _raise_if_ended(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        if task.done() and not task.cancelled():
            task.result()
