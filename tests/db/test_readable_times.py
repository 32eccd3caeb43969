"""Times that Python's calendar has not: the database refuses them, and what was there is mended by the migrations."""

import json
from datetime import datetime, timedelta, timezone

import psycopg
import pytest

from db.schema.migrate import migrate
from tests.fix_migrator import Migrator
from tests.fix_postgres import TestDatabase
from tests.fix_signum import Signum

COLUMNS = """
SELECT c.relname, a.attname, k.convalidated
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.conname = c.relname || '_' || a.attname || '_readable'
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.atttypid = 'timestamptz'::regtype
"""
ODD = ["infinity", "-infinity", "9999-12-31 00:00+00", "20000-01-01", "0001-01-01 00:00+00", "4000-01-01 BC"]
ROWS = [
    "INSERT INTO sierra_item (item_record_id, updated_at) VALUES (1, now())",
    "INSERT INTO update_queue (item_record_id) VALUES (1)",
    "INSERT INTO update_log (item_record_id, queued_at, queued_by, finished_by, outcome, attempts)"
    " VALUES (1, now(), 'x', 'x', 'pushed', 1)",
    "INSERT INTO client (client_name, client_type, api_key_sha256, api_key_prefix) VALUES ('', 'etl', sha256(''), 'x')",
    "INSERT INTO notifier_state (notifier, mode, breaker) VALUES ('x', 'listening', 'closed')",
    "INSERT INTO rejected_row (row_key, reason_code, batch_timestamp, line, reason) VALUES ('x', 'x', now(), 'x', 'x')",
]
NEWER_ROWS = [
    "INSERT INTO act (person, through, action, number, result) VALUES ('x', 'command', 'x', 0, 'x')",
    "INSERT INTO person (person_name, role) VALUES ('x', 'viewer')",
    "INSERT INTO console_session (session_sha256, person_id) SELECT sha256('x'), person_id FROM person",
    "INSERT INTO progress_count VALUES ('x', 'x', 'x', 0, 0, 0, 0)",
]
BEFORE = "0008"


@pytest.fixture
def filled(database: TestDatabase) -> TestDatabase:
    """A row in each table."""
    for row in (*ROWS, *NEWER_ROWS):
        database.fetch(row)
    return database


def test_every_time_of_every_table_is_checked_for_all_its_rows(database: TestDatabase) -> None:
    columns = database.fetch(COLUMNS)
    assert len(columns) > 20
    assert [(table, column) for table, column, is_valid in columns if not is_valid] == []


def test_an_odd_time_is_refused_by_a_check_that_names_its_column(filled: TestDatabase) -> None:
    with filled.connect() as connection:
        for table, column, _ in filled.fetch(COLUMNS):
            for odd in ODD:
                with pytest.raises(psycopg.errors.CheckViolation, match=f'"{table}_{column}_readable"'):
                    connection.execute(f"UPDATE {table} SET {column} = '{odd}'".encode())


@pytest.mark.parametrize("edge", ["0001-01-02 00:00:00+00", "9999-12-30 00:00:00+00"])
def test_what_is_not_refused_has_a_local_time_in_every_zone(database: TestDatabase, edge: str) -> None:
    database.add_item(1)
    database.fetch("INSERT INTO update_queue (item_record_id) SELECT item_record_id FROM sierra_item")
    ((moment,),) = database.fetch("UPDATE update_queue SET due_at = %s RETURNING due_at", edge)
    assert isinstance(moment, datetime)
    for hours in (-14, 14):
        moment.astimezone(timezone(timedelta(hours=hours)))


def test_the_queue_can_be_looked_at_though_a_person_tried_to_write_an_odd_time(
    database: TestDatabase, signum: Signum
) -> None:
    item = database.add_item(1)
    for odd in ("-infinity", "infinity"):
        with pytest.raises(psycopg.errors.CheckViolation):
            database.fetch("INSERT INTO update_queue (item_record_id, due_at) VALUES (%s, %s)", item, odd)
    for command in (["queue", "status"], ["queue", "list"], ["doctor"]):
        ran = signum(*command, "--json")
        assert ran.code in (0, 1)
        json.loads(ran.out, parse_constant=pytest.fail)


@pytest.fixture
def odd_rows(empty_database: TestDatabase) -> TestDatabase:
    """A database of the revision before, with odd times wherever a time can be."""
    migrate(empty_database.parameters, BEFORE)
    for row in ROWS:
        empty_database.fetch(row)
    return empty_database


@pytest.mark.parametrize("odd", ODD)
def test_a_database_with_odd_times_everywhere_comes_to_head(odd_rows: TestDatabase, odd: str) -> None:
    columns = odd_rows.fetch(COLUMNS)
    for table, column, _ in columns:
        odd_rows.fetch(f"UPDATE {table} SET {column} = '{odd}'")
    migrate(odd_rows.parameters)
    for table, column, _ in columns:
        odd_rows.fetch(f"SELECT {column} FROM {table}")  # or psycopg raises
    assert all(is_valid for *_, is_valid in odd_rows.fetch(COLUMNS))


@pytest.mark.parametrize(
    ("odd", "after"),
    [
        ("due_at = '-infinity'", (True, False, None, False)),
        ("due_at = 'infinity'", (None, True, "It had been made due never", False)),
        ("due_at = 'infinity', last_error = 'Wait.'", (None, True, "Wait. It had been made due never", False)),
        ("lease_until = 'infinity', claimed_by = 'n'", (True, False, None, False)),
        ("queued_at = '-infinity'", (True, False, None, False)),
    ],
)
def test_a_queued_item_stays_what_its_odd_time_made_it(
    odd_rows: TestDatabase, odd: str, after: tuple[object, ...]
) -> None:
    odd_rows.fetch(f"UPDATE update_queue SET {odd}")
    migrate(odd_rows.parameters)
    state = "SELECT due_at <= now(), due_at IS NULL, last_error, lease_until IS NOT NULL FROM update_queue"
    assert odd_rows.fetch(state) == [after]


@pytest.mark.parametrize(
    ("odd", "is_paused"),
    [("resume_at = 'infinity'", True), ("resume_at = '-infinity'", False), ("resume_at = NULL", True)],
)
def test_a_pause_stays_one_if_it_was(odd_rows: TestDatabase, odd: str, is_paused: bool) -> None:
    odd_rows.fetch(f"UPDATE queue_control SET paused_at = '-infinity', {odd}")
    migrate(odd_rows.parameters)
    assert odd_rows.fetch("SELECT paused_at IS NOT NULL, resume_at FROM queue_control") == [(is_paused, None)]


def test_between_the_two_migrations_odd_rows_can_be_claimed_and_stored(odd_rows: TestDatabase) -> None:
    odd_rows.fetch("UPDATE update_queue SET due_at = '-infinity', lease_until = '-infinity'")
    odd_rows.fetch("UPDATE sierra_item SET updated_at = '-infinity'")
    odd_rows.fetch("UPDATE update_log SET queued_at = '-infinity'")
    migrate(odd_rows.parameters, "0009")
    odd_rows.fetch("UPDATE update_queue SET claimed_by = 'n', lease_until = now() + interval '1 minute'")
    odd_rows.fetch("UPDATE sierra_item SET best_title = 'x', updated_at = now()")
    migrate(odd_rows.parameters)
    assert odd_rows.fetch("SELECT queued_at = finished_at FROM update_log") == [(True,)]


def test_migration_waits_for_a_batch_while_items_can_be_read_and_the_sync_be_asked(odd_rows: TestDatabase) -> None:
    migrator = Migrator(odd_rows)
    with psycopg.connect(**odd_rows.parameters) as batch:
        batch.execute("SELECT pg_advisory_xact_lock(1398361667)")
        for table in ("rejected_row", "sierra_item", "sync_state"):
            batch.execute(f"DELETE FROM {table} WHERE false".encode())
        migrator.start()
        migrator.wait_until_it_waits_for_the_batch()
        with odd_rows.connect() as station:
            station.execute("SET lock_timeout = '1s'")
            for table in ("rejected_row", "sierra_item", "sync_state"):
                station.execute(f"SELECT FROM {table}".encode())
    migrator.join(60)
    assert migrator.failed is None
