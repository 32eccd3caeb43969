"""The items at which Sierra seemed unwell: one of them alone may make it look so. Pure: the caller tells the time."""

from collections.abc import Sequence

from notifier.in_flight import ClaimedItem

MOST_SUSPECTS = 10_000
NEVER = float("-inf")


class Suspects:
    """Remembers when Sierra last seemed unwell at each, alone or in a list; and when others were written since."""

    def __init__(self) -> None:
        self._since: dict[int, float] = {}
        self._last_write_at = self._blamed_at = NEVER

    def __contains__(self, item: ClaimedItem) -> bool:
        return item.claim.item_record_id in self._since

    def clear(self, item: ClaimedItem) -> None:
        """Suspect the item no more: Sierra answered well for it."""
        self._since.pop(item.claim.item_record_id, None)

    def note_write(self, now: float) -> None:
        """Note that Sierra took a write."""
        self._last_write_at = now

    def is_to_blame(self, items: Sequence[ClaimedItem], now: float) -> bool:
        """Suspect the items, and return whether a lone one is to blame.

        It is if it meets this again, as the first one to be blamed since others were written. Of a list any may be.
        """
        ids = [item.claim.item_record_id for item in items]
        before = [self._since.pop(one, now) for one in ids]
        self._since |= dict.fromkeys(ids, now)
        while len(self._since) > MOST_SUSPECTS:
            del self._since[next(iter(self._since))]
        is_own = len(before) == 1 and max(before[0], self._blamed_at) < self._last_write_at
        if is_own:
            self._blamed_at = now
        return is_own
