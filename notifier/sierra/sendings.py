"""The sendings of one request: a request may be sent several times, and each may stay without an answer."""

import time
from collections.abc import Callable

from notifier.sierra.responses import Response, error_code

GATEWAY = (502, 504)  # a proxy's statuses, whatever the body


class Sendings:
    """Counts them. `check` is called just before each, with no await in between; it raises to prevent it."""

    def __init__(self, check: Callable[[], None] = lambda: None) -> None:
        self._check = check
        self._unanswered = 0
        self._last_at = 0.0

    def begin(self) -> None:
        """Note that the request is sent now."""
        self._check()
        self._unanswered += 1
        self._last_at = time.monotonic()

    def withdraw(self) -> None:
        """Note that it was not sent after all: there was no connection."""
        self._unanswered -= 1

    def note_answer(self, response: Response) -> None:
        """Note an answer, if Sierra gave it. A proxy's says nothing: Sierra behind it may still do what was asked."""
        if response.is_page or response.status in GATEWAY:
            return
        if 200 <= response.status < 300 or error_code(response) is not None:
            self._unanswered -= 1

    @property
    def unanswered_since(self) -> float | None:
        """The time of the last sending, by the monotonic clock, if any sending has had no answer of Sierra's."""
        return self._last_at if self._unanswered else None
