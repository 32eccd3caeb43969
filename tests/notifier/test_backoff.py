"""Pauses double, are capped and spread, and Sierra's own wish comes first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.backoff import breaker_pause, postponement

chances = st.floats(min_value=0, max_value=1)


@pytest.mark.parametrize(
    ("attempts", "least", "most"), [(1, 15, 30), (2, 30, 60), (5, 240, 480), (8, 1800, 3600), (1000, 1800, 3600)]
)
def test_postponements_double_up_to_an_hour(attempts: int, least: float, most: float) -> None:
    assert postponement(attempts, 0) == least
    assert postponement(attempts, 1) == most


def test_ten_attempts_take_about_two_hours() -> None:
    assert 1.5 < sum(postponement(attempts, 0.5) for attempts in range(1, 10)) / 3600 < 2.5


@given(st.integers(0, 10_000), chances)
def test_the_breaker_waits_from_half_a_second_to_a_minute(failures: int, chance: float) -> None:
    assert 0.5 <= breaker_pause(failures, chance) <= 60


def test_what_sierra_asks_for_is_waited_for_and_never_nothing() -> None:
    assert postponement(1, 1, retry_after=700) == 700
    assert postponement(1, 0, retry_after=0) == 15, "attempts are soon burnt"
    assert breaker_pause(9, 0.5, retry_after=7) == 7
    assert breaker_pause(0, 0, retry_after=0) == 0.5
