"""When each client was last seen: noted in this process with every request, written by one statement every few seconds.

A request costs an entry in a dictionary. What can't be written is kept and tried again; no client hears of it.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from time import monotonic

from db.clients import SEEN_EVERY, write_seen
from db.connections import Database, one_line

log = logging.getLogger("signum.api")

SECONDS = SEEN_EVERY.total_seconds()
STOP_SECONDS = 1.0  # for the last of it, or the process would not end in time


class LastSeen:
    """Keys by their hashes, with the time of the last request that each was found valid for."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen_at: dict[bytes, float] = {}
        self._problem: str | None = None
        self._stopping = asyncio.Event()

    def note(self, key_sha256: bytes) -> None:
        """Note a request with this key, which is a client's."""
        self._seen_at[key_sha256] = monotonic()

    @contextlib.asynccontextmanager
    async def written(self) -> AsyncIterator[None]:
        """Write it every few seconds meanwhile, and what is left at the end."""
        writing = asyncio.create_task(self._keep_writing())
        try:
            yield
        finally:
            self._stopping.set()
            await asyncio.wait({writing}, timeout=STOP_SECONDS)

    async def _keep_writing(self) -> None:
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), SECONDS)
            await self._write()
        await self._write()  # what came while the stop met a write under way

    async def _write(self) -> None:
        noted, self._seen_at = self._seen_at, {}
        if not noted:
            return
        now = monotonic()
        try:
            await write_seen(self._database, {key: now - seen_at for key, seen_at in noted.items()})
        except Exception as error:  # this task's outermost fence: it goes on, whatever is wrong with the database
            self._seen_at = noted | self._seen_at
            problem = one_line(error)
            if problem != self._problem:
                log.warning("last seen is not written: %s", problem)
            self._problem = problem
        else:
            self._problem = None
