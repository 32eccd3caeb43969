"""A batch whose sender says since when and until when it holds all changes moves the sync by that."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from api.ingest.position import CHANGES, FULL, Position, Received, advance, is_early_end, would_complete

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)

COMPLETE = Position(
    sync_mode=CHANGES,
    last_synced_id=30,
    sync_changes_since=NOON,
    gap_from=None,
    gap_until=None,
    offered_mode=CHANGES,
    offered_batch_size=3,
    offered_last_synced_id=30,
    offered_timestamp=NOON,
)
BEGUN = replace(COMPLETE, sync_mode=FULL, last_synced_id=0, offered_mode=FULL, offered_last_synced_id=0)
HALFWAY = replace(BEGUN, last_synced_id=30, offered_last_synced_id=30, full_sync_items=3, early_ends=1)


def told(since: datetime | None, until: datetime | None = None, *ids: int) -> Received:
    return Received(len(ids), min(ids, default=None), max(ids, default=None), since, until)


def at(position: datetime) -> Position:
    """The state once all changes until this position have come."""
    return replace(COMPLETE, sync_changes_since=position, all_changes_until=position)


def test_changes_that_go_back_far_enough_leave_no_gap_however_long_the_pause_was() -> None:
    moved = advance(COMPLETE, told(NOON), NOON + 240 * HOUR, HOUR)
    assert moved == at(NOON + 240 * HOUR)


def test_changes_since_later_than_what_was_handed_out_leave_a_gap_however_short_the_pause_was() -> None:
    since = NOON + timedelta(seconds=1)
    moved = advance(COMPLETE, told(since), NOON + timedelta(seconds=2), HOUR)
    assert (moved.gap_from, moved.gap_until) == (NOON, since)


def test_position_becomes_changes_until() -> None:
    moved = advance(COMPLETE, told(NOON - HOUR, NOON + HOUR), NOON + 3 * HOUR, HOUR)
    assert moved == at(NOON + HOUR)


def test_changes_until_what_was_handed_out_moves_nothing() -> None:
    assert advance(COMPLETE, told(NOON - HOUR, NOON), NOON + 9 * HOUR, HOUR) == COMPLETE


def test_changes_until_alone_is_the_position_and_the_end_of_the_pause() -> None:
    sent_at = NOON + 9 * HOUR
    assert advance(COMPLETE, told(None, NOON + HOUR), sent_at, HOUR) == replace(
        COMPLETE, sync_changes_since=NOON + HOUR
    )
    moved = advance(COMPLETE, told(None, NOON + 2 * HOUR), sent_at, HOUR)
    assert (moved.gap_from, moved.gap_until) == (NOON, NOON + 2 * HOUR)


def test_times_behind_a_timestamp_that_was_made_earlier_are_that_timestamp() -> None:
    ahead = NOON + 90 * HOUR
    moved = advance(COMPLETE, told(ahead, ahead), NOON + HOUR, HOUR)
    assert (moved.sync_changes_since, moved.gap_from, moved.gap_until) == (NOON + HOUR, NOON, NOON + HOUR)


@pytest.mark.parametrize("position", [BEGUN, HALFWAY])
@pytest.mark.parametrize("ids", [(), (37,), (37, 38, 39), (5,)])
def test_batch_with_changes_since_never_answers_a_full_sync(position: Position, ids: tuple[int, ...]) -> None:
    received = told(NOON - 9 * HOUR, NOON + HOUR, *ids)
    assert advance(position, received, NOON + 2 * HOUR, HOUR, known_items=100) == position
    assert not would_complete(position, received)
    assert not is_early_end(position, received, 100)
