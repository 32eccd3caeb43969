"""The event that the loop waits on: set by a notification, by work that moved on, and by a signal to stop."""

import asyncio
import time


class Wakeup:
    """An event that also knows whether something new is due.

    Clear it *before* looking at the queue: what sets it during the look is then not lost.
    """

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self.stopped = asyncio.Event()
        self._something_due = False
        self._notified_at: float | None = None

    @property
    def stopping(self) -> bool:
        """True when nothing new is to begin."""
        return self.stopped.is_set()

    def set(self, something_due: bool = True) -> None:
        """Wake the loop: something may be due in the queue, or else work moved on here and more of it can start."""
        self._something_due |= something_due
        self._event.set()

    def set_by_notification(self) -> None:
        """Wake the loop, and remember the time of the first notification that no claim has followed yet."""
        if self._notified_at is None:
            self._notified_at = time.monotonic()
        self.set()

    def take_notified_at(self) -> float | None:
        """Return the time (monotonic) of the first notification that no claim has followed, and forget it."""
        notified_at, self._notified_at = self._notified_at, None
        return notified_at

    def stop(self) -> None:
        """Begin nothing new, and come to an end."""
        self.stopped.set()
        self._event.set()

    def clear(self) -> bool:
        """Forget what was set: from here on, a set means something new. Return whether something may be due."""
        something_due, self._something_due = self._something_due, False
        self._event.clear()
        return something_due

    async def wait(self, at_most: float) -> None:
        """Wait until it is set, or we stop, or `at_most` seconds have gone by."""
        timer = asyncio.get_running_loop().call_later(at_most, self._event.set)
        await self._event.wait()
        timer.cancel()
