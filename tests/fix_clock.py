"""Fixture `clock`: the wall clock of a process, which a test may set forward and back while it runs.

`start("notifier", **clock.settings)`. A `sitecustomize` of the process's own shifts `time.time` and `datetime.now`, by
as many seconds as stand in a file. PostgreSQL, Sierra and the monotonic clock go on as they were.
"""

from pathlib import Path

import pytest

_SITECUSTOMIZE = """
import datetime
import pathlib
import time

shift = pathlib.Path(__file__).with_name("shift_seconds")
true_ns, true_datetime = time.time_ns, datetime.datetime


def shift_ns():
    return int(float(shift.read_text()) * 1e9)


class ShiftedDatetime(true_datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(time.time(), tz)

    @classmethod
    def utcnow(cls):
        return cls.now(datetime.timezone.utc).replace(tzinfo=None)


time.time_ns = lambda: true_ns() + shift_ns()
time.time = lambda: time.time_ns() / 1e9
datetime.datetime = ShiftedDatetime
"""


class Clock:
    """Right on entry. `settings` put a process under it."""

    def __init__(self, folder: Path) -> None:
        self._shift = folder / "shift_seconds"
        self.set_ahead(0)
        (folder / "sitecustomize.py").write_text(_SITECUSTOMIZE)
        self.settings = {"pythonpath": str(folder)}

    def set_ahead(self, seconds: float) -> None:
        """So far ahead of the true time from now on; behind, if less than 0."""
        new = self._shift.with_suffix(".new")
        new.write_text(str(seconds))
        new.replace(self._shift)  # whole at any moment


@pytest.fixture
def clock(tmp_path_factory: pytest.TempPathFactory) -> Clock:
    """A wall clock of this test's."""
    return Clock(tmp_path_factory.mktemp("clock"))
