"""The pause after a failed round, and how loud the log says it. Pure but for what it remembers."""

import logging
from dataclasses import dataclass, field
from datetime import time

from etl.errors import Away, BackendAway, EtlError, NeedsPerson
from runtime.etl_settings import is_within

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 5.0, 600.0
PERSON_PAUSE_SECONDS = 600.0
ALARM_SECONDS = 900.0  # away for so long, outside quiet hours, is an ERROR


@dataclass(slots=True)
class Troubles:
    """The failures since the last success."""

    quiet_hours: str | None = None
    tries: int = 0
    failing_since: float | None = None
    told: set[str] = field(default_factory=set)

    def succeeded(self) -> None:
        """Forget them."""
        self.tries, self.failing_since = 0, None
        self.told.clear()

    def failed(self, error: EtlError, now: float, local: time, interval_seconds: float) -> tuple[int, float]:
        """The level of the log line, and the pause in seconds. Each reason is an ERROR once, until a success."""
        self.tries += 1
        if self.failing_since is None:
            self.failing_since = now
        match error:
            case Away():
                is_quiet = not isinstance(error, BackendAway) and is_within(self.quiet_hours, local)
                is_due = now - self.failing_since >= ALARM_SECONDS and not is_quiet
                pause = min(FIRST_PAUSE_SECONDS * 2 ** min(self.tries - 1, 20), LONGEST_PAUSE_SECONDS)
                return self._once("away") if is_due else logging.WARNING, pause
            case NeedsPerson():
                return self._once(str(error)), PERSON_PAUSE_SECONDS
        return self._once(type(error).__name__), min(interval_seconds, LONGEST_PAUSE_SECONDS)

    def _once(self, reason: str) -> int:
        if reason in self.told:
            return logging.WARNING
        self.told.add(reason)
        return logging.ERROR
