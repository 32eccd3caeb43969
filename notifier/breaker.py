"""The breaker: closed while Sierra is well, open for a pause when it is not, then probing with one item.

Nothing is claimed while it is open, so an outage uses up no item's attempts.
"""

import logging
import random
import time
from collections.abc import Callable
from typing import Literal

from notifier.backoff import breaker_pause
from notifier.sierra.errors import SierraRefused, SierraUnavailable, WaitsFor

log = logging.getLogger("signum.breaker")


class Breaker:
    """The state of Sierra as a whole: opened by its fault, closed by the first response that shows it well."""

    def __init__(self, now: Callable[[], float] = time.monotonic, chance: Callable[[], float] = random.random) -> None:
        self._now = now
        self._chance = chance
        self._failures = 0
        self._opened_at = 0.0
        self._retry_at = 0.0
        self.reason: str | None = None
        self.waits_for: WaitsFor | None = None
        self.key_is_refused = False

    @property
    def state(self) -> Literal["closed", "open", "probing"]:
        """The state, of which `probing` is open with its pause over."""
        if self.reason is None:
            return "closed"
        return "probing" if self.seconds_left == 0 else "open"

    @property
    def seconds_left(self) -> float:
        """Seconds until Sierra may be probed; 0 if now."""
        return max(0.0, self._retry_at - self._now()) if self.reason is not None else 0.0

    def open(self, fault: SierraUnavailable) -> None:
        """Open it for a pause; after a failed probe, for twice the pause before."""
        if self.state == "open":  # requests under way when it opened fail too: that is the same fault
            if fault.retry_after is not None:
                self._retry_at = max(self._retry_at, self._now() + fault.retry_after)
            return
        pause = breaker_pause(self._failures, self._chance(), fault.retry_after)
        write = log.error if fault.waits_for == "person" else log.warning
        if self.reason is None:
            self._opened_at = self._now()
            write("stopped pushing: %s", fault, extra={"next_try_seconds": round(pause, 1)})
        elif str(fault) != self.reason:
            write("still not pushing: %s", fault, extra={"next_try_seconds": round(pause, 1)})
        self._failures += 1  # until it closes: each failed probe doubles the pause
        self._retry_at = self._now() + pause
        self.reason, self.waits_for = str(fault), fault.waits_for
        self.key_is_refused = isinstance(fault, SierraRefused)

    def end_pause(self) -> None:
        """End the pause: a new mark has come that may be tried, so probe at once."""
        self._retry_at = self._now()

    def close(self) -> bool:
        """Close it. Return whether it was open."""
        if self.reason is None:
            return False
        log.info("pushing again: Sierra answers", extra={"after_seconds": round(self._now() - self._opened_at, 1)})
        self.reason = self.waits_for = None
        self.key_is_refused = False
        self._failures = 0
        return True
