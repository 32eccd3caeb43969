"""The verdict on a system at work: a notifier, and waits for the cause that is named."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from console.causes import Cause
from console.verdict import Verdict, judge
from db.snapshot import read_snapshot
from notifier.backoff import BREAKER_MOST_SECONDS, POSTPONE_BASE_SECONDS
from tests.fix_notifier import EMPTY, NO_SWEEP, Notifier, add_items, eventually, mark
from tests.fix_postgres import TestDatabase
from tests.fix_sierra import SierraInThread

# On a slow machine a request may take longer than QUICK lets it: its item is postponed, and Sierra may be probed later.
LIMIT_SECONDS = POSTPONE_BASE_SECONDS + BREAKER_MOST_SECONDS
QUICK: dict[str, Any] = {"sierra_api_client_timeout_seconds": 0.5, "sierra_api_client_retries": 0, **NO_SWEEP}


async def verdict_now(database: TestDatabase) -> Verdict:
    async with await database.aconnect() as connection:
        return judge(await read_snapshot(connection, datetime.now(UTC) - timedelta(hours=1)))


async def cause(database: TestDatabase, code: str) -> Cause:
    """Return the first cause as soon as it is this one."""
    verdict = await see_verdict(database, code, lambda seen: seen.causes and seen.causes[0].code == code)
    return verdict.causes[0]


async def well(database: TestDatabase) -> None:
    """Return as soon as no person need look, and nothing waits."""
    await eventually(database, EMPTY, at_most=LIMIT_SECONDS)
    await see_verdict(database, "well", lambda verdict: verdict.is_well)


async def see_verdict(database: TestDatabase, expected: str, is_so: Callable[[Verdict], object]) -> Verdict:
    verdict: Verdict | None = None
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LIMIT_SECONDS):
            while True:
                verdict = await verdict_now(database)
                if is_so(verdict):
                    return verdict
                await asyncio.sleep(0.05)
    pytest.fail(f"the verdict is {verdict}, not {expected}, after {LIMIT_SECONDS} s")


@contextlib.asynccontextmanager
async def at_work(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier, **settings: Any
) -> AsyncIterator[int]:
    """A notifier that has pushed an item already, and an item to go on with."""
    first, second = add_items(database, sierra, 1001, 1002)
    async with notifier(**{**QUICK, **settings}):
        mark(database, first)
        await eventually(database, EMPTY, at_most=LIMIT_SECONDS)
        yield second
