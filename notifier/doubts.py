"""Which answers may tell more of Sierra, or of our configuration, than of their items? They wait here for others.

Plain state. A row of them is a number of different items that failed alike, with no success in between.
"""

from notifier.in_flight import ClaimedItem
from notifier.sierra.errors import ItemError

SAME_DOUBTS = 5


class Doubts:
    """The row so far, and those of its items that still wait for their outcome."""

    def __init__(self) -> None:
        self.kind: str | None = None
        self.waiting: list[tuple[ClaimedItem, ItemError]] = []
        self._alike: set[int] = set()

    @property
    def are_many(self) -> bool:
        """Whether so many items failed alike that others must tell whose fault it is."""
        return len(self._alike) >= SAME_DOUBTS

    @property
    def fault(self) -> str:
        """What it is if it is not the items' fault."""
        return (
            f"{len(self._alike)} items in a row failed alike, is it the configuration? The last: {self.waiting[-1][1]}"
        )

    def add(self, item: ClaimedItem, error: ItemError) -> None:
        """One more, of the row's kind; the first one says which that is."""
        self.kind = error.ambiguous
        self.waiting.append((item, error))
        self._alike.add(item.claim.item_record_id)

    def take(self) -> list[tuple[ClaimedItem, ItemError]]:
        """Those that wait, for their outcome. The row goes on."""
        waiting, self.waiting = self.waiting, []
        return waiting

    def end_row(self) -> list[tuple[ClaimedItem, ItemError]]:
        """As `take`, and the next doubt begins another row."""
        self.kind = None
        self._alike.clear()
        return self.take()
