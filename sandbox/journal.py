"""Records every request to Sierra, in the order of arrival, with its times and its outcome, for tests to check."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

Kind = Literal["token", "info", "get_item", "get_items", "put_item", "other"]
Write = Literal["usual", "late", "never"]  # when a PUT is done: before its answer, after it, or not at all
Seen = TypeVar("Seen")


@dataclass(slots=True)
class Entry:
    """One request. `arrived_ns` and `ended_ns` are `time.monotonic_ns()`: one clock for all processes of a machine.

    It has arrived when its last byte was read, and ended when the last byte of its answer was written, or the client
    had left. A PUT that was done has `landed_ns` and `landed_at`, when that was, and the record's `call_numbers` after
    it: a late one long after `ended_ns`, a refused or ignored one never, whatever `status` says.
    """

    number: int
    kind: Kind
    method: str
    path: str
    item_numbers: tuple[str, ...]
    token: str | None
    patch: Any = None
    arrived_ns: int = field(default_factory=time.monotonic_ns)
    arrived_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat())
    ended_ns: int | None = None
    status: int | None = None
    manner: str = "whole"
    write: Write = "usual"
    landed_ns: int | None = None
    landed_at: str | None = None
    call_numbers: list[str] | None = None

    def as_dict(self) -> dict[str, Any]:
        """The entry as JSON has it."""
        return asdict(self)


class Journal:
    """All entries so far, and the event for those who wait for one. Lives in the simulator's event loop."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self._news = asyncio.Event()

    def begin(self, kind: Kind, method: str, path: str, item_numbers: Sequence[str], token: str | None) -> Entry:
        """Record that a request has arrived."""
        entry = Entry(len(self.entries), kind, method, path, tuple(item_numbers), token)
        self.entries.append(entry)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        self.wake()
        return entry

    def end(self, entry: Entry) -> None:
        """Record that its answer is sent, or that its client has left."""
        entry.ended_ns = time.monotonic_ns()
        self.in_flight -= 1
        self.wake()

    def land(self, entry: Entry, call_numbers: list[str]) -> None:
        """Record that a PUT is done, and that the record has these call numbers now."""
        entry.landed_ns, entry.landed_at = time.monotonic_ns(), datetime.now(UTC).isoformat()
        entry.call_numbers = call_numbers
        self.wake()

    def find(self, kind: Kind | None = None, item_number: str | None = None, since: int = 0) -> list[Entry]:
        """Return the entries of that kind that touch that item, from number `since` on."""
        return [
            entry
            for entry in self.entries[since:]
            if kind in (None, entry.kind) and (item_number is None or item_number in entry.item_numbers)
        ]

    def puts(self, item_number: str | None = None) -> list[Entry]:
        """Return the PUTs that were done and answered with 204."""
        puts = self.find("put_item", item_number)
        return [entry for entry in puts if entry.status == 204 and entry.ended_ns and entry.landed_ns]

    async def until(self, look: Callable[["Journal"], Seen]) -> Seen:
        """Return the first true result of `look`, which is called again after every change."""
        while not (seen := look(self)):
            await self._news.wait()
        return seen

    def wake(self) -> None:
        """Wake those who wait."""
        self._news.set()
        self._news = asyncio.Event()

    def clear(self) -> None:
        """Forget the requests that have ended; numbers start at 0 again."""
        self.entries = []
        self.most_in_flight = self.in_flight
