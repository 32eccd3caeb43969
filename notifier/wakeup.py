"""What wakes the loop? One bell: a notification rings it, work that moved on nudges it, a signal stops it."""

import asyncio
import time


class Bell:
    """Clear it *before* looking: what rings during the look is then not lost."""

    def __init__(self) -> None:
        self._moved = asyncio.Event()
        self.stopped = asyncio.Event()
        self.rung = False
        self._heard_at: float | None = None

    @property
    def stopping(self) -> bool:
        """Whether to begin nothing new."""
        return self.stopped.is_set()

    def ring(self) -> None:
        """Something may be due: look at the queue."""
        self.rung = True
        self._moved.set()

    def ring_heard(self) -> None:
        """A notification came: ring, and remember since when it waits to be answered by a claim."""
        if self._heard_at is None:
            self._heard_at = time.monotonic()
        self.ring()

    def take_heard_at(self) -> float | None:
        """When the first notification came that no claim answered yet (monotonic). From now on this one does."""
        heard_at, self._heard_at = self._heard_at, None
        return heard_at

    def nudge(self) -> None:
        """Something moved on here: see what can start now."""
        self._moved.set()

    def stop(self) -> None:
        """Begin nothing new, and come to an end."""
        self.stopped.set()
        self._moved.set()

    def clear(self) -> None:
        """From here on, a ring means something new."""
        self.rung = False
        self._moved.clear()

    async def wait(self, at_most: float | None = None) -> bool:
        """Return at the next ring or nudge, or if we stop: True; or after `at_most` seconds: False."""
        if self.stopping:
            return True
        try:
            async with asyncio.timeout(at_most):
                await self._moved.wait()
        except TimeoutError:
            return False
        return True

    async def next_move(self, at_most: float) -> bool:
        """Wait for the next ring, nudge or stop, `at_most` seconds. Whether it was rung since it was last asked; it is
        silent then.
        """
        timer = asyncio.get_running_loop().call_later(at_most, self.nudge)
        await self._moved.wait()
        timer.cancel()
        self._moved.clear()
        rung, self.rung = self.rung, False
        return rung
