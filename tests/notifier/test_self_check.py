"""At its start a notifier says what would go wrong without a word; and starts all the same."""

import asyncio
import logging
import time
from typing import Any

import pytest

from db.queue import Connection
from notifier.checks import warn_at_start
from runtime.settings import NotifierSettings
from tests.fix_notifier import EMPTY, PATIENCE_SECONDS, Notifier, add_items, eventually, mark, sierra_settings
from tests.fix_postgres import TestDatabase
from tests.fix_sierra import SierraInThread


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The lines that the self-check has logged so far."""
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    return [line for line in said if line.startswith("self-check: ")]


@pytest.mark.parametrize(
    ("broken", "given", "words"),
    [
        ("ALTER TABLE update_queue DISABLE TRIGGER ALL", {}, "update_queue_notify_insert is disabled"),
        ("DROP TRIGGER queue_control_notify ON queue_control", {}, "queue_control_notify is not there"),
        ("SELECT 1", {"sierra_update_batch_size_limit": 1}, "SIERRA_UPDATE_BATCH_SIZE_LIMIT=1 is below"),
    ],
)
async def test_what_would_go_wrong_silently_is_warned_of_and_items_are_pushed_all_the_same(
    database: TestDatabase,
    sierra: SierraInThread,
    notifier: Notifier,
    caplog: pytest.LogCaptureFixture,
    broken: str,
    given: dict[str, Any],
    words: str,
) -> None:
    database.fetch(broken)
    mark(database, *add_items(database, sierra, 1001))
    async with notifier(**given):
        await eventually(database, EMPTY)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not warnings(caplog):  # noqa: ASYNC110  a log has nobody to wait on
                await asyncio.sleep(0.01)
    (line,) = warnings(caplog)
    assert words in line


@pytest.mark.parametrize("seconds", [0, 60])
async def test_a_system_that_is_well_is_not_warned_of_and_clocks_that_differ_are(
    database: TestDatabase,
    sierra: SierraInThread,
    connection: Connection,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    seconds: int,
) -> None:
    clock = time.time
    monkeypatch.setattr("db.checks.time.time", lambda: clock() + seconds)
    await warn_at_start(connection, NotifierSettings(**database.settings(**sierra_settings(sierra))))
    assert ["ahead of the database's" in line for line in warnings(caplog)] == ([True] if seconds else [])
