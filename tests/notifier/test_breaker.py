"""The breaker: no request during a pause, one item after it, all once Sierra answered."""

import pytest

from notifier.breaker import Breaker
from notifier.sierra.errors import SierraRefused, SierraUnavailable


class Clock:
    """Time that moves when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(now=clock, chance=lambda: 1.0)


def test_it_opens_for_a_second_and_then_wants_a_probe(breaker: Breaker, clock: Clock) -> None:
    assert breaker.state == "closed"
    breaker.open(SierraUnavailable("no answer"))
    assert (breaker.state, breaker.seconds_left, breaker.reason) == ("open", 1.0, "no answer")
    clock.now += 1
    assert (breaker.state, breaker.seconds_left) == ("probing", 0.0)


def test_failed_probes_double_the_pause_up_to_a_minute(breaker: Breaker, clock: Clock) -> None:
    pauses = []
    for _ in range(9):
        breaker.open(SierraUnavailable("no answer"))
        pauses.append(breaker.seconds_left)
        clock.now += breaker.seconds_left
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_requests_that_were_under_way_when_it_opened_are_the_same_fault(breaker: Breaker, clock: Clock) -> None:
    for _ in range(4):
        breaker.open(SierraUnavailable("no answer"))
    assert breaker.seconds_left == 1.0


def test_a_retry_after_wins_and_the_longest_of_several_counts(breaker: Breaker) -> None:
    breaker.open(SierraUnavailable("busy", retry_after=30))
    breaker.open(SierraUnavailable("busy", retry_after=45))
    assert breaker.seconds_left == 45


def test_an_answer_closes_it_and_the_next_pause_is_short_again(breaker: Breaker, clock: Clock) -> None:
    for _ in range(5):
        breaker.open(SierraUnavailable("no answer"))
        clock.now += breaker.seconds_left
    breaker.close()
    assert (breaker.state, breaker.reason) == ("closed", None)
    breaker.open(SierraUnavailable("no answer"))
    assert breaker.seconds_left == 1.0


def test_closing_says_whether_it_was_open(breaker: Breaker, clock: Clock) -> None:
    assert breaker.close() is False
    breaker.open(SierraUnavailable("no answer"))
    clock.now += 1
    assert breaker.close() is True


def test_only_a_refused_key_calls_a_person(breaker: Breaker, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    breaker.open(SierraUnavailable("no answer"))
    clock.now += 1
    breaker.open(SierraUnavailable("no answer"))
    assert [record.levelname for record in caplog.records] == ["WARNING"], "once per change"
    breaker.close()
    breaker.open(SierraRefused("key"))
    assert caplog.records[-1].levelname == "ERROR"
