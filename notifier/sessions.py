"""The notifier's sessions at the database: each serves a statement, whose failure is logged or which is repeated."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import psycopg
from psycopg.errors import LockNotAvailable

from db.connections import DATABASE_AWAY, DATABASE_REFUSES, one_line
from db.pool import Pool, lend
from db.queue import Connection
from notifier.backoff import reconnect_pause

log = logging.getLogger("signum.notifier")

Result = TypeVar("Result")


class Sessions:
    """Lends sessions of the pool."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._is_failing = False

    @asynccontextmanager
    async def lend(self) -> AsyncIterator[Connection]:
        """Lend a session for one statement. Log its failure at once, but of several in a row only the first."""
        try:
            async with lend(self._pool) as connection:
                yield connection
        except psycopg.Error as error:
            if not self._is_failing and isinstance(error, DATABASE_AWAY):
                log.warning("database away, waiting for it: %s", one_line(error))
            elif not self._is_failing:
                log.error("database refuses, trying again: %s", one_line(error))
            self._is_failing = True
            raise
        self._is_failing = False

    async def until_done(self, work: Callable[[Connection], Awaitable[Result]]) -> Result:
        """Do the work that keeps an outcome; repeat it while the database is away or refuses."""
        failures = 0
        while True:
            try:
                async with lend(self._pool) as connection:
                    return await work(connection)
            except (*DATABASE_AWAY, *DATABASE_REFUSES) as error:
                if failures == 0:
                    if isinstance(error, LockNotAvailable):
                        log.warning("locked by another session, keeping the outcome: %s", one_line(error))
                    elif isinstance(error, DATABASE_AWAY):
                        log.warning("database away, keeping the outcome: %s", one_line(error))
                    else:
                        log.error("database refuses, keeping the outcome: %s", one_line(error))
                await asyncio.sleep(reconnect_pause(failures, random.random()))  # noqa: S311  jitter, not a secret
                failures += 1
