"""What is a time that Python's calendar has not? PostgreSQL stores `infinity` and the year 20000, Python neither.

A person may write such a time by hand. It is read as the calendar's end or beginning, so that one odd row keeps nobody
from reading the others.
"""

from datetime import UTC, datetime

import psycopg
from psycopg.abc import Buffer
from psycopg.types.datetime import TimestamptzLoader

# A day within the calendar: they have a local time in every zone.
EARLIEST = datetime(1, 1, 2, tzinfo=UTC)
LATEST = datetime(9999, 12, 30, tzinfo=UTC)


class MomentLoader(TimestamptzLoader):
    """Reads a `timestamptz`, whatever it is."""

    def load(self, data: Buffer) -> datetime:
        """The moment; the calendar's beginning or end where it has none for it."""
        try:
            return super().load(data)
        except psycopg.DataError:
            text = bytes(data)
            is_early = text.startswith(b"-") or text.endswith(b"BC")
            return EARLIEST if is_early else LATEST


def read_any_moment() -> None:
    """From now on, on every connection of this process."""
    psycopg.adapters.register_loader("timestamptz", MomentLoader)
