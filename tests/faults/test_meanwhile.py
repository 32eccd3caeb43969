"""An item changes while it is pushed: a station marks it again, the ETL reclassifies it, staff edit it."""

from typing import Any

import pytest

from db import queue_people
from db.queue import LATE_SECONDS, Connection
from tests.fix_library import Library
from tests.fix_notifier import EMPTY, NO_SWEEP, Notifier, eventually
from tests.fix_postgres import TestDatabase
from tests.fix_sierra import SierraInThread

MOMENTS: dict[str, dict[str, Any]] = {
    "before its read": {"kind": "get_items"},
    "after its read": {"kind": "get_items", "after_applying": True},
    "before its write": {"kind": "put_item"},
    "after its write": {"kind": "put_item", "after_applying": True},
}


@pytest.mark.parametrize("moment", MOMENTS)
async def test_an_item_marked_again_at_any_moment_of_its_push_ends_with_the_newest_classification(
    database: TestDatabase, library: Library, sierra: SierraInThread, notifier: Notifier, moment: str
) -> None:
    library.add(1001)
    barrier = sierra.hold(**MOMENTS[moment])
    async with notifier(**NO_SWEEP):
        library.mark(1001)
        await barrier.reached()
        library.classify(1001, "85.1")
        library.mark(1001)
        barrier.release()
        await eventually(database, EMPTY)
    library.check()
    assert sierra.call_numbers("1001") == ["85.1 Jännitys"]


async def test_an_item_dismissed_while_it_is_written_and_marked_again_is_not_written_twice_at_a_time(
    database: TestDatabase, connection: Connection, library: Library, sierra: SierraInThread, notifier: Notifier
) -> None:
    library.add(1001)
    barrier = sierra.hold("put_item", after_applying=True)
    async with notifier(**NO_SWEEP):
        library.mark(1001)
        await barrier.reached()
        assert await queue_people.dismiss(connection, "liisa", LATE_SECONDS, item_numbers=["1001"]) == []
        library.classify(1001, "85.1")
        library.mark(1001)
        barrier.release()
        await eventually(database, EMPTY)
    library.check()
    assert sierra.call_numbers("1001") == ["85.1 Jännitys"]


async def test_a_field_that_staff_add_between_read_and_write_stays(
    database: TestDatabase, library: Library, sierra: SierraInThread, notifier: Notifier
) -> None:
    library.add(1001)
    barrier = sierra.hold(kind="get_items", after_applying=True)
    async with notifier(**NO_SWEEP):
        library.mark(1001)
        await barrier.reached()
        sierra.edit("1001", {"varFields": [{"fieldTag": "p", "content": "a new field"}]})
        barrier.release()
        await eventually(database, EMPTY)
    assert sierra.call_numbers("1001") == ["84.31 Jännitys"]
    assert {"fieldTag": "p", "content": "a new field"} in sierra.record("1001").var_fields
