"""Log lines that an outage or a hostile client would repeat with every request: one is logged, the others are counted.

While they go on, each kind is one line a minute, however many requests there are. Callers make marks an exception: one
that failed always has its line, because its label is printed and must be found.
"""

import logging
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial

from runtime.logging import request_id

log = logging.getLogger("signum.api")

REPEATS_SECONDS = 60
MOST_KINDS = 100  # a hostile client can make up a new kind with each request

LogCount = Callable[[int], None]
Later = Callable[[float, Callable[[], object]], object]  # an event loop's `call_later`


@dataclass(slots=True)
class _Counted:
    log_count: LogCount
    count: int = 0


class Repeats:
    """The kinds of lines that were logged within the last minute, each with the number held back since."""

    def __init__(self, later: Later) -> None:
        self._later = later
        self._counted: dict[Hashable, _Counted] = {}

    def is_first(self, kind: Hashable, log_count: LogCount) -> bool:
        """Return True if the caller is to log this line. Else count it: `log_count` logs their number by the minute."""
        if kind not in self._counted and len(self._counted) >= MOST_KINDS:
            kind, log_count = _OTHERS, _log_others
        counted = self._counted.get(kind)
        if counted is not None:
            counted.count += 1
            return False
        self._counted[kind] = _Counted(log_count, 1 if kind is _OTHERS else 0)
        self._later(REPEATS_SECONDS, partial(self._end_minute, kind))
        return kind is not _OTHERS

    def _end_minute(self, kind: Hashable) -> None:
        if self._log(self._counted[kind]):
            self._later(REPEATS_SECONDS, partial(self._end_minute, kind))
        else:
            del self._counted[kind]

    def _log(self, counted: _Counted) -> bool:
        """Log how many lines were held back, if any were. Return whether any were."""
        request_id.set(None)  # the line belongs to no single request
        count, counted.count = counted.count, 0
        if count:
            counted.log_count(count)
        return count > 0

    def log_counts(self) -> None:
        """Log what was counted and not logged yet, before the process ends."""
        for counted in self._counted.values():
            self._log(counted)


_OTHERS = object()


def _log_others(count: int) -> None:
    log.warning("%d more lines of other kinds were left out within %d s", count, REPEATS_SECONDS)


class RepeatFilter(logging.Filter):
    """Filter of a library's repeated warnings: uvicorn logs one for each request that it can't read."""

    def __init__(self, repeats: Repeats) -> None:
        super().__init__()
        self._repeats = repeats

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to log the record."""
        text = record.getMessage()

        def log_count(count: int) -> None:
            log.warning("%d more within %d s: %s", count, REPEATS_SECONDS, text)

        return record.levelno != logging.WARNING or self._repeats.is_first((record.name, text), log_count)
