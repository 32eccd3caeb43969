"""The trigger notifies when an item becomes due and when a pause begins or ends, and at nothing else."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.fix_postgres import TestDatabase

ALL_ITEMS = "INSERT INTO update_queue (item_record_id) SELECT item_record_id FROM sierra_item"
LATER = ALL_ITEMS.replace(") SELECT item_record_id", ", due_at) SELECT item_record_id, now() + interval '1 hour'")
NOTIFYING = [
    ("a plain insert", ALL_ITEMS),
    ("made due by hand", "UPDATE update_queue SET due_at = now()"),
    ("marked again", "UPDATE update_queue SET revision = revision + 1"),
    ("a pause", "UPDATE queue_control SET paused_at = now()"),
    ("the end of a pause, or a new one", "UPDATE queue_control SET paused_at = NULL, resume_at = NULL"),
]
SILENT = [
    ("a claim", "UPDATE update_queue SET claimed_by = 'n1', lease_until = now() + interval '1 minute', attempts = 1"),
    ("a release", "UPDATE update_queue SET claimed_by = NULL, lease_until = NULL, attempts = 0"),
    ("a postponement", "UPDATE update_queue SET due_at = now() + interval '1 minute', last_error = 'busy'"),
    ("a rejection", "UPDATE update_queue SET due_at = NULL, last_error = 'gone'"),
    ("an insert for later", f"{LATER} WHERE item_number = '2'"),
    ("a sync", "UPDATE sierra_item SET classification = '1', best_title = 'x', updated_at = now()"),
    ("a finish", "DELETE FROM update_queue"),
]


@pytest.fixture
def listening(database: TestDatabase) -> Iterator[psycopg.Connection[Any]]:
    """A session that listens to the queue."""
    with database.connect() as connection:
        connection.execute("LISTEN update_queue")
        yield connection


def count_notifications(database: TestDatabase, listening: psycopg.Connection[Any]) -> int:
    """The number of notifications until now."""
    database.fetch("SELECT pg_notify('update_queue', 'now')")
    heard: list[psycopg.Notify] = []
    for note in listening.notifies(timeout=5):
        if note.payload == "now":
            return len(heard)
        heard.append(note)
        assert note.payload == "", "it only says: look now"
    raise AssertionError("deaf")


@pytest.mark.parametrize(("what", "statement"), NOTIFYING)
def test_it_notifies_at(database: TestDatabase, listening: psycopg.Connection[Any], what: str, statement: str) -> None:
    database.add_item(1)
    if not statement.startswith("INSERT"):
        database.fetch(f"{ALL_ITEMS} WHERE item_number = '1'")
        database.fetch("UPDATE update_queue SET due_at = now() - interval '1 minute'")
        count_notifications(database, listening)
    database.fetch(statement)
    assert count_notifications(database, listening) == 1


@pytest.mark.parametrize(("what", "statement"), SILENT)
def test_it_is_silent_at(database: TestDatabase, listening: psycopg.Connection[Any], what: str, statement: str) -> None:
    database.add_item(1)
    database.add_item(2)
    database.fetch(f"{ALL_ITEMS} WHERE item_number = '1'")
    assert count_notifications(database, listening) == 1
    database.fetch(statement)
    assert count_notifications(database, listening) == 0


def test_a_hundred_thousand_marks_in_one_statement_notify_once(
    database: TestDatabase, listening: psycopg.Connection[Any]
) -> None:
    database.fetch(
        "INSERT INTO sierra_item (item_record_id, updated_at) SELECT n, now() FROM generate_series(1, 100000) AS n"
    )
    database.fetch(ALL_ITEMS)
    assert count_notifications(database, listening) == 1
