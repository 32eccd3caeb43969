"""The end of tasks at a stop: none goes on, though a cancel may be swallowed."""

import asyncio

import pytest

from notifier import tasks
from notifier.tasks import Tasks, end
from notifier.wakeup import Wakeup


async def swallow(cancels: list[int]) -> None:
    """Go on after the first cancel, as `asyncio.wait_for` of Python 3.11 makes psycopg do now and then."""
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancels.append(len(cancels))
            if len(cancels) == 2:
                raise


@pytest.mark.parametrize("how", ["helpers", "tasks"])
async def test_a_task_that_swallows_a_cancel_is_ended_by_the_next(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "CANCEL_AGAIN_SECONDS", 0.01)
    cancels: list[int] = []
    under_way = Tasks(Wakeup())
    task = under_way.start(swallow(cancels))
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await (end([task]) if how == "helpers" else under_way.cancel())
    assert (task.cancelled(), len(cancels)) == (True, 2)
