"""The time each client was last seen: noted with every request, written in one statement every few seconds.

A request costs an entry in a dictionary. Times that can't be written are kept and tried again; no request fails by it.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from time import monotonic

from db.clients import SEEN_EVERY, write_seen
from db.connections import one_line
from db.requests import Database

log = logging.getLogger("signum.api")

WRITE_SECONDS = SEEN_EVERY.total_seconds()
STOP_SECONDS = 1.0  # for the last write, or the process would not end in time


class LastSeen:
    """The hash of each valid key, with the time of its last request."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen_at: dict[bytes, float] = {}
        self._problem: str | None = None
        self._stopping = asyncio.Event()

    def note(self, key_sha256: bytes) -> None:
        """Note a request with this valid key."""
        self._seen_at[key_sha256] = monotonic()

    @contextlib.asynccontextmanager
    async def keep_writing(self) -> AsyncIterator[None]:
        """Write the times every few seconds while the context is open, and the last ones when it ends."""
        writing = asyncio.create_task(self._write_until_stopped())
        try:
            yield
        finally:
            self._stopping.set()
            await asyncio.wait({writing}, timeout=STOP_SECONDS)

    async def _write_until_stopped(self) -> None:
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), WRITE_SECONDS)
            await self._write()
        await self._write()  # the requests noted during a write that the stop met

    async def _write(self) -> None:
        noted, self._seen_at = self._seen_at, {}
        if not noted:
            return
        now = monotonic()
        try:
            await write_seen(self._database, {key: now - seen_at for key, seen_at in noted.items()})
        except Exception as error:  # the task must outlive whatever is wrong with the database
            self._seen_at = noted | self._seen_at
            problem = one_line(error)
            if problem != self._problem:
                log.warning("last seen is not written: %s", problem)
            self._problem = problem
        else:
            self._problem = None
