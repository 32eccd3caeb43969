"""The breaker says whether we may talk to Sierra. Closed: yes. Open: after a pause. Then one item probes it.

Nothing is claimed while it is open, so an outage burns nobody's attempts.
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
    """Opened by a fault of Sierra as a whole, closed by the first answer that shows it is well."""

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
        """`probing`: open, and the pause is over."""
        if self.reason is None:
            return "closed"
        return "probing" if self.seconds_left == 0 else "open"

    @property
    def seconds_left(self) -> float:
        """Until Sierra may be probed; 0 if now."""
        return max(0.0, self._retry_at - self._now()) if self.reason is not None else 0.0

    def open(self, fault: SierraUnavailable) -> None:
        """Sierra is unwell: pause, twice as long as before if it was open already and the pause was over."""
        if self.state == "open":  # requests that were under way when it opened fail too: that is one fault
            if fault.retry_after is not None:
                self._retry_at = max(self._retry_at, self._now() + fault.retry_after)
            return
        pause = breaker_pause(self._failures, self._chance(), fault.retry_after)
        say = log.error if fault.waits_for == "person" else log.warning
        if self.reason is None:
            self._opened_at = self._now()
            say("stopped pushing: %s", fault, extra={"next_try_seconds": round(pause, 1)})
        elif str(fault) != self.reason:
            say("still not pushing: %s", fault, extra={"next_try_seconds": round(pause, 1)})
        self._failures += 1
        self._retry_at = self._now() + pause
        self.reason, self.waits_for = str(fault), fault.waits_for
        self.key_is_refused = isinstance(fault, SierraRefused)

    def end_pause(self) -> None:
        """Something new has come that may be tried: probe at once."""
        self._retry_at = self._now()

    def close(self) -> bool:
        """Sierra answered well. Whether it was open until now."""
        if self.reason is None:
            return False
        log.info("pushing again: Sierra answers", extra={"after_seconds": round(self._now() - self._opened_at, 1)})
        self.reason = self.waits_for = None
        self.key_is_refused = False
        self._failures = 0
        return True
