"""Log lines that an outage or a stranger would repeat with every request: the first is said at once, the rest counted.

While they go on they are one line a minute of each kind, however many requests there are. Marks are the exception: one
that was not made always has its line, or the label that was printed could not be found.
"""

import logging
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial

from runtime.logging import request_id

log = logging.getLogger("signum.api")

SECONDS = 60
MOST_KINDS = 100  # a stranger can make up as many as he has requests

TellMore = Callable[[int], None]
Later = Callable[[float, Callable[[], object]], object]  # an event loop's `call_later`


@dataclass(slots=True)
class _Counted:
    tell_more: TellMore
    count: int = 0


class Repeats:
    """The kinds of lines that were said within the last minute, each with how many of it were held back since."""

    def __init__(self, later: Later) -> None:
        self._later = later
        self._counted: dict[Hashable, _Counted] = {}

    def is_first(self, kind: Hashable, tell_more: TellMore) -> bool:
        """Return True if the caller is to log this line. Else count it; `tell_more` is to log how many there were."""
        if kind not in self._counted and len(self._counted) >= MOST_KINDS:
            kind, tell_more = _OTHERS, _tell_others
        counted = self._counted.get(kind)
        if counted is not None:
            counted.count += 1
            return False
        self._counted[kind] = _Counted(tell_more, 1 if kind is _OTHERS else 0)
        self._later(SECONDS, partial(self._end_minute, kind))
        return kind is not _OTHERS

    def _end_minute(self, kind: Hashable) -> None:
        if self._tell(self._counted[kind]):
            self._later(SECONDS, partial(self._end_minute, kind))
        else:
            del self._counted[kind]

    def _tell(self, counted: _Counted) -> bool:
        """Whether any were held back; say so if so."""
        request_id.set(None)  # the line is about none in particular
        count, counted.count = counted.count, 0
        if count:
            counted.tell_more(count)
        return count > 0

    def tell_all(self) -> None:
        """Log what was counted and not told yet, before the process ends."""
        for counted in self._counted.values():
            self._tell(counted)


_OTHERS = object()


def _tell_others(count: int) -> None:
    log.warning("%d more lines of other kinds were left out within %d s", count, SECONDS)


class HoldBackRepeats(logging.Filter):
    """Holds back the repeated warnings of a library's logger: uvicorn has one for each request that can't be read."""

    def __init__(self, repeats: Repeats) -> None:
        super().__init__()
        self._repeats = repeats

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is logged."""
        text = record.getMessage()

        def tell_more(count: int) -> None:
            log.warning("%d more within %d s: %s", count, SECONDS, text)

        return record.levelno != logging.WARNING or self._repeats.is_first((record.name, text), tell_more)
