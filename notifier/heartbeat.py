"""The heartbeat writes the notifier's row of `notifier_state`, and deletes what is old: history, acts, gone items."""

import asyncio
import logging
import time
from collections.abc import Callable

import psycopg

from db import acts, deletions, history, notifiers
from db.connections import DATABASE_AWAY, one_line
from db.pool import Pool, lend
from notifier.health import SierraHealth
from notifier.listener import Listener

log = logging.getLogger("signum.notifier")

HEARTBEAT_SECONDS = 5.0
CHECK_SECONDS = 0.2
PRUNE_SECONDS = 3600.0
PRUNE_AGAIN_SECONDS = 60.0
PRUNE_ROWS = 5_000
REMOVE_ITEMS = 1_000
KEPT_DELETED_DAYS = 90


class Heartbeat:
    """Tells the database how this notifier is: at an interval, and at once when its state changes."""

    def __init__(
        self,
        pool: Pool,
        name: str,
        retention_days: int,
        listener: Listener,
        health: SierraHealth,
        looped_at: Callable[[], float],
    ) -> None:
        self._pool, self._name, self._retention_days = pool, name, retention_days
        self._listener, self._health, self._looped_at = listener, health, looped_at
        self._beat_at = 0.0

    async def run(self) -> None:
        """Beat and prune for ever. A database that is away or refuses does not end it."""
        prune_at, beat_at, written, trouble = 0.0, 0.0, None, ""
        while True:
            now = time.monotonic()
            state = (self._listener.mode, self._health.state, str(self._health.fault))
            try:
                if now >= beat_at or state != written:
                    beat_at, written = now + HEARTBEAT_SECONDS, state
                    await self.beat(self._listener.mode)
                if now >= prune_at:
                    prune_at = now + PRUNE_AGAIN_SECONDS
                    prune_at = now if await self._prune() else now + PRUNE_SECONDS
            except psycopg.Error as error:
                # The loop logs that the database is away. A cancelled query is a refusal: a lock or a limit of time.
                is_away = isinstance(error, DATABASE_AWAY) and not isinstance(error, psycopg.errors.QueryCanceled)
                if not is_away and trouble != (trouble := one_line(error)):
                    log.error("heartbeat or pruning was refused: %s", trouble)
            await asyncio.sleep(CHECK_SECONDS)

    async def beat(self, mode: str) -> None:
        """Write the notifier's row: its mode, Sierra's health, and whether Sierra answered well since the last beat."""
        succeeded, self._beat_at = self._health.last_success_at > self._beat_at, time.monotonic()
        fault = self._health.fault
        async with lend(self._pool) as connection:
            await notifiers.heartbeat(
                connection,
                self._name,
                mode,
                self._health.state,
                str(fault) if fault else self._listener.reason,
                waits_for=fault.waits_for if fault else None,
                succeeded=succeeded,
                looped_seconds_ago=time.monotonic() - self._looped_at(),
            )

    async def _prune(self) -> bool:
        """Delete a little of each: old history and acts, and items that Sierra deleted long ago.

        Return whether there may be more of it, to be deleted after the next beat.
        """
        async with lend(self._pool) as connection:
            await notifiers.forget_notifiers(connection)
        async with lend(self._pool) as connection:
            outcomes = await history.prune_history(connection, self._retention_days, PRUNE_ROWS)
        async with lend(self._pool) as connection:
            forgotten = await acts.prune_acts(connection, self._retention_days, PRUNE_ROWS)
        async with lend(self._pool) as connection:
            removed = await deletions.remove_deleted(connection, self._name, KEPT_DELETED_DAYS, REMOVE_ITEMS)
        log.debug("%d outcomes and %d acts were forgotten", outcomes, forgotten)
        if removed:
            log.info("%d items were removed, which Sierra deleted over %d days ago", removed, KEPT_DELETED_DAYS)
        return PRUNE_ROWS in (outcomes, forgotten) or removed == REMOVE_ITEMS
