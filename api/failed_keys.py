"""Which keys fail so often that they are not looked up any more? Counted by the minute and by a key's first characters.

Not by address: print stations sit behind one. A valid key is never limited, whatever else begins as it does: only a key
that was found to be nobody's within this minute is answered without asking the database.
"""

from dataclasses import dataclass, field

WINDOW_SECONDS = 60.0
MOST_PREFIXES = 1_000  # of whoever tries many, the oldest are forgotten first
MOST_REMEMBERED = 16  # keys of each; more are looked up again


@dataclass(slots=True)
class _Window:
    ends_at: float
    failures: int = 0
    nobodys: set[bytes] = field(default_factory=set)


class FailedKeys:
    """What failed within the last minute, in this process. Times are monotonic seconds."""

    def __init__(self, most_per_minute: int) -> None:
        self._most = most_per_minute
        self._windows: dict[str, _Window] = {}

    def seconds_to_wait(self, prefix: str, sha256: bytes, now: float) -> float:
        """How long this key is not looked up; 0: it is."""
        window = self._windows.get(prefix)
        if window is None or window.failures <= self._most or sha256 not in window.nobodys:
            return 0.0
        return max(0.0, window.ends_at - now)

    def count(self, prefix: str, sha256: bytes, now: float, *, is_nobodys: bool) -> float:
        """Count a key that was refused. How long to wait before the next with this prefix; 0: not at all."""
        window = self._windows.get(prefix)
        if window is None or window.ends_at <= now:
            self._windows.pop(prefix, None)
            if len(self._windows) >= MOST_PREFIXES:
                del self._windows[next(iter(self._windows))]
            window = self._windows[prefix] = _Window(now + WINDOW_SECONDS)
        window.failures += 1
        if is_nobodys and len(window.nobodys) < MOST_REMEMBERED:
            window.nobodys.add(sha256)
        return window.ends_at - now if window.failures > self._most else 0.0
