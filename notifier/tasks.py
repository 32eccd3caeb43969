"""The notifier's tasks under way, and the end of tasks."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any

from notifier.wakeup import Wakeup

CANCEL_AGAIN_SECONDS = 1.0


class Tasks:
    """The tasks under way: claims, requests, outcomes. Each sets the wakeup at its end."""

    def __init__(self, wakeup: Wakeup) -> None:
        self._wakeup = wakeup
        self._under_way: set[asyncio.Task[None]] = set()
        self._failure: Exception | None = None

    def __len__(self) -> int:
        return len(self._under_way)

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start a task."""
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._ended)
        return task

    def raise_failure(self) -> None:
        """Raise the last error of a claim, which is logged, or of the error handling itself."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    async def cancel(self) -> None:
        """Cancel all of them, and return when they have ended."""
        await end(self._under_way)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._wakeup.set(something_due=False)
        if not task.cancelled() and isinstance(error := task.exception(), Exception):
            self._failure = error


async def end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks until they have ended.

    Until Python 3.12 `asyncio.wait_for`, by which psycopg waits, may swallow a cancel that comes just as its wait ends.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=CANCEL_AGAIN_SECONDS)
