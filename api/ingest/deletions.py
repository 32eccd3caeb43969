"""The guard of deletions: so many at once that the reader of Sierra may be at fault wait for a person."""

from datetime import datetime

from db import deletions, sync

ALWAYS_ALLOWED = 100  # within 24 hours
ALLOWED_SHARE = 0.01  # of the living items, if that is more


def store_deletions(connection: sync.Transaction, timestamp: datetime) -> tuple[int, int]:
    """Delete the items whose deletion the batch brings, or hold them all. Return how many were deleted and held."""
    found, recent = deletions.find_deletions(connection, timestamp)
    if not found:
        return 0, 0
    held = found + recent > ALWAYS_ALLOWED and found + recent > ALLOWED_SHARE * sync.count_items(connection)
    deletions.delete_items(connection, timestamp, held=held)
    return (0, found) if held else (found, 0)


def warn_of_held(held: int) -> str:
    """Return the warning that deletions are held."""
    return (
        f"{held} deletions are held, for over {ALWAYS_ALLOWED} items and over {ALLOWED_SHARE:.0%} of all would be"
        ' deleted within 24 hours: look at them, and if they are right run "signum sync allow-deletions"'
    )
