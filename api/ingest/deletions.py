"""The guard of deletions: so many at once that the reader of Sierra may be at fault wait for a person."""

from datetime import datetime
from typing import NamedTuple

from db import deletions, sync

ALWAYS_ALLOWED = 100  # within 24 hours
ALLOWED_SHARE = 0.01  # of the living items, if that is more


class Deletions(NamedTuple):
    """The number of items that a batch deleted, or whose deletion is held; the warning of the latter."""

    deleted: int = 0
    held: int = 0
    warning: str = ""


def store_deletions(
    connection: sync.Transaction, timestamp: datetime, pass_range: tuple[int, int] | None, *, any_brought: bool
) -> Deletions:
    """Delete the items whose deletion the batch brings, and those that a pass did not find; or hold them all."""
    if not any_brought and not pass_range:
        return Deletions()
    found, recent = deletions.find_deletions(connection, timestamp, pass_range)
    if not found:
        return Deletions()
    warning = ""
    if found + recent > ALWAYS_ALLOWED and found + recent > ALLOWED_SHARE * sync.count_items(connection):
        warning = (
            f"{found} deletions are held, for over {ALWAYS_ALLOWED} items and over {ALLOWED_SHARE:.0%} of all would be"
            ' deleted within 24 hours: look at them, and if they are right run "signum sync allow-deletions"'
        )
    elif pass_range and not deletions.has_item_within(connection, pass_range):
        above, to = pass_range
        warning = (
            f"{found} deletions are held, for a pass found no item at all above item_record_id {above}, up to {to}: "
            'look at them, and if they are right run "signum sync allow-deletions"'
        )
    deletions.delete_items(connection, timestamp, held=bool(warning))
    return Deletions(held=found, warning=warning) if warning else Deletions(deleted=found)
