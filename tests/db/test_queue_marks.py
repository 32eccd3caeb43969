"""A mark, by the api or by hand, enters an item once and counts how often."""

from db import queue
from db.queue import Connection
from db.requests import Database
from tests.fix_postgres import TestDatabase
from tests.fix_queue import LEASE, mark_item, row


async def test_marking_twice_is_one_row_with_the_next_revision(database: TestDatabase, api_database: Database) -> None:
    item = database.add_item(1)
    assert await mark_item(api_database, item, "printer 1", "first") == [item]
    entered = database.fetch("SELECT queued_at FROM update_queue")
    assert await mark_item(api_database, item, "printer 2", "second") == [item]
    now = row(database, item)
    assert (now["revision"], now["queued_by"], now["request_id"], now["due"]) == (2, "printer 1", "second", True)
    assert database.fetch("SELECT queued_at FROM update_queue") == entered


async def test_an_item_that_is_not_there_is_not_marked(database: TestDatabase, api_database: Database) -> None:
    assert await mark_item(api_database, 4711) is None
    assert database.fetch("SELECT count(*) FROM update_queue") == [(0,)]


async def test_plain_sql_marks_in_the_roles_name_behind_the_print_stations(
    database: TestDatabase, api_database: Database, connection: Connection
) -> None:
    by_hand, printed = database.add_item(1), database.add_item(2)
    database.fetch("INSERT INTO update_queue (item_record_id) VALUES (%s)", by_hand)
    assert row(database, by_hand)["queued_by"] == database.parameters["user"]
    await mark_item(api_database, printed)
    claims = await queue.claim(connection, "n1", 10, LEASE)
    assert [claim.item_record_id for claim in claims] == [printed, by_hand]


async def test_a_mark_on_a_rejected_item_enters_anew(
    database: TestDatabase, api_database: Database, connection: Connection
) -> None:
    item = database.add_item(1)
    await mark_item(api_database, item, "printer 1")
    (claim,) = await queue.claim(connection, "n1", 10, LEASE)
    await queue.reject(connection, "n1", claim, "gone")
    database.fetch("UPDATE update_queue SET queued_at = now() - interval '1 day'")
    await mark_item(api_database, item, "printer 2")
    now = row(database, item)
    assert (now["due"], now["queued_by"], now["attempts"], now["last_error"]) == (True, "printer 2", 0, None)
    assert database.fetch("SELECT now() - queued_at < interval '1 minute' FROM update_queue") == [(True,)]
