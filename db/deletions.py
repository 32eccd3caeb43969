"""Items that were deleted in Sierra: found in a batch, deleted or held, and allowed by a person."""

from datetime import datetime

from db.queue import Connection
from db.sync import Transaction
from runtime.statements import load

SQL = load("db", "deletions")


def find_deletions(connection: Transaction, timestamp: datetime) -> tuple[int, int]:
    """Find the batch's new deletions. Return how many they are, and how many were done within the 24 hours before."""
    connection.execute(SQL["find_deleted"], {"timestamp": timestamp})
    found, recent = connection.execute(SQL["count_deletions"], {"timestamp": timestamp}).fetchone() or (0, 0)
    return found, recent


def delete_items(connection: Transaction, timestamp: datetime, *, held: bool) -> None:
    """Do the deletions that were found; held, they wait for a person."""
    connection.execute(SQL["delete_items"], {"timestamp": timestamp, "held": held})


async def allow_deletions(connection: Connection) -> int:
    """Delete the items whose deletion is held. Return how many they are."""
    return (await connection.execute(SQL["allow_deletions"])).rowcount
