"""One notifier: puts its parts together and runs the loop: clear the wakeup, drain the queue, wait."""

import asyncio
import logging
import random
import time
from contextlib import suppress

import psycopg

from db.connections import DATABASE_AWAY, one_line
from db.pool import NotifierPool, lend
from notifier.backoff import reconnect_pause
from notifier.breaker import Breaker
from notifier.checks import warn_at_start
from notifier.config import limits_of, listening_at, rules_of
from notifier.heartbeat import Heartbeat
from notifier.in_flight import InFlight
from notifier.listener import Listener
from notifier.metrics import Condition
from notifier.outcomes import OutcomeWriter
from notifier.push import Pusher
from notifier.sierra.client import SierraClient
from notifier.sierra.errors import SierraUnavailable
from notifier.wakeup import Wakeup
from notifier.worker import Worker
from runtime.settings import NotifierSettings

log = logging.getLogger("signum.notifier")

POLLING_SECONDS = 2.0
STOP_SECONDS = 8.0


class Service:
    """One notifier: its parts, and the loop that they serve."""

    def __init__(self, settings: NotifierSettings, pool: NotifierPool, sierra: SierraClient, name: str) -> None:
        self._settings = settings
        self._pool = pool
        self._sierra = sierra
        self.wakeup = Wakeup()
        self.breaker = Breaker()
        limits = limits_of(settings)
        self.in_flight = InFlight()
        self._outcomes = OutcomeWriter(pool, name, settings.sierra_update_max_attempts)
        pusher = Pusher(self.in_flight, self._outcomes, sierra, self.wakeup, self.breaker, rules_of(settings), limits)
        self._worker = Worker(self.in_flight, self._outcomes, pusher, self.wakeup, self.breaker, limits)
        self.listener = Listener(listening_at(settings), pool, name, self.wakeup)
        self._heartbeat = Heartbeat(
            pool, name, settings.update_log_retention_days, self.listener, self.breaker, pusher, self._worker
        )

    async def run(self) -> None:
        """Serve until stopped; then finish the writes under way and release the other items."""
        jobs = (self.listener.run(), self._heartbeat.run(), self._prefetch_token(), self._check_self())
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
                await self._worker.abandon()
        finally:
            for task in (*helpers, stopped, loop):
                task.cancel()
            await asyncio.gather(*helpers, stopped, loop, return_exceptions=True)
        with suppress(psycopg.Error, TimeoutError):
            async with asyncio.timeout(1):
                await self._heartbeat.beat("stopped")
        _raise_if_ended([loop])

    async def _loop(self) -> None:
        failures = 0
        while not self.wakeup.stopping:
            something_due = self.wakeup.something_due
            self.wakeup.clear()
            try:
                await self._worker.drain(something_due)
                pause = await self._seconds_to_next_drain()
                failures = 0
            except psycopg.Error as error:
                if failures == 0 and isinstance(error, DATABASE_AWAY):
                    log.warning("database away, waiting for it: %s", one_line(error))
                elif failures == 0:
                    log.error("database refuses, trying again: %s", one_line(error))
                pause = reconnect_pause(failures, random.random())  # noqa: S311  jitter, not a secret
                failures += 1
            await self._rest(pause)

    async def _seconds_to_next_drain(self) -> float:
        """Seconds to the sweep, or to an item or a probe that is due before it."""
        if self.breaker.state == "open":
            return self.breaker.seconds_left
        sweep = self._settings.sierra_update_interval_seconds
        if self.listener.mode == "polling":
            sweep = min(sweep, POLLING_SECONDS)
        wake = await self._outcomes.next_wake()
        return sweep if wake is None else min(sweep, wake)

    async def _rest(self, seconds: float) -> None:
        due_at = time.monotonic() + seconds
        if not await self.wakeup.wait(at_most=seconds):
            late = time.monotonic() - due_at
            if late > self._settings.sierra_update_misfire_grace_time_seconds:
                log.warning("the sweep came late: was this process stopped?", extra={"late_seconds": round(late, 1)})

    async def _prefetch_token(self) -> None:
        """Fetch the token before the first item needs it, so that a refusal shows at the start, not at the first mark.

        Where a person must act, ask again until a token is given: without an item nothing else would notice.
        """
        told = None
        while True:
            try:
                await self._sierra.token.get()
            except SierraUnavailable as error:
                if told is None and error.waits_for != "person":
                    log.warning("%s", error)
                    return
                self.breaker.open(error)
                told = str(error)
                await asyncio.sleep(self.breaker.seconds_left)
            else:
                # Opened for another reason meanwhile, the breaker is not the token's to close.
                if self.breaker.reason == told and self.breaker.close():
                    self.wakeup.set()
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
            breaker=self.breaker.state,
            key_is_refused=self.breaker.key_is_refused,
            token_seconds=self._sierra.token.seconds_left,
            items_held=len(self.in_flight.items),
        )


def _raise_if_ended(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        if task.done() and not task.cancelled():
            task.result()
