"""Items that Sierra deleted: found in a batch, deleted or held, allowed by a person, and removed long afterwards."""

from datetime import datetime

from db.queue import Connection
from db.sync import Transaction
from runtime.statements import load

SQL = load("db", "deletions")


def find_deletions(connection: Transaction, timestamp: datetime, pass_range: tuple[int, int] | None) -> tuple[int, int]:
    """Find the batch's new deletions. Return how many they are, and how many were done within the 24 hours before.

    A batch with a `pass_range` deletes the items of that range that it lacks, too.
    """
    connection.execute(SQL["find_deleted"], {"timestamp": timestamp})
    if pass_range:
        above, to = pass_range
        connection.execute(
            SQL["find_absent"], {"timestamp": timestamp, "day": timestamp.date(), "above": above, "to": to}
        )
    found, recent = connection.execute(SQL["count_deletions"], {"timestamp": timestamp}).fetchone() or (0, 0)
    return found, recent


def has_item_within(connection: Transaction, pass_range: tuple[int, int]) -> bool:
    """Tell whether the batch has a living item of the range."""
    above, to = pass_range
    row = connection.execute(SQL["has_item_within"], {"above": above, "to": to}).fetchone()
    return bool(row and row[0])


def delete_items(connection: Transaction, timestamp: datetime, *, held: bool) -> None:
    """Do the deletions that were found; held, they wait for a person."""
    connection.execute(SQL["delete_items"], {"timestamp": timestamp, "held": held})


async def allow_deletions(connection: Connection, ids_sum: str | None = None) -> int:
    """Delete the items whose deletion is held; with `ids_sum` only if their ids add up to it. Return how many."""
    return (await connection.execute(SQL["allow_deletions"], {"ids_sum": ids_sum})).rowcount


async def remove_deleted(connection: Connection, notifier: str, days: int, limit: int = 1_000) -> int:
    """Remove items that Sierra deleted over `days` ago, `limit` at the most. Return how many were removed.

    What was rejected of them is dismissed in the notifier's name. One that still waits in the queue stays.
    """
    parameters = {"notifier": notifier, "days": days, "limit": limit}
    await connection.execute(SQL["dismiss_rejected"], parameters)
    return (await connection.execute(SQL["remove_items"], parameters)).rowcount
