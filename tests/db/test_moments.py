"""Times that Python's calendar has not."""

from datetime import UTC, datetime

import pytest

from db import queue
from db.moments import EARLIEST, LATEST
from db.queue import Connection
from tests.fix_postgres import TestDatabase


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        ("infinity", LATEST),
        ("-infinity", EARLIEST),
        ("20000-01-01", LATEST),
        ("4000-01-01 BC", EARLIEST),
        ("2026-11-22 12:00:00.5+02", datetime(2026, 11, 22, 10, 0, 0, 500_000, UTC)),
    ],
)
async def test_a_time_that_python_has_not_is_read_as_the_calendars_end(
    connection: Connection, stored: str, read: datetime
) -> None:
    row = await (await connection.execute("SELECT %s::timestamptz", (stored,))).fetchone()
    assert row == (read,)
    read.astimezone()


async def test_the_queue_can_be_looked_at_whatever_a_person_wrote_into_it(
    database: TestDatabase, connection: Connection
) -> None:
    database.add_item(1)
    database.fetch(
        "INSERT INTO update_queue (item_record_id, due_at) SELECT item_record_id, 'infinity' FROM sierra_item"
    )
    assert len(await queue.detail(connection)) == 1
    assert len(await queue.overview(connection)) == 4
