"""Notes of what the people of a soak asked for and were promised, and the items that are busy.

A mark counts when it was acknowledged, a classification when its batch was.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sandbox.catalogue import Item

BUSY_ITEMS, BUSY_SECONDS = 8, 6.0


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark of one item. `answered_at` is when the answer came, or was given up."""

    number: str
    sent_at: datetime
    answered_at: datetime
    acknowledged: bool


@dataclass
class Notes:
    """The acts of the people and the answers to them. `acknowledged` counts the acknowledged marks.

    A third of the plain items is `busy`, BUSY_ITEMS at a time: marked and classified again and again for BUSY_SECONDS,
    then never again, so that what a late or ignored write leaves behind is not mended by the next mark. The DBA marks
    the `others` only.
    """

    items: Sequence[Item]
    marks: list[Mark] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    reads: list[int] = field(default_factory=list)
    reverts: list[tuple[str, datetime]] = field(default_factory=list)
    undoings: list[tuple[str, datetime]] = field(default_factory=list)
    classifications: dict[str, list[tuple[datetime, str | None]]] = field(default_factory=dict)
    acknowledged: int = 0
    syncs: int = 0
    tended: int = 0

    def __post_init__(self) -> None:
        self.classifications = {str(item.number): [(datetime.now(UTC), item.classification)] for item in self.items}
        self.plain = [item for item in self.items if item.oddity is None]
        self._busy = self.plain[::3]
        numbers = {item.number for item in self._busy}
        self.others = [item for item in self.items if item.number not in numbers]

    @property
    def busy(self) -> Sequence[Item]:
        """The items that are busy now."""
        at = int((time.monotonic() - self.began) / BUSY_SECONDS) * BUSY_ITEMS % len(self._busy)
        return self._busy[at : at + BUSY_ITEMS]

    def class_of(self, item: Item) -> str | None:
        """The item's class as last acknowledged."""
        return self.classifications[str(item.number)][-1][1]

    def wishes(self) -> Iterator[tuple[str, datetime]]:
        """The marks that may have entered the queue, acknowledged or not, and when the answer came, or was given up."""
        yield from ((mark.number, mark.answered_at) for mark in self.marks)
        yield from self.undoings

    def add(self, chosen: Sequence[Item], sent_at: datetime, acknowledged: bool) -> None:
        """Note marks that were made together."""
        now = datetime.now(UTC)
        self.marks += [Mark(str(item.number), sent_at, now, acknowledged) for item in chosen]
        self.acknowledged += len(chosen) * acknowledged
