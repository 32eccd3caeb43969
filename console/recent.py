"""The snapshot that all browsers of a console share: one is read for all of them, at most once a second."""

import asyncio
import time
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Self
from zoneinfo import ZoneInfo

from db.connections import DatabaseUnavailable
from db.console import ConsoleDatabase
from db.snapshot import Snapshot, count_not_shown, read_snapshot

SNAPSHOT_SECONDS = 1.0
NOT_SHOWN_SECONDS = 600.0  # it reads a month of history, so it is counted in the background


class RecentSnapshot:
    """The last snapshot, renewed when it is asked for and is old. To be opened by `async with`."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._lock = asyncio.Lock()
        self._snapshot: Snapshot | None = None
        self._read_at = self._counted_at = float("-inf")
        self._not_shown: int | None = None
        self._counting: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._counting:
            self._counting.cancel()
            await asyncio.wait({self._counting})

    def forget(self) -> None:
        """Have the next one read anew: something was changed here."""
        self._read_at = float("-inf")

    async def read(self, database: ConsoleDatabase) -> Snapshot:
        """The snapshot, at most a second old. Raise DatabaseUnavailable."""
        async with self._lock:
            if self._snapshot is None or time.monotonic() - self._read_at > SNAPSHOT_SECONDS:
                today = datetime.now(self._zone).replace(hour=0, minute=0, second=0, microsecond=0)
                async with database.reading() as connection:
                    self._snapshot = await read_snapshot(connection, today)
                self._read_at = time.monotonic()
            self._count_not_shown(database)
            return replace(self._snapshot, not_shown=self._not_shown)

    def _count_not_shown(self, database: ConsoleDatabase) -> None:
        if time.monotonic() - self._counted_at > NOT_SHOWN_SECONDS:
            self._counted_at = time.monotonic()
            self._counting = asyncio.create_task(self._count(database))

    async def _count(self, database: ConsoleDatabase) -> None:
        with suppress(DatabaseUnavailable):  # the next time is in ten minutes; the last number stands until then
            async with database.reading() as connection:
                self._not_shown = await count_not_shown(connection)
