"""signum queue pause --until: a local time is never taken for an earlier one, and always shown with its offset."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Self

import pytest

from cli import control
from tests.fix_postgres import TestDatabase
from tests.fix_signum import Ran, Signum

YEAR = datetime.now(UTC).year + 1  # by the database's clock all of it is to come
Pause = Callable[[datetime, str], tuple[Ran, Any]]


def last_sunday(month: int) -> datetime:
    """The day on which Helsinki's clock is changed, at 01:00 UTC."""
    end = datetime(YEAR, month, 31, 1, tzinfo=UTC)
    return end - timedelta(days=end.isoweekday() % 7)


FORWARD, BACK = last_sunday(3), last_sunday(10)


@pytest.fixture
def pause(signum: Signum, database: TestDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pause]:
    """Pause in Helsinki, a day before the clock is changed, until a time; what was said, and the end that is stored."""

    def run(changed: datetime, until: str) -> tuple[Ran, Any]:
        class Clock(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> Self:
                return cls.fromtimestamp(changed.timestamp() - 13 * 3600, tz)

        monkeypatch.setattr(control, "datetime", Clock)
        ran = signum("queue", "pause", "--reason", "x", "--until", until.format(changed))
        return ran, database.fetch("SELECT resume_at FROM queue_control")[0][0]

    with monkeypatch.context() as here:
        here.setenv("TZ", "Europe/Helsinki")
        time.tzset()
        yield run
    time.tzset()


@pytest.mark.parametrize("until", ["{:%F}T03:00", "{:%F}T03:30", "{:%F} 03:59:59", "03:30"])
def test_a_time_that_the_clock_skips_in_spring_is_wrong_usage(pause: Pause, until: str) -> None:
    ran, end = pause(FORWARD, until)
    assert (ran.code, end) == (2, None)
    assert f"the clock does not show {FORWARD:%F} 03:" in " ".join(ran.err.split())


@pytest.mark.parametrize(
    ("until", "minutes", "shown"),
    [
        ("{:%F}T02:59", -1, "02:59:00+02:00"),
        ("{:%F}T04:00", 0, "04:00:00+03:00"),
        ("04:00", 0, "04:00:00+03:00"),
        ("{:%F}T03:30+02:00", 30, "04:30:00+03:00"),
    ],
)
def test_the_times_around_it_are_taken_as_the_clock_shows_them(
    pause: Pause, until: str, minutes: int, shown: str
) -> None:
    ran, end = pause(FORWARD, until)
    assert (ran.code, end) == (0, FORWARD + timedelta(minutes=minutes))
    assert f"until {FORWARD:%F} {shown}" in ran.out


@pytest.mark.parametrize("until", ["{:%F}T03:30", "03:30"])
def test_a_time_that_the_clock_shows_twice_in_autumn_is_the_later_one_and_that_is_said(
    pause: Pause, until: str
) -> None:
    ran, end = pause(BACK, until)
    assert (ran.code, end) == (0, BACK + timedelta(minutes=30))
    assert f"the earlier one is {BACK:%F}T03:30:00+03:00" in ran.err
    assert f"until {BACK:%F} 03:30:00+02:00" in ran.out


def test_every_time_is_shown_with_its_offset(pause: Pause, signum: Signum, database: TestDatabase) -> None:
    database.fetch("UPDATE sync_state SET last_sync_run_completed_at = '2026-11-25 10:11:12+00'")
    assert "2026-11-25 12:11:12+02:00" in signum("sync", "status").out
