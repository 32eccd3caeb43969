"""The step that a batch moves the sync: its mode, its cursor, its times. Pure.

The ETL sends neither mode nor cursor, so a batch is judged by what the last `GET /sync` handed out.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

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
    all_changes_until: datetime | None = None
    deletions_since: date | None = None
    passed_at: datetime | None = None
    completes_full_sync: bool = False
    answers_full_sync: bool = False


@dataclass(frozen=True, slots=True)
class Received:
    """The content of a batch, refused rows included: the number of items, their lowest and highest readable id.

    `changes_since`: from when on this batch and those before it hold all changes; None: the sender does not say, and
    looks back no further than the longest pause. `changes_until`: the position after this batch; None: its timestamp.
    `pass_range`: the file holds every living item with an id above the first, up to the second; it moves nothing.
    """

    items: int
    lowest_id: int | None
    highest_id: int | None
    changes_since: datetime | None = None
    changes_until: datetime | None = None
    pass_range: tuple[int, int] | None = None


def believable(timestamp: datetime, clock: datetime) -> datetime:
    """Return the timestamp to store a batch by: one far ahead of the database's clock would keep later batches out."""
    return clock - MOST_AHEAD if timestamp - clock > MOST_AHEAD else timestamp


def advance(
    position: Position, received: Received, timestamp: datetime, longest_pause: timedelta, known_items: int = 0
) -> Position:
    """Return the position after a batch with this timestamp. Raises NoReadableId if it must not be taken in.

    `known_items` is the number that was stored before; it matters only if the batch `would_complete` a full sync.
    """
    if received.pass_range:
        return position
    if position.offered_mode == CHANGES:
        return _take_changes(position, received, timestamp, longest_pause)
    if not _is_answer(position, received):
        return position
    if is_early_end(position, received, known_items) and position.early_ends + 1 < MOST_EARLY_ENDS:
        return replace(position, early_ends=position.early_ends + 1)
    return _take_full(position, received, timestamp)


def would_complete(position: Position, received: Received) -> bool:
    """Return whether the batch is the last one of a full sync, by its size."""
    return _is_answer(position, received) and received.items < position.offered_batch_size


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


def _is_answer(position: Position, received: Received) -> bool:
    """Return whether the batch is what a full sync asked for. The rows of any other are stored, and move nothing.

    One that says since when it holds changes is none, nor is a pass; one that repeats an earlier one is none any more.
    """
    is_repeated = received.lowest_id is not None and received.lowest_id <= position.offered_last_synced_id
    is_page = received.changes_since is None and received.pass_range is None
    return position.offered_mode == FULL and is_page and not is_repeated


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


def _take_changes(position: Position, received: Received, timestamp: datetime, longest_pause: timedelta) -> Position:
    """Return the position after a batch of changes. What it leaves out since the timestamp handed out is a gap."""
    until = _until(received, timestamp)
    moves_on = received.changes_since is not None and until != position.offered_timestamp
    all_changes_until = until if moves_on else position.all_changes_until
    moved = replace(position, sync_changes_since=until, all_changes_until=all_changes_until)
    missing_until = gap_end(position, received, timestamp, longest_pause)
    if missing_until is None:
        return moved
    return replace(
        moved,
        gap_from=position.gap_from or position.offered_timestamp,
        gap_until=max(position.gap_until or missing_until, missing_until),
    )


def gap_end(position: Position, received: Received, timestamp: datetime, longest_pause: timedelta) -> datetime | None:
    """Return until when changes since the timestamp handed out may be missing, or None if all came.

    A sender that says since when it holds all changes is believed. Another one looks back for the longest pause at
    most, so that a longer one leaves a gap.
    """
    handed_out = position.offered_timestamp
    if position.offered_mode != CHANGES or handed_out is None or received.pass_range:
        return None
    if received.changes_since is not None:
        return min(received.changes_since, timestamp) if received.changes_since > handed_out else None
    until = _until(received, timestamp)
    return until if until - handed_out > longest_pause else None


def _until(received: Received, timestamp: datetime) -> datetime:
    """Return the position after a batch of changes: never after its timestamp, which a clock ahead had made earlier."""
    return min(received.changes_until or timestamp, timestamp)
