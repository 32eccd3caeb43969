"""Ambiguous failures: perhaps not their items' fault, but Sierra's or the configuration's. They wait here for others.

Plain state. A streak is a number of different items that failed alike, with no success in between.
"""

from notifier.in_flight import ClaimedItem
from notifier.sierra.errors import ItemError

SAME_DOUBTS = 5


class Doubts:
    """The current streak, and those of its items that still wait for their outcome."""

    def __init__(self) -> None:
        self.kind: str | None = None
        self.waiting: list[tuple[ClaimedItem, ItemError]] = []
        self._alike: set[int] = set()

    @property
    def are_many(self) -> bool:
        """Tell whether so many items failed alike that samples must decide whose fault it is."""
        return len(self._alike) >= SAME_DOUBTS

    @property
    def fault(self) -> str:
        """The reason to log if it is not the items' fault."""
        return (
            f"{len(self._alike)} items in a row failed alike, is it the configuration? The last: {self.waiting[-1][1]}"
        )

    def add(self, item: ClaimedItem, error: ItemError) -> None:
        """Add a failure of the streak's kind; the first one sets the kind."""
        self.kind = error.ambiguous
        self.waiting.append((item, error))
        self._alike.add(item.claim.item_record_id)

    def take(self) -> list[tuple[ClaimedItem, ItemError]]:
        """Return those that wait, to be settled. The streak goes on."""
        waiting, self.waiting = self.waiting, []
        return waiting

    def end_streak(self) -> list[tuple[ClaimedItem, ItemError]]:
        """Return those that wait, to be settled. The next failure begins another streak."""
        self.kind = None
        self._alike.clear()
        return self.take()
