"""The step that a batch moves the sync: its mode, its cursor, its times. Pure.

The ETL sends neither mode nor cursor, so a batch is judged by what the last `GET /sync` handed out.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

FULL = "SYNC_FULL"
CHANGES = "SYNC_CHANGES"

MOST_AHEAD = timedelta(minutes=15)
MOST_EARLY_ENDS = 3  # in a row: after these, Sierra itself has so few items


class NoReadableId(Exception):
    """A full-size batch has no readable id: the cursor can't move, and the ETL would send the same batch for ever."""


@dataclass(frozen=True, slots=True)
class Position:
    """The sync's state (see the table sync_state), what the last GET handed out, and what the last batch did to it."""

    sync_mode: str
    last_synced_id: int
    sync_changes_since: datetime | None
    gap_from: datetime | None
    gap_until: datetime | None
    offered_mode: str
    offered_batch_size: int
    offered_last_synced_id: int
    offered_timestamp: datetime | None
    full_sync_items: int = 0
    early_ends: int = 0
    completes_full_sync: bool = False
    answers_full_sync: bool = False


@dataclass(frozen=True, slots=True)
class Received:
    """The content of a batch, refused rows included: the number of items, their lowest and highest readable id."""

    items: int
    lowest_id: int | None
    highest_id: int | None


def believable(timestamp: datetime, clock: datetime) -> datetime:
    """Return the timestamp to store a batch by: one far ahead of the database's clock would keep later batches out."""
    return clock - MOST_AHEAD if timestamp - clock > MOST_AHEAD else timestamp


def advance(
    position: Position, received: Received, timestamp: datetime, longest_pause: timedelta, known_items: int = 0
) -> Position:
    """Return the position after a batch with this timestamp. Raises NoReadableId if it must not be taken in.

    `known_items` is the number that was stored before; it matters only if the batch `would_complete` a full sync.
    """
    if position.offered_mode == CHANGES:
        return _take_changes(position, timestamp, longest_pause)
    if _is_repeated(position, received):
        return position
    if is_early_end(position, received, known_items) and position.early_ends + 1 < MOST_EARLY_ENDS:
        return replace(position, early_ends=position.early_ends + 1)
    return _take_full(position, received, timestamp)


def would_complete(position: Position, received: Received) -> bool:
    """Return whether the batch is the last one of a full sync, by its size."""
    is_answer = position.offered_mode == FULL and not _is_repeated(position, received)
    return is_answer and received.items < position.offered_batch_size


def is_early_end(position: Position, received: Received, known_items: int) -> bool:
    """Return whether the full sync would be complete with fewer than half of the items that are stored.

    A second ETL, which still sends the changes that it was asked for before, must not end a sync that has just begun.
    """
    return would_complete(position, received) and 2 * brought_items(position, received) < known_items


def brought_items(position: Position, received: Received) -> int:
    """Return the number of items that the full sync has brought, this batch included. A repeated batch counts once."""
    if position.last_synced_id == 0:
        return received.items
    is_counted = (received.highest_id or 0) <= position.last_synced_id
    return position.full_sync_items + (0 if is_counted else received.items)


def _is_repeated(position: Position, received: Received) -> bool:
    """Return whether the batch repeats an earlier one. Its rows are taken in, but don't move the cursor."""
    return received.lowest_id is not None and received.lowest_id <= position.offered_last_synced_id


def _take_full(position: Position, received: Received, timestamp: datetime) -> Position:
    is_last = received.items < position.offered_batch_size
    if received.highest_id is None and not is_last:
        raise NoReadableId("no item_record_id of this batch can be read: the full sync could not go on behind it")
    is_first = position.last_synced_id == 0 or position.sync_changes_since is None
    began_at = timestamp if is_first else position.sync_changes_since
    moved = replace(
        position,
        last_synced_id=max(position.last_synced_id, received.highest_id or 0),
        sync_changes_since=began_at,
        full_sync_items=brought_items(position, received),
        early_ends=0,
        answers_full_sync=True,
    )
    return _complete(moved, began_at) if is_last else moved


def _complete(position: Position, began_at: datetime | None) -> Position:
    """Return the position after the full sync. It closes a gap that ended before it began."""
    closes_gap = position.gap_until is not None and began_at is not None and began_at >= position.gap_until
    return replace(
        position,
        sync_mode=CHANGES,
        completes_full_sync=True,
        gap_from=None if closes_gap else position.gap_from,
        gap_until=None if closes_gap else position.gap_until,
    )


def _take_changes(position: Position, timestamp: datetime, longest_pause: timedelta) -> Position:
    """Return the position after a batch of changes. Those older than `longest_pause` did not come: that is a gap."""
    moved = replace(position, sync_changes_since=timestamp)
    if not is_gap(position, timestamp, longest_pause):
        return moved
    return replace(
        moved,
        gap_from=position.gap_from or position.offered_timestamp,
        gap_until=max(position.gap_until or timestamp, timestamp),
    )


def is_gap(position: Position, timestamp: datetime, longest_pause: timedelta) -> bool:
    """Return whether more time has passed since the timestamp handed out than the ETL looks back."""
    handed_out = position.offered_timestamp
    return position.offered_mode == CHANGES and handed_out is not None and timestamp - handed_out > longest_pause
