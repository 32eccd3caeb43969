"""A batch moves mode, cursor and times by what the last GET handed out."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from api.ingest.position import CHANGES, FULL, NoReadableId, Position, Received, advance, believable, gap_end

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)

BEGUN = Position(
    sync_mode=FULL,
    last_synced_id=0,
    sync_changes_since=None,
    gap_from=None,
    gap_until=None,
    offered_mode=FULL,
    offered_batch_size=3,
    offered_last_synced_id=0,
    offered_timestamp=None,
)
HALFWAY = replace(BEGUN, last_synced_id=30, offered_last_synced_id=30, sync_changes_since=NOON)
COMPLETE = replace(HALFWAY, sync_mode=CHANGES, offered_mode=CHANGES, offered_timestamp=NOON)


def after(position: Position, *ids: int, unreadable: int = 0, at: datetime = NOON, known: int = 0) -> Position:
    received = Received(len(set(ids)) + unreadable, min(ids, default=None), max(ids, default=None))
    return advance(position, received, at, HOUR, known)


def test_full_batch_moves_the_cursor_to_its_highest_id() -> None:
    moved = after(BEGUN, 7, 9, 8)
    assert (moved.sync_mode, moved.last_synced_id, moved.completes_full_sync) == (FULL, 9, False)


def test_first_batch_says_from_when_changes_are_asked_for() -> None:
    assert after(BEGUN, 7, 8, 9, at=NOON).sync_changes_since == NOON
    assert after(HALFWAY, 37, 38, 39, at=NOON + HOUR).sync_changes_since == NOON


def test_first_batch_of_another_full_sync_says_so_anew() -> None:
    restarted = replace(COMPLETE, sync_mode=FULL, last_synced_id=0, offered_mode=FULL, offered_last_synced_id=0)
    assert after(restarted, 7, 8, 9, at=NOON + 5 * HOUR).sync_changes_since == NOON + 5 * HOUR


@pytest.mark.parametrize("ids", [(), (37,), (37, 38), (37, 37, 38, 38)])
def test_fewer_items_than_the_batch_size_are_the_last_batch(ids: tuple[int, ...]) -> None:
    moved = after(HALFWAY, *ids)
    assert (moved.sync_mode, moved.completes_full_sync) == (CHANGES, True)
    assert moved.last_synced_id == max(ids, default=30)


def test_row_whose_id_can_not_be_read_counts_as_an_item() -> None:
    assert after(HALFWAY, 37, 38, unreadable=1).sync_mode == FULL
    assert after(HALFWAY, 37, unreadable=1).sync_mode == CHANGES


def test_full_batch_without_one_readable_id_is_refused() -> None:
    with pytest.raises(NoReadableId):
        after(HALFWAY, unreadable=3)


@pytest.mark.parametrize("ids", [(30, 37, 38), (30,), (1, 2, 3)])
def test_repeated_upload_moves_nothing(ids: tuple[int, ...]) -> None:
    assert after(HALFWAY, *ids, at=NOON + HOUR) == HALFWAY


def test_cursor_never_moves_back() -> None:
    taken_in_twice = replace(HALFWAY, last_synced_id=60)
    assert after(taken_in_twice, 37, 38, 39).last_synced_id == 60


def test_batch_is_judged_by_what_was_handed_out_and_not_by_what_is_now() -> None:
    larger = replace(HALFWAY, offered_batch_size=2)
    assert after(larger, 37, 38).sync_mode == FULL
    assert after(replace(HALFWAY, offered_mode=CHANGES), 37).sync_mode == FULL


@pytest.mark.parametrize("at", [NOON + HOUR, NOON, NOON - 30 * HOUR])
def test_changes_move_the_time_they_are_asked_from_also_backwards(at: datetime) -> None:
    moved = after(COMPLETE, 5, at=at)
    assert (moved.sync_mode, moved.sync_changes_since, moved.last_synced_id) == (CHANGES, at, 30)
    assert moved.gap_from is None


def test_empty_batch_of_changes_moves_the_time_too() -> None:
    assert after(COMPLETE, at=NOON + HOUR).sync_changes_since == NOON + HOUR


def test_pause_longer_than_the_etl_looks_back_leaves_a_gap() -> None:
    at = NOON + HOUR + timedelta(seconds=1)
    moved = after(COMPLETE, 5, at=at)
    assert gap_end(COMPLETE, Received(1, 5, 5), at, HOUR) == at
    assert (moved.gap_from, moved.gap_until, moved.sync_changes_since) == (NOON, at, at)


def test_further_gap_widens_the_first() -> None:
    known = replace(COMPLETE, gap_from=NOON - 9 * HOUR, gap_until=NOON - 7 * HOUR)
    moved = after(known, at=NOON + 2 * HOUR)
    assert (moved.gap_from, moved.gap_until) == (NOON - 9 * HOUR, NOON + 2 * HOUR)


def test_gap_stays_until_a_full_sync_that_began_later_is_complete() -> None:
    gap = replace(HALFWAY, gap_from=NOON - 3 * HOUR, gap_until=NOON)
    assert after(gap, 37, 38, 39).gap_from == NOON - 3 * HOUR
    assert after(gap, 37).gap_from is None
    began_earlier = replace(gap, gap_until=NOON + HOUR)
    assert after(began_earlier, 37).gap_from == NOON - 3 * HOUR


@pytest.mark.parametrize("minutes", [15, 0, -15, -(10**8)])
def test_timestamp_up_to_15_minutes_ahead_is_believed(minutes: float) -> None:
    timestamp = NOON + timedelta(minutes=minutes)
    assert believable(timestamp, clock=NOON) == timestamp


@pytest.mark.parametrize("ahead", [timedelta(minutes=15, microseconds=1), timedelta(days=2_900_000)])
def test_timestamp_further_ahead_is_the_clock_less_15_minutes(ahead: timedelta) -> None:
    assert believable(NOON + ahead, clock=NOON) == NOON - timedelta(minutes=15)


RESTARTED = replace(COMPLETE, sync_mode=FULL, last_synced_id=0, offered_mode=FULL, offered_last_synced_id=0)


def offered(position: Position) -> Position:
    """The position once another GET has handed it out."""
    return replace(position, offered_mode=position.sync_mode, offered_last_synced_id=position.last_synced_id)


@pytest.mark.parametrize("ids", [(), (7,), (7, 9)])
def test_batch_that_would_end_a_full_sync_too_early_moves_nothing_and_the_third_does(ids: tuple[int, ...]) -> None:
    once = after(RESTARTED, *ids, at=NOON + HOUR, known=5)
    twice = after(offered(once), *ids, at=NOON + HOUR, known=5)
    assert (once, twice) == (replace(RESTARTED, early_ends=1), replace(RESTARTED, early_ends=2))
    third = after(offered(twice), *ids, at=NOON + HOUR, known=5)
    assert (third.sync_mode, third.completes_full_sync, third.early_ends) == (CHANGES, True, 0)


@pytest.mark.parametrize(("known", "mode"), [(0, CHANGES), (4, CHANGES), (5, FULL)])
def test_half_of_the_items_is_enough_and_an_empty_database_has_none(known: int, mode: str) -> None:
    assert after(RESTARTED, 7, 8, known=known).sync_mode == mode


def test_items_of_all_batches_of_the_full_sync_count_each_once() -> None:
    first = after(RESTARTED, 7, 8, 9, known=12)
    repeated = after(first, 7, 8, 9, known=12)
    second = after(offered(repeated), 10, 11, unreadable=1, known=12)
    assert [position.full_sync_items for position in (first, repeated, second)] == [3, 3, 6]
    assert after(offered(second), known=12).sync_mode == CHANGES
    assert after(offered(second), 12, known=15).sync_mode == FULL


def test_batch_that_moves_the_full_sync_on_ends_the_row_of_early_ends() -> None:
    assert after(replace(RESTARTED, early_ends=2), 7, 8, 9, known=100).early_ends == 0


def test_repeated_upload_is_no_early_end() -> None:
    assert after(replace(HALFWAY, full_sync_items=3), 30, known=100).early_ends == 0


def test_only_a_batch_that_completes_or_moves_the_full_sync_answers_it() -> None:
    assert after(RESTARTED, 7, 8, 9, known=100).answers_full_sync
    assert after(RESTARTED, 7, known=2).answers_full_sync
    assert not after(RESTARTED, 7, known=100).answers_full_sync
    assert not after(HALFWAY, 7, 8, 9).answers_full_sync
    assert not after(COMPLETE, 7, 8, 9).answers_full_sync
