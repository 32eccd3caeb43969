"""The plan, as a pure function of offer, clocks and what was done."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from time import tzset
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.backend import Offer, read_offer
from etl.plan import (
    LONGEST_REST_SECONDS,
    NEVER,
    Done,
    Rules,
    Step,
    interval_of,
    is_pass_due,
    next_step,
    passed,
    position_of,
    since_of,
)
from runtime.etl_settings import is_within

HELSINKI = ZoneInfo("Europe/Helsinki")
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
RULES = Rules()
ALL = frozenset({"changes_since", "deleted_on", "all_from_id"})
CHANGES = Offer("SYNC_CHANGES", timestamp=NOW, accepts=ALL, passed_at=NOW, deletions_since=NOW.date())
FULL = Offer("SYNC_FULL", batch_size=80_000)

moments = st.timedeltas(timedelta(0), timedelta(days=36_500)).map(lambda after: NOW + after)
seconds = st.floats(0, 1e7)
ages = st.one_of(st.just(NEVER), seconds)
dones = st.builds(Done, ages, ages, ages, st.floats(0, 600), st.one_of(st.none(), st.integers(0, 1 << 62)))
rules = st.builds(
    Rules,
    interval_seconds=st.floats(0.1, 3600),
    overlap=st.timedeltas(timedelta(0), timedelta(hours=1)),
    deep_overlap=st.timedeltas(timedelta(0), timedelta(days=7)),
    pass_interval=st.one_of(st.none(), st.timedeltas(timedelta(0), timedelta(days=30))),
    pass_hours=st.one_of(st.none(), st.just("22:00-05:00")),
)
offers = st.builds(
    Offer,
    st.just("SYNC_CHANGES"),
    timestamp=moments,
    accepts=st.frozensets(st.sampled_from(sorted(ALL))),
    deletions_since=st.one_of(st.none(), st.just(NOW.date())),
    passed_at=st.one_of(st.none(), moments),
)


@given(offers, seconds, moments, dones, rules)
def test_what_is_due_is_done_and_a_rest_ends_within_a_minute_or_when_the_next_look_is_due(
    offer: Offer, now: float, local: datetime, done: Done, rules: Rules
) -> None:
    step = next_step(offer, now, local, done, rules)
    is_due = now - done.changes_at >= interval_of(rules, done)
    if step.kind != "deletions":  # which come first where the backend has no day of them yet
        assert (step.kind == "changes") == is_due
    if step.kind == "rest":
        assert 0 <= step.rest_seconds <= 60
        later = now + step.rest_seconds + 1e-3
        kind = next_step(offer, later, local, done, rules).kind
        assert kind in ("changes", "deletions") or step.rest_seconds == LONGEST_REST_SECONDS


@given(offers, seconds, moments, dones, rules)
def test_a_backend_is_sent_nothing_that_it_does_not_understand(
    offer: Offer, now: float, local: datetime, done: Done, rules: Rules
) -> None:
    kind = next_step(offer, now, local, done, rules).kind
    assert kind != "deletions" or "deleted_on" in offer.accepts
    assert kind != "pass page" or "all_from_id" in offer.accepts
    assert kind != "full page"


@given(st.booleans(), seconds, moments, dones, rules)
def test_the_first_page_of_a_full_sync_goes_before_all_else_and_a_busy_backend_is_left_alone(
    busy: bool, now: float, local: datetime, done: Done, rules: Rules
) -> None:
    step = next_step(replace(FULL, is_busy=busy), now, local, done, rules)
    rest = min(interval_of(rules, done), LONGEST_REST_SECONDS)
    assert step == (Step("rest", rest) if busy else Step("full page"))


@given(offers, seconds, moments, dones, rules)
def test_between_the_pages_of_a_full_sync_changes_and_deletions_come_and_pages_when_none_is_due(
    offer: Offer, now: float, local: datetime, done: Done, rules: Rules
) -> None:
    between = next_step(replace(offer, mode="SYNC_FULL", batch_size=80_000), now, local, done, rules)
    in_changes = next_step(offer, now, local, done, rules)
    assert between == (in_changes if in_changes.kind in ("changes", "deletions") else Step("full page"))


@given(offers, st.one_of(st.none(), moments), moments)
def test_position_of_is_never_before_the_first_page_nor_after_the_clock(
    offer: Offer, looked_until: datetime | None, until: datetime
) -> None:
    assert offer.timestamp
    position = position_of(replace(offer, mode="SYNC_FULL"), Done(looked_until=looked_until), until)
    assert position in (offer.timestamp, looked_until, until)
    assert min(offer.timestamp, until) <= position <= until


@given(moments, st.booleans(), rules)
def test_a_look_goes_back_as_far_as_the_position_and_never_less(
    position: datetime, is_deep: bool, rules: Rules
) -> None:
    since = since_of(position, is_deep, rules)
    assert position - since == (rules.deep_overlap if is_deep else rules.overlap)


@given(st.floats(0, 1000))
def test_a_slow_look_comes_less_often(poll_seconds: float) -> None:
    done = Done(changes_at=0, poll_seconds=poll_seconds)
    assert next_step(CHANGES, 10 * poll_seconds + 30, NOW, done, RULES).kind == "changes"
    assert poll_seconds <= 3 or next_step(CHANGES, 10 * poll_seconds - 1, NOW, done, RULES).kind != "changes"


def test_the_first_look_is_a_deep_one_and_then_one_every_quarter_of_an_hour() -> None:
    assert next_step(CHANGES, 0, NOW, Done(), RULES).is_deep
    done = Done(changes_at=1000, deep_at=1000, deletions_at=1000)
    assert not next_step(CHANGES, 1030, NOW, done, RULES).is_deep
    assert next_step(CHANGES, 1900, NOW, done, RULES).is_deep


def test_changes_that_take_longer_than_their_interval_hold_up_nothing_else() -> None:
    """Each round of changes ends when the next is due: on a slow machine deletions and passes never had a turn."""
    looked = Done(changes_at=0, deep_at=0, deletions_at=0, last="changes")
    assert next_step(CHANGES, 700, NOW, looked, RULES).kind == "deletions"
    deleted = replace(looked, deletions_at=700, last="deletions")
    assert next_step(CHANGES, 760, NOW, deleted, RULES).kind == "changes"
    looked = replace(looked, deletions_at=700)
    assert next_step(CHANGES, 760, NOW, looked, RULES).kind == "changes", "nothing else is due"
    assert next_step(CHANGES, 760, NOW + timedelta(days=2), looked, RULES).kind == "pass page"
    between_pages = replace(CHANGES, mode="SYNC_FULL", batch_size=80_000)
    assert next_step(between_pages, 760, NOW, looked, RULES).kind == "full page"


def test_deletions_come_before_changes_only_where_the_backend_has_no_day_of_them() -> None:
    """The position is where the full sync began, until the first changes move it."""
    assert next_step(replace(CHANGES, deletions_since=None), 0, NOW, Done(), RULES).kind == "deletions"
    assert next_step(CHANGES, 0, NOW, Done(), RULES).kind == "changes"
    assert next_step(replace(CHANGES, deletions_since=None), 0, NOW, Done(deletions_at=0), RULES).kind == "changes"


def test_a_pass_begins_when_the_last_is_old_goes_on_and_waits_for_its_hours() -> None:
    looked = Done(changes_at=0, deep_at=0, deletions_at=0)
    at_night = replace(RULES, pass_hours="22:00-05:00")
    never = replace(CHANGES, passed_at=None)
    for offer, local, done, rules, is_due in (
        (CHANGES, NOW, looked, RULES, False),
        (never, NOW, looked, RULES, True),
        (CHANGES, NOW + timedelta(days=1), looked, RULES, True),
        (CHANGES, NOW, replace(looked, passed_to=5), RULES, True),
        (CHANGES, NOW, replace(looked, passed_to=5), at_night, False),
        (CHANGES, NOW.replace(hour=23), replace(looked, passed_to=5), at_night, True),
        (never, NOW, looked, replace(RULES, pass_interval=None), False),
    ):
        assert (next_step(offer, 0, local, done, rules).kind == "pass page") == is_due


@pytest.fixture
def helsinki() -> Iterator[None]:
    """This machine's zone is Finland's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", HELSINKI.key)
        tzset()
        yield
    tzset()


def nights_of_passes(begin: datetime, pass_hours: float, rules: Rules) -> list[int]:
    """The nights, of three weeks from noon to noon, in which a pass ended. One takes so many hours of its own."""
    nights, passed_at, worked = list[int](), begin, 0.0
    for quarter in range(21 * 96):
        local = (begin + timedelta(minutes=15 * quarter)).astimezone()
        done = Done(passed_to=1 if worked else None)
        worked += 0.25 * is_pass_due(replace(CHANGES, passed_at=passed_at), local, done, rules)
        if worked >= pass_hours:
            nights.append(quarter // 96)
            passed_at, worked = local, 0.0
    return nights


@pytest.mark.parametrize(
    "noon", [datetime(2026, 10, 17, 12, tzinfo=HELSINKI), datetime(2026, 3, 21, 12, tzinfo=HELSINKI)]
)
@pytest.mark.parametrize("window", ["22:00-05:00", "00:00-05:00", "14:00-20:00"])
@pytest.mark.parametrize("pass_hours", [0.25, 3, 4])
@pytest.mark.parametrize("days", [1, 2, 7])
def test_within_hours_there_is_one_pass_a_night_however_long_it_takes_and_whatever_the_season(
    helsinki: None, noon: datetime, window: str, pass_hours: float, days: int
) -> None:
    """Due a day after the last one's end it began later each night, and in the end every second night had none."""
    rules = replace(RULES, pass_interval=timedelta(days=days), pass_hours=window)
    assert nights_of_passes(noon.astimezone(), pass_hours, rules) == list(range(days - 1, 21, days))


def test_a_pass_that_a_late_standby_stamps_before_the_hours_is_not_begun_again() -> None:
    rules = replace(RULES, pass_hours="22:00-05:00")
    began = NOW.astimezone().replace(hour=22, minute=0, second=0, microsecond=0)
    offer, local = replace(CHANGES, passed_at=began - timedelta(minutes=2)), began + timedelta(hours=2)
    assert is_pass_due(offer, local, Done(), rules), "that of the night before, as it seems"
    assert not is_pass_due(offer, local, passed(Done(passed_to=5), None, local), rules)
    assert is_pass_due(offer, local + timedelta(days=1), passed(Done(), None, local), rules)


@pytest.mark.parametrize(
    ("hours", "hour", "is_in"),
    [
        *(("22:00-05:00", 23, True), ("22:00-05:00", 4, True), ("22:00-05:00", 5, False)),
        *(("08:00-09:00", 8, True), ("08:00-09:00", 9, False), (None, 9, False), ("00:00-00:00", 9, True)),
    ],
)
def test_hours_may_go_beyond_midnight(hours: str | None, hour: int, is_in: bool) -> None:
    assert is_within(hours, time(hour)) == is_in


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"sync_mode": "SYNC_SOME"},
        {"sync_mode": "SYNC_FULL", "batch_size": 0, "last_synced_id": 0},
        {"sync_mode": "SYNC_FULL", "batch_size": 1},
        {"sync_mode": "SYNC_CHANGES", "timestamp": None},
        {"sync_mode": "SYNC_CHANGES", "timestamp": "2026-11-20T12:00:00"},
        {"sync_mode": "SYNC_CHANGES", "timestamp": "2026-11-20T12:00:00Z", "passed_at": "yesterday"},
    ],
)
def test_an_odd_answer_is_no_offer(answer: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        read_offer(answer)
