"""Two items with one barcode are a 409 that no print station shows: the log has it, once an hour for a barcode.

A print station asks again every 200 ms. The view `shared_barcode` has all of them, asked for or not.
"""

import logging
from collections.abc import Sequence

log = logging.getLogger("signum.api")

HOUR_SECONDS = 3600.0
MOST_TOLD = 1_000  # within the hour; of more the view tells


class SharedBarcodes:
    """The barcodes that were warned of within the last hour, by this process, in that order."""

    def __init__(self) -> None:
        self._told_at: dict[str, float] = {}

    def warn(self, barcode: str, item_numbers: Sequence[str], now: float) -> None:
        """Log it, unless that was done within the hour. `now` is in monotonic seconds."""
        while self._told_at and now - next(iter(self._told_at.values())) >= HOUR_SECONDS:
            del self._told_at[next(iter(self._told_at))]
        if barcode in self._told_at or len(self._told_at) >= MOST_TOLD:
            return
        self._told_at[barcode] = now
        about = {"barcode": barcode, "item_numbers": ", ".join(item_numbers)}
        log.warning("several items share a barcode, and print stations get none of them", extra=about)
