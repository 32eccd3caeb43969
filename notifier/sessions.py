"""The notifier's sessions at the database: each serves a statement, whose failure is logged or which is repeated."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

import psycopg
from psycopg.errors import LockNotAvailable

from db.connections import DATABASE_AWAY, DATABASE_REFUSES, one_line
from db.pool import Pool, lend
from db.queue import Claim, Connection
from notifier.backoff import lock_pause, reconnect_pause

log = logging.getLogger("signum.notifier")

Result = TypeVar("Result")
LONG_LOCK_TRIES = 6  # about a second


class Sessions:
    """Lends sessions of the pool."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._told: set[str] = set()

    @asynccontextmanager
    async def lend(self) -> AsyncIterator[Connection]:
        """Lend a session for one statement. Log its failure; of several in a row only what was not logged yet."""
        try:
            async with lend(self._pool) as connection:
                yield connection
        except psycopg.Error as error:
            if _is_news(error, self._told):
                if isinstance(error, DATABASE_AWAY):
                    log.warning("database away, waiting for it: %s", one_line(error))
                else:
                    log.error("database refuses, trying again: %s", one_line(error))
            raise
        self._told.clear()

    async def until_done(self, work: Callable[[Connection], Awaitable[Result]]) -> Result:
        """Do the work that keeps an outcome; repeat it while the database is away or refuses."""
        failures, told = 0, set[str]()
        while True:
            try:
                async with lend(self._pool) as connection:
                    return await work(connection)
            except (*DATABASE_AWAY, *DATABASE_REFUSES) as error:
                if _is_news(error, told):
                    if isinstance(error, LockNotAvailable):
                        log.warning("locked by another session, keeping the outcome: %s", one_line(error))
                    elif isinstance(error, DATABASE_AWAY):
                        log.warning("database away, keeping the outcome: %s", one_line(error))
                    else:
                        log.error("database refuses, keeping the outcome: %s", one_line(error))
                await asyncio.sleep(reconnect_pause(failures, random.random()))  # noqa: S311  jitter, not a secret
                failures += 1


class LockWait:
    """The wait for one row that another session has locked; of a batch, for those that are left."""

    def __init__(self) -> None:
        self._tries = 0

    async def pause(self, claims: Sequence[Claim]) -> None:
        """Wait a little longer each time. A mark's lock is short; one that lasts is a person's open transaction."""
        if self._tries == LONG_LOCK_TRIES:
            numbers = [claim.item_number for claim in claims]
            log.warning("locked in the queue by another session, keeping the outcome", extra={"item_numbers": numbers})
        await asyncio.sleep(lock_pause(self._tries, random.random()))  # noqa: S311  jitter, not a secret
        self._tries += 1


def _is_news(error: psycopg.Error, told: set[str]) -> bool:
    """Return whether none of this text was told since the last success, and add it to those."""
    text = one_line(error)
    is_news = text not in told
    told.add(text)
    return is_news
