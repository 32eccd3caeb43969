"""A notifier says of itself that it lives and, told apart from that, that it gets on."""

import asyncio

import pytest

from db import history
from notifier import heartbeat
from tests.fix_notifier import Notifier, eventually
from tests.fix_postgres import TestDatabase


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "HEARTBEAT_SECONDS", 0.1)


async def test_a_loop_that_goes_round_says_so(database: TestDatabase, notifier: Notifier) -> None:
    async with notifier(sierra_update_interval_seconds=0.1):
        await eventually(database, "SELECT looped_at > started_at + interval '0.5 s' FROM notifier_state")


async def test_a_loop_that_hangs_is_seen_though_the_process_lives(database: TestDatabase, notifier: Notifier) -> None:
    async with notifier(sierra_update_interval_seconds=0.1) as running:
        hung = asyncio.Event()

        async def hang() -> None:
            await hung.wait()

        running._outcomes.next_wake = hang  # type: ignore[method-assign]
        await eventually(database, "SELECT seen_at - looped_at > interval '1 s' FROM notifier_state")
        hung.set()


async def test_much_to_prune_keeps_no_beat_waiting(
    database: TestDatabase, notifier: Notifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def find_always_more(*given: object) -> int:
        await asyncio.sleep(0)
        return heartbeat.PRUNE_ROWS

    monkeypatch.setattr(history, "prune_history", find_always_more)
    async with notifier():
        await eventually(database, "SELECT seen_at - started_at > interval '1 s' FROM notifier_state")
