"""Fixture `notifier`: a notifier in the test's own event loop, between a real database and the simulator."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from db.connections import connection_parameters
from db.pool import make_pool
from notifier.config import client_of
from notifier.service import Service
from notifier.sierra.client import Access
from runtime.settings import NotifierSettings
from tests.fix_postgres import TestDatabase
from tests.fix_sierra import SierraInThread, make_record

PATIENCE_SECONDS = 15.0
Notifier = Callable[..., AbstractAsyncContextManager[Service]]
NO_SWEEP: dict[str, Any] = {"sierra_update_interval_seconds": 3600}

EMPTY = "SELECT count(*) = 0 FROM update_queue WHERE pushed_revision IS DISTINCT FROM revision"  # but for rechecks
TO_RECHECK = "SELECT pushed_revision = revision FROM update_queue"
POSTPONED = "SELECT last_error FROM update_queue WHERE due_at > now()"
REJECTED = "SELECT last_error FROM update_queue WHERE due_at IS NULL"
OUTCOMES = "SELECT array_agg(outcome ORDER BY update_log_id) FROM update_log"
TOLD = "SELECT outcome, call_number_before, call_number_after FROM update_log ORDER BY update_log_id"


def sierra_settings(sierra: SierraInThread, **others: Any) -> dict[str, Any]:
    """The settings that lead to the simulator."""
    return {
        "sierra_api_endpoint": sierra.endpoint,
        "sierra_api_client_key": sierra.key,
        "sierra_api_client_secret": sierra.secret,
        **others,
    }


def access_of(sierra: SierraInThread, **others: Any) -> Access:
    """The client's access to the simulator."""
    return Access(**{"endpoint": sierra.endpoint, "key": sierra.key, "secret": sierra.secret, **others})


@pytest.fixture
def notifier(database: TestDatabase, sierra: SierraInThread) -> Notifier:
    """Run a notifier with these settings: `async with notifier(sierra_update_interval_seconds=3600):`."""

    @contextlib.asynccontextmanager
    async def run(name: str = "n1", **others: Any) -> AsyncIterator[Service]:
        settings = NotifierSettings(**database.settings(**sierra_settings(sierra, **others)))
        parameters = connection_parameters(settings, name)
        async with make_pool(parameters, 4) as pool, client_of(settings) as client:
            service = Service(settings, pool, client, name)
            running = asyncio.create_task(service.run())
            running.add_done_callback(lambda _: service.wakeup.stop())
            try:
                yield service
            finally:
                service.wakeup.stop()
                await asyncio.wait_for(running, PATIENCE_SECONDS)

    return run


async def eventually(
    database: TestDatabase, statement: str, expected: Any = True, at_most: float = PATIENCE_SECONDS
) -> None:
    """Return when the statement's first value is as expected; fails with its last one after `at_most`."""
    value = None
    async with await database.aconnect() as looking:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(at_most):
                while True:
                    row = await (await looking.execute(statement)).fetchone()
                    value = row[0] if row else None
                    if value == expected:
                        return
                    await asyncio.sleep(0.01)
    pytest.fail(f"{statement} is {value!r}, not {expected!r}, after {at_most} s")


async def listening(database: TestDatabase) -> None:
    """Return when notifier n1 has said that it hears itself."""
    database.fetch("UPDATE notifier_state SET mode = 'starting'")
    await eventually(database, "SELECT mode FROM notifier_state WHERE notifier = 'n1'", "listening")


def add_items(
    database: TestDatabase, sierra: SierraInThread, *numbers: int, call_number: str = "84.2 Jännitys"
) -> list[int]:
    """Items that both sides know, to be classified as 84.31; their item_record_ids."""
    sierra.add(*(make_record(str(number), call_number) for number in numbers))
    return [database.add_item(number) for number in numbers]


def mark(database: TestDatabase, *items: int) -> None:
    """Mark items as plain SQL does."""
    database.fetch(
        "INSERT INTO update_queue AS q (item_record_id, priority) SELECT unnest(%s::bigint[]), 0 "
        "ON CONFLICT (item_record_id) DO UPDATE SET revision = q.revision + 1, due_at = now(), attempts = 0",
        list(items),
    )
