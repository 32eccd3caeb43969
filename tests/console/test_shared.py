"""The shared snapshot: no older than the question, and one reading for all that ask at the same time."""

import asyncio
from collections.abc import AsyncIterator
from zoneinfo import ZoneInfo

import pytest

from console import shared
from console.shared import SharedSnapshot
from db.connections import DatabaseUnavailable
from db.console import ConsoleDatabase
from db.queue import Connection
from db.snapshot import Snapshot, read_snapshot
from runtime.console_settings import ConsoleSettings
from tests.fix_notifier import mark
from tests.fix_postgres import TestDatabase

UTC = ZoneInfo("UTC")


class Readings:
    """Counts the readings, and holds each until it is let go."""

    def __init__(self) -> None:
        self.begun = 0
        self.has_begun, self.go_on = asyncio.Event(), asyncio.Event()

    async def __call__(self, connection: Connection, today: object) -> Snapshot:
        self.begun += 1
        found = await read_snapshot(connection, today)  # type: ignore[arg-type]
        self.has_begun.set()
        await self.go_on.wait()
        return found


@pytest.fixture
async def readings(monkeypatch: pytest.MonkeyPatch) -> Readings:
    counted = Readings()
    monkeypatch.setattr(shared, "read_snapshot", counted)
    return counted


@pytest.fixture
async def of_the_console(database: TestDatabase) -> AsyncIterator[ConsoleDatabase]:
    async with ConsoleDatabase(ConsoleSettings(**database.settings())) as connected:
        yield connected


async def test_fifty_that_ask_at_once_cost_two_readings(readings: Readings, of_the_console: ConsoleDatabase) -> None:
    async with SharedSnapshot(UTC) as snapshot:
        asking = [asyncio.ensure_future(snapshot.read(of_the_console)) for _ in range(50)]
        readings.go_on.set()
        await asyncio.gather(*asking)
    assert readings.begun == 2


async def test_answer_is_never_older_than_the_question(
    readings: Readings, of_the_console: ConsoleDatabase, database: TestDatabase
) -> None:
    async with SharedSnapshot(UTC) as snapshot:
        before = asyncio.ensure_future(snapshot.read(of_the_console))
        async with asyncio.timeout(30):
            await readings.has_begun.wait()
        mark(database, database.add_item(1))
        after = asyncio.ensure_future(snapshot.read(of_the_console))
        readings.go_on.set()
        assert (await after).count("waiting") == 1
        await before


async def test_database_that_is_away_is_asked_once_for_all(
    monkeypatch: pytest.MonkeyPatch, of_the_console: ConsoleDatabase
) -> None:
    asked = 0

    async def fail(*_: object) -> Snapshot:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)
        raise DatabaseUnavailable("away")

    monkeypatch.setattr(shared, "read_snapshot", fail)
    async with SharedSnapshot(UTC) as snapshot:
        found = await asyncio.gather(*(snapshot.read(of_the_console) for _ in range(50)), return_exceptions=True)
    assert {type(one) for one in found} == {DatabaseUnavailable}
    assert asked == 2
