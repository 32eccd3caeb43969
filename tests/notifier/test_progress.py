"""A notifier counts the progress of the relabelling, and goes on where it can't."""

import asyncio

import pytest

from notifier import progress
from tests.fix_notifier import PATIENCE_SECONDS, Notifier, eventually
from tests.fix_postgres import TestDatabase

COUNTED = "SELECT sum(done) FROM progress_count"


async def test_a_notifier_counts_as_soon_as_it_runs(database: TestDatabase, notifier: Notifier) -> None:
    database.add_item(1, is_relabelled=True)
    database.fetch(
        "INSERT INTO update_log (item_record_id, queued_at, queued_by, finished_by, outcome, attempts)"
        " VALUES (1, now(), 'aino', 'n', 'pushed', 1)"
    )
    async with notifier():
        await eventually(database, COUNTED, 1)
        await eventually(database, "SELECT sum(pushed) FROM progress_day", 1)


async def test_a_count_that_is_refused_is_told_and_made_again(
    database: TestDatabase, notifier: Notifier, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(progress, "TRY_AGAIN_SECONDS", 0.1)
    database.add_item(1, is_relabelled=True)
    database.fetch("ALTER TABLE progress_count RENAME TO elsewhere")
    async with notifier():
        async with asyncio.timeout(PATIENCE_SECONDS):
            while "progress was not counted" not in caplog.text:
                await eventually(database, "SELECT true")
        database.fetch("ALTER TABLE elsewhere RENAME TO progress_count")
        await eventually(database, COUNTED, 1)
