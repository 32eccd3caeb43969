"""The notifier process: listen, drain, rest, until told to stop."""

import asyncio
import gc
import logging
import os
import random
import secrets
import signal
import socket
import time
from contextlib import suppress

import psycopg
import uvloop

from db import queue
from db.connections import DATABASE_AWAY, DatabaseUnavailable, connection_parameters, notifier_parameters, one_line
from db.pool import NotifierPool, lend, make_pool
from db.schema.startup import prepare_database
from notifier.backoff import reconnect_pause
from notifier.breaker import Breaker
from notifier.checks import warn_at_start
from notifier.config import client_of, limits_of, listening_at, rules_of
from notifier.in_flight import InFlight
from notifier.listener import Listener
from notifier.metrics import COUNTED, Condition, ConditionCollector
from notifier.outcomes import OutcomeWriter
from notifier.push import Pusher
from notifier.sierra.client import SierraClient
from notifier.sierra.token import prefetch_token
from notifier.wakeup import Wakeup
from notifier.worker import Worker
from runtime.logging import configure_logging
from runtime.metrics import metrics_served
from runtime.open_files import raise_limit_of_open_files
from runtime.release import release
from runtime.sentry import configure_sentry
from runtime.settings import NotifierSettings, SettingsError
from runtime.stderr import exit_now

log = logging.getLogger("signum.notifier")

NAME = "signum notifier"
POOL_SIZE = 4
POLLING_SECONDS = 2.0
STOP_SECONDS = 8.0
LAST_SECONDS = 9.4  # and half a second for the log's last lines: within 10
HEARTBEAT_SECONDS = 5.0
LOOK_AROUND_SECONDS = 0.2
PRUNE_SECONDS = 3600.0
PRUNE_AGAIN_SECONDS = 60.0
PRUNE_ROWS = 5_000


class Service:
    """One notifier: its parts, and the loop that they serve."""

    def __init__(self, settings: NotifierSettings, pool: NotifierPool, sierra: SierraClient, name: str) -> None:
        self._settings = settings
        self._pool = pool
        self._sierra = sierra
        self.name = name
        self.wakeup = Wakeup()
        self.breaker = Breaker()
        limits = limits_of(settings)
        self.in_flight = InFlight()
        self._outcomes = OutcomeWriter(pool, name, settings.sierra_update_max_attempts)
        self._pusher = Pusher(
            self.in_flight, self._outcomes, sierra, self.wakeup, self.breaker, rules_of(settings), limits
        )
        self._worker = Worker(self.in_flight, self._outcomes, self._pusher, self.wakeup, self.breaker, limits)
        self.listener = Listener(listening_at(settings), pool, name, self.wakeup)

    async def run(self) -> None:
        """Serve until stopped; then finish the writes under way and release the other items."""
        jobs = (
            self.listener.run(),
            self._heartbeat(),
            prefetch_token(self._sierra.token, self.breaker, self.wakeup),
            self._check_self(),
        )
        helpers = [asyncio.create_task(job) for job in jobs]
        loop = asyncio.create_task(self._loop())
        stopped = asyncio.create_task(self.wakeup.stopped.wait())
        try:
            await asyncio.wait({loop, stopped, *helpers[:2]}, return_when=asyncio.FIRST_COMPLETED)
            _raise_if_ended(helpers[:2])  # they never end: this process must not go on deaf or silent
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
                await self._beat("stopped")
        _raise_if_ended([loop])

    async def _loop(self) -> None:
        failures = 0
        while not self.wakeup.stopping:
            something_due = self.wakeup.something_due
            self.wakeup.clear()
            try:
                await self._worker.drain(something_due)
                pause = await self._until_next_look()
                failures = 0
            except psycopg.Error as error:
                if failures == 0 and isinstance(error, DATABASE_AWAY):
                    log.warning("database away, waiting for it: %s", one_line(error))
                elif failures == 0:
                    log.error("database refuses, trying again: %s", one_line(error))
                pause = reconnect_pause(failures, random.random())  # noqa: S311  jitter, not a secret
                failures += 1
            await self._rest(pause)

    async def _until_next_look(self) -> float:
        """Seconds to rest: to the sweep, or to what comes before it."""
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

    async def _check_self(self) -> None:
        """Warn of what would go wrong without a word; the start does not wait for it."""
        with suppress(psycopg.Error):  # which the loop says
            async with lend(self._pool) as connection:
                await warn_at_start(connection, self._settings)

    async def _heartbeat(self) -> None:
        """Say how we are, at once when that changes; and forget what is too old to keep."""
        prune_at, beat_at, said, trouble = 0.0, 0.0, None, ""
        while True:
            now = time.monotonic()
            state = (self.listener.mode, self.breaker.state, self.breaker.reason)
            try:
                if now >= beat_at or state != said:
                    beat_at, said = now + HEARTBEAT_SECONDS, state
                    await self._beat(self.listener.mode)
                if now >= prune_at:
                    prune_at = now + PRUNE_AGAIN_SECONDS
                    await self._prune()
                    prune_at = now + PRUNE_SECONDS
            except psycopg.Error as error:
                is_away = isinstance(error, DATABASE_AWAY) and not isinstance(error, psycopg.errors.QueryCanceled)
                if not is_away and trouble != (trouble := one_line(error)):
                    log.error("housekeeping was refused: %s", trouble)
            await asyncio.sleep(LOOK_AROUND_SECONDS)

    def snapshot(self) -> Condition:
        """How we are, for whoever asks; safe from another thread."""
        return Condition(
            mode=self.listener.mode,
            breaker=self.breaker.state,
            key_is_refused=self.breaker.key_is_refused,
            token_seconds=self._sierra.token.seconds_left,
            items_held=len(self.in_flight.items),
        )

    async def _beat(self, mode: str) -> None:
        succeeded, self._pusher.succeeded = self._pusher.succeeded, False
        reason = self.breaker.reason or self.listener.reason
        async with lend(self._pool) as connection:
            await queue.heartbeat(
                connection,
                self.name,
                mode,
                self.breaker.state,
                reason,
                waits_for=self.breaker.waits_for,
                succeeded=succeeded,
                looped_seconds_ago=time.monotonic() - self._worker.moved_at,
            )

    async def _prune(self) -> None:
        async with lend(self._pool) as connection:
            await queue.forget_notifiers(connection)
        forgotten = PRUNE_ROWS
        while forgotten == PRUNE_ROWS:
            async with lend(self._pool) as connection:
                forgotten = await queue.prune_log(connection, self._settings.update_log_retention_days, PRUNE_ROWS)
            log.debug("forgot %d rows of history", forgotten)


def _raise_if_ended(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        if task.done() and not task.cancelled():
            task.result()


async def serve(settings: NotifierSettings) -> None:
    """Run one notifier until SIGTERM or SIGINT; a second one ends it at once. DatabaseUnavailable, SettingsError."""
    await prepare_database(connection_parameters(settings, NAME), migrate=settings.migrate_at_start)
    name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(2)}"
    async with client_of(settings) as sierra, make_pool(notifier_parameters(settings), POOL_SIZE) as pool:
        service = Service(settings, pool, sierra, name)
        _stop_on_signals(service)
        gc.collect()
        gc.freeze()  # what is loaded by now stays: to look through it again and again would make pushes wait
        about = {"version": release(), "notifier": name, "sierra": settings.sierra_api_endpoint}
        log.info("started", extra=about)
        looked_at = ConditionCollector(service.snapshot)
        with metrics_served(settings.metrics_host, settings.notifier_metrics_port, COUNTED, looked_at):
            await service.run()
        log.info("stopped", extra={"notifier": name})


def _stop_on_signals(service: Service) -> None:
    def stop() -> None:
        if service.wakeup.stopping:
            exit_now(1)  # asked twice: leases lapse by themselves
        log.info("stopping: finishing what is being written")
        service.wakeup.stop()
        # A wire that was cut without a word can keep a polite end waiting: leases lapse by themselves.
        asyncio.get_running_loop().call_later(LAST_SECONDS, exit_now, 0)

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)


def run(settings: NotifierSettings) -> int:
    """The process. Its exit code: 0 stopped as it was told, 3 no database, 4 a bug."""
    configure_logging(settings.log_level, settings.log_format)
    configure_sentry(settings, "notifier")
    raise_limit_of_open_files()
    try:
        uvloop.run(serve(settings))
    except DatabaseUnavailable as error:
        log.error("no database at %s:%s: %s", settings.db_host, settings.db_port, error)
        return 3
    except SettingsError:
        raise
    except Exception:  # the outermost fence: the log has it in its form, and Sentry hears of it
        log.exception("ended by our own error, please report it")
        return 4
    return 0
