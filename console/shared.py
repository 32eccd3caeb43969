"""The snapshot that all browsers of a console share: those that ask at the same time get the same one."""

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

NOT_SHOWN_SECONDS = 600.0  # it reads a month of history, so it is counted in the background


class SharedSnapshot:
    """One reading of the state at a time, for all that wait for it. To be opened by `async with`."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._lock = asyncio.Lock()
        self._begun = self._ended = 0  # readings
        self._found: Snapshot | DatabaseUnavailable = DatabaseUnavailable("nothing was read yet")
        self._counted_at = float("-inf")
        self._not_shown: int | None = None
        self._counting: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._counting:
            self._counting.cancel()
            await asyncio.wait({self._counting})

    async def read(self, database: ConsoleDatabase) -> Snapshot:
        """The snapshot of a reading that began after this was asked. Raise DatabaseUnavailable."""
        wanted = self._begun + 1  # one that is under way may miss what its asker has been told of
        async with self._lock:
            if self._ended < wanted:
                self._begun += 1
                self._found = await self._read(database)
                self._ended = self._begun
            self._count_not_shown(database)
            if isinstance(self._found, DatabaseUnavailable):
                raise self._found
            return replace(self._found, not_shown=self._not_shown)

    async def _read(self, database: ConsoleDatabase) -> Snapshot | DatabaseUnavailable:
        today = datetime.now(self._zone).replace(hour=0, minute=0, second=0, microsecond=0)
        try:
            async with database.reading() as connection:
                return await read_snapshot(connection, today)
        except DatabaseUnavailable as error:
            return error

    def _count_not_shown(self, database: ConsoleDatabase) -> None:
        if time.monotonic() - self._counted_at > NOT_SHOWN_SECONDS:
            self._counted_at = time.monotonic()
            self._counting = asyncio.create_task(self._count(database))

    async def _count(self, database: ConsoleDatabase) -> None:
        with suppress(DatabaseUnavailable):  # the next time is in ten minutes; the last number stands until then
            async with database.reading() as connection:
                self._not_shown = await count_not_shown(connection)
