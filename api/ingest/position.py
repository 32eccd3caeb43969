"""A batch moves the sync: its mode, its cursor, its times. All of it is decided here, without I/O.

The ETL says neither mode nor cursor, so a batch is judged by what the last `GET /sync` handed out.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

FULL = "SYNC_FULL"
CHANGES = "SYNC_CHANGES"

MOST_AHEAD = timedelta(minutes=15)
MOST_EARLY_ENDS = 3  # in a row: then Sierra itself has so few


class NoReadableId(Exception):
    """A full batch without one readable id: the ETL would send the same batch for ever."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where the sync stands (see the table sync_state), what the last GET handed out, and what a batch was to it."""

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
    """What a batch held, refused rows included: how many items, and their lowest and highest id that can be read."""

    items: int
    lowest_id: int | None
    highest_id: int | None


def believable(timestamp: datetime, clock: datetime) -> datetime:
    """The timestamp to store a batch by: one far ahead of the database's clock would keep later batches out."""
    return clock - MOST_AHEAD if timestamp - clock > MOST_AHEAD else timestamp


def advance(
    position: Position, received: Received, timestamp: datetime, longest_pause: timedelta, known_items: int = 0
) -> Position:
    """The position after a batch with this timestamp. NoReadableId if it must not be taken in.

    `known_items` are those that were here before; they matter only if the batch `would_complete` a full sync.
    """
    if position.offered_mode == CHANGES:
        return _take_changes(position, timestamp, longest_pause)
    if _is_repeated(position, received):
        return position
    if is_early_end(position, received, known_items) and position.early_ends + 1 < MOST_EARLY_ENDS:
        return replace(position, early_ends=position.early_ends + 1)
    return _take_full(position, received, timestamp)


def would_complete(position: Position, received: Received) -> bool:
    """Whether the batch is the last one of a full sync, by its size."""
    is_answer = position.offered_mode == FULL and not _is_repeated(position, received)
    return is_answer and received.items < position.offered_batch_size


def is_early_end(position: Position, received: Received, known_items: int) -> bool:
    """Whether the full sync would be complete with fewer items than half of those that are here.

    So a second ETL, that still sends the changes it was asked for before, does not end one that has just begun.
    """
    return would_complete(position, received) and 2 * brought_items(position, received) < known_items


def brought_items(position: Position, received: Received) -> int:
    """The items that the full sync has brought with this batch. One that is sent twice counts once."""
    if position.last_synced_id == 0:
        return received.items
    is_counted = (received.highest_id or 0) <= position.last_synced_id
    return position.full_sync_items + (0 if is_counted else received.items)


def _is_repeated(position: Position, received: Received) -> bool:
    """Whether it is an upload repeated, not what was asked for: its rows are taken in and say nothing of the rest."""
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
    """The full sync is complete. What was missing before it began is here now."""
    closes_gap = position.gap_until is not None and began_at is not None and began_at >= position.gap_until
    return replace(
        position,
        sync_mode=CHANGES,
        completes_full_sync=True,
        gap_from=None if closes_gap else position.gap_from,
        gap_until=None if closes_gap else position.gap_until,
    )


def _take_changes(position: Position, timestamp: datetime, longest_pause: timedelta) -> Position:
    """The ETL looks back no further than `longest_pause`: changes older than that did not come with this batch."""
    moved = replace(position, sync_changes_since=timestamp)
    if not is_gap(position, timestamp, longest_pause):
        return moved
    return replace(
        moved,
        gap_from=position.gap_from or position.offered_timestamp,
        gap_until=max(position.gap_until or timestamp, timestamp),
    )


def is_gap(position: Position, timestamp: datetime, longest_pause: timedelta) -> bool:
    """Whether more time has passed since the timestamp handed out than the ETL looks back."""
    handed_out = position.offered_timestamp
    return position.offered_mode == CHANGES and handed_out is not None and timestamp - handed_out > longest_pause
