"""Items that Sierra deleted 90 days ago are removed, a little at a time, with what was rejected of them."""

import asyncio
import logging
import threading
import time

import httpx
import pytest

from db.deletions import remove_deleted
from db.marks import mark_items
from db.queue import Connection
from notifier.heartbeat import KEPT_DELETED_DAYS
from tests.fix_api import ApiClient
from tests.fix_notifier import Notifier, eventually
from tests.fix_postgres import TestDatabase
from tests.fix_queue import waits_for_a_lock
from tests.fix_roles import AsRole

LONG_AGO = "current_date - 91"
LEFT = "SELECT item_number FROM sierra_item ORDER BY 1"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def delete(database: TestDatabase, *numbers: int, on: str = LONG_AGO, column: str = "deleted_on") -> None:
    """Have Sierra delete these items of the catalogue."""
    for number in numbers:
        item = database.add_item(number)
        database.fetch(f"UPDATE sierra_item SET {column} = {on} WHERE item_record_id = %s", item)


def queue(database: TestDatabase, number: int, values: str) -> None:
    """Put the item into the queue, with these values."""
    database.fetch(
        "INSERT INTO update_queue (item_record_id, due_at, unanswered_at, last_error)"
        f" SELECT item_record_id, {values} FROM sierra_item WHERE item_number = %s",
        str(number),
    )


def left(database: TestDatabase) -> list[int]:
    return [int(number) for (number,) in database.fetch(LEFT)]


async def test_items_deleted_long_ago_are_removed_a_little_at_a_time_and_no_others(database: TestDatabase) -> None:
    delete(database, 1, 2, 3)
    delete(database, 4, on="current_date - 90")
    delete(database, 5, column="deletion_held_on")
    database.add_item(6)
    async with await database.aconnect() as connection:
        assert [await remove_deleted(connection, "n1", 90, 2) for _ in range(3)] == [2, 1, 0]
    assert left(database) == [4, 5, 6]


async def test_what_was_rejected_of_them_is_dismissed_and_what_waits_or_may_be_written_late_keeps_its_item(
    database: TestDatabase,
) -> None:
    delete(database, 1, 2, 3)
    queue(database, 1, "NULL, NULL, 'Item 1 was deleted in Sierra on 2026-08-01'")
    queue(database, 2, "now(), NULL, NULL")
    queue(database, 3, "NULL, now() - interval '23 hours', NULL")
    async with await database.aconnect() as connection:
        assert await remove_deleted(connection, "n1", 90) == 1
    assert left(database) == [2, 3]
    assert database.fetch("SELECT item_number, outcome, finished_by, error FROM update_log") == [
        ("1", "dismissed", "n1", "Item 1 was deleted in Sierra on 2026-08-01; deleted in Sierra")
    ]


async def test_a_notifier_removes_them_with_its_rights_and_says_so(
    database: TestDatabase, as_role: AsRole, notifier: Notifier, caplog: pytest.LogCaptureFixture
) -> None:
    assert KEPT_DELETED_DAYS == 90
    delete(database, 1)
    delete(database, 2, on="current_date - 89")
    queue(database, 1, "NULL, NULL, NULL")
    with caplog.at_level(logging.INFO, "signum.notifier"):
        async with notifier(**as_role("signum_notifier").settings()):
            await eventually(database, "SELECT count(*) FROM sierra_item", 1)
            await eventually(database, "SELECT outcome FROM update_log", "dismissed")
    assert "1 items were removed, which Sierra deleted over 90 days ago" in caplog.messages


async def test_a_mark_by_hand_that_meets_the_removal_leaves_that_item_out_and_marks_the_others(
    database: TestDatabase, connection: Connection
) -> None:
    removed, kept = database.add_item(1), database.add_item(2)
    with database.connect() as removing:
        with removing.transaction():
            removing.execute("DELETE FROM sierra_item WHERE item_record_id = %s", (removed,))
            mark = asyncio.create_task(mark_items(connection, "desk", [removed, kept], 1))
            await waits_for_a_lock(database, connection.info.backend_pid)
        assert await mark == [kept]
    assert database.fetch("SELECT item_record_id FROM update_queue") == [(kept,)]


def test_a_mark_that_meets_the_removal_is_a_404(printer: ApiClient, database: TestDatabase) -> None:
    item = database.add_item(1)
    answers: list[httpx.Response] = []
    with database.connect() as removing:
        with removing.transaction():
            removing.execute("DELETE FROM sierra_item WHERE item_record_id = %s", (item,))
            mark = threading.Thread(target=lambda: answers.append(printer.put(f"/itemdata/{item}")))
            mark.start()
            give_up_at = time.monotonic() + 30
            while database.fetch(WAITING) == [(0,)]:
                assert time.monotonic() < give_up_at
        mark.join()
    assert [(answer.status_code, answer.json()["detail"]) for answer in answers] == [(404, "Item not found")]
