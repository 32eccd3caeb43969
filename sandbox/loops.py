"""Runs a double of Sierra, or of the network, in an event loop in a thread, beside the code that uses it."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

Result = TypeVar("Result")
PATIENCE_SECONDS = 20.0


class LoopInThread:
    """An event loop of its own, from entry to exit. Its state is read and changed by `run` only."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Call a function in that loop, between two of its steps."""

        async def call() -> Result:
            return function(*arguments)

        return self.block_on(call())

    def block_on(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine in that loop and return its result; this thread waits."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(PATIENCE_SECONDS)

    async def wait_for(self, coroutine: Coroutine[Any, Any, Result], at_most: float) -> Result:
        """Await a coroutine of that loop, while the caller's own loop goes on. Raise TimeoutError."""
        waiting = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        return await asyncio.wait_for(asyncio.wrap_future(waiting), at_most)
