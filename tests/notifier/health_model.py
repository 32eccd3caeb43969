"""Sierra's health once more, in plain Python: all that was reported in a list, and each promise a question to it.

Nothing is remembered but the list. It is slow, and it can't be wrong in the way in which a state machine is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

ALIKE = 5
OWN = {"400": "rejected", "500": "postponed", "silence": "postponed"}
What = Literal[
    "opened", "longer", "marked", "closed", "failed", "few", "ended", "write refused", "unwell", "written", "blamed"
]


@dataclass(frozen=True)
class Request:
    """A request that is under way at Sierra, for one item."""

    number: int
    attempts: int
    probe: bool
    sent_at: float

    @property
    def given_back(self) -> str:
        """The place in the queue that it gets if it is not to blame: failed probes stand behind all others."""
        return "back" if self.probe else "due"


@dataclass(frozen=True)
class Event:
    """A report, or what followed from it. `until`: the end of the pause that it began or made longer."""

    at: float
    what: What
    kind: str = ""
    until: float = 0.0
    request: Request | None = None


class Model:
    """The list, and the questions to it."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.events: list[Event] = []

    def add(self, what: What, kind: str = "", until: float = 0.0, request: Request | None = None) -> None:
        """Add an event of now."""
        self.events.append(Event(self.now, what, kind, until, request))

    def since(self, *ends: What) -> Iterator[Event]:
        """The events since the last of those, the newest first."""
        for event in reversed(self.events):
            if event.what in ends:
                return
            yield event

    def openings(self) -> list[Event]:
        """The pauses since it was last closed, the newest first."""
        return [event for event in self.since("closed") if event.what == "opened"]

    def ends_at(self) -> float:
        """The end of the pause: the longest that Sierra asked for, but a new mark may cut it short."""
        ends = 0.0
        for event in reversed([*self.since("closed")]):
            if event.what == "opened":
                ends = event.until
            elif event.what in ("longer", "marked"):
                ends = (max if event.what == "longer" else min)(ends, event.until)
        return ends

    def opened_by(self) -> str:
        """The kind of failure for which it was opened, until Sierra is seen to be unwell too; "" where it was that."""
        seen = next((event for event in self.since("closed") if event.what in ("opened", "longer")), None)
        return seen.kind if seen else ""

    def state(self) -> str:
        """The state."""
        if self.openings():
            return "open" if self.now < self.ends_at() else "probing"
        return "sampling" if len(self.row()) >= ALIKE else "closed"

    def proves_something(self, sent_at: float) -> bool:
        """Only an answer to a request that was sent after the last opening does, and during no pause."""
        return not self.openings() or (self.state() == "probing" and sent_at > self.openings()[0].at)

    def failures(self, *ends: What) -> list[Event]:
        """The newest failures of one kind, since the last of those events."""
        failed = [event for event in self.since("ended") if event.what == "failed"]
        recent = [event for event in self.since(*ends) if event.what == "failed"]
        return [event for event in recent if event.kind == failed[0].kind]

    def row(self) -> set[int]:
        """The items that failed alike, with no success in between."""
        return {event.request.number for event in self.failures("ended") if event.request}

    def kept(self) -> list[Event]:
        """The failures that are not settled."""
        return self.failures("ended", "few")

    def own(self) -> dict[int, str]:
        """The same, as the items' own."""
        return {event.request.number: OWN[event.kind] for event in self.kept() if event.request}

    def write_is_refused(self) -> bool:
        """Sierra refused a write, and took none since."""
        for event in reversed(self.events):
            if event.what in ("ended", "write refused") and event.kind != "given back":
                return event.what == "write refused"
        return False

    def is_to_blame(self, number: int) -> bool:
        """Sierra seemed unwell at the item before, and since then another was written, and not this one.

        None was blamed since that write: else Sierra as a whole may be unwell.
        """
        writes_and_blames = (
            e.what for e in reversed(self.events) if e.what == "blamed" or (e.what, e.kind) == ("ended", "write")
        )
        if next(writes_and_blames, "blamed") == "blamed":
            return False
        others_written = False
        for event in reversed(self.events):
            others_written |= event.what == "ended" and event.kind == "write"
            if event.request and event.request.number == number and event.what in ("unwell", "written"):
                return event.what == "unwell" and others_written
        return False

    def pause_seconds(self, chance: float, retry_after: float | None) -> float:
        """1 s, doubled at each probe that failed since, 60 s at the most; half of it is chance. Retry-After wins."""
        whole = 1.0 if retry_after is not None else min(60.0, 2.0 ** len(self.openings()))
        return max(retry_after or 0.0, whole * (0.5 + chance / 2))
