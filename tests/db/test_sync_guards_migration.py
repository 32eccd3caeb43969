"""Migration 0006 on a database in use: what was stamped in the future is healed, and nothing waits for it."""

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from db.schema.migrate import migrate
from tests.fix_migrator import Migrator
from tests.fix_postgres import TestDatabase

ITEMS = """
INSERT INTO sierra_item (item_record_id, updated_at)
SELECT 450971566080 + number, %s::timestamptz FROM generate_series(%s::int, %s::int) AS number
"""
AHEAD = "SELECT count(*) FROM sierra_item WHERE updated_at > now()"
REFUSED = """
INSERT INTO rejected_row (row_key, reason_code, batch_timestamp, line, reason, first_at, last_at)
VALUES ('x', 'itype_code_num', '2037-01-01', 'x', 'x', now() - interval '1 day', 'infinity')
"""
CUT_OFF = """
ALTER TABLE sierra_item ADD CONSTRAINT cut_off CHECK (updated_at > '2036-01-01' OR item_record_id < 450971572080)
"""
TIMES = ("sync_changes_since", "offered_timestamp", "gap_from", "gap_until", "last_sync_run_completed_at")


@pytest.fixture
def before(empty_database: TestDatabase) -> TestDatabase:
    """A database of the revision before."""
    migrate(empty_database.parameters, "0005")
    return empty_database


def test_rows_stamped_ahead_become_now_by_portions_and_others_stay(before: TestDatabase) -> None:
    before.fetch(ITEMS, "2037-01-01", 1, 12_000)
    before.fetch(ITEMS, "infinity", 12_001, 12_001)
    before.fetch(ITEMS, "2026-01-01", 12_002, 12_500)
    migrate(before.parameters)
    assert before.fetch(AHEAD) == [(0,)]
    portions = "SELECT count(*) FROM sierra_item WHERE updated_at > now() - interval '1 hour' GROUP BY xmin::text"
    assert sorted(before.fetch(portions)) == [(2_001,), (5_000,), (5_000,)]
    assert before.fetch("SELECT count(*) FROM sierra_item WHERE updated_at = '2026-01-01'") == [(499,)]


def test_refused_rows_stamped_ahead_become_now(before: TestDatabase) -> None:
    before.fetch(REFUSED)
    migrate(before.parameters)
    kept = "SELECT batch_timestamp <= now(), last_at <= now(), now() - first_at > interval '23 hours' FROM rejected_row"
    assert before.fetch(kept) == [(True, True, True)]


def test_times_of_the_sync_that_are_ahead_become_now_and_unset_ones_stay_unset(before: TestDatabase) -> None:
    for name in TIMES[:4]:
        before.fetch(f"UPDATE sync_state SET {name} = '2037-01-01'")
    migrate(before.parameters)
    ahead = ", ".join(f"{name} > now()" for name in TIMES)
    assert before.fetch(f"SELECT {ahead} FROM sync_state") == [(False, False, False, False, None)]


def test_times_that_are_not_ahead_stay_to_the_microsecond(before: TestDatabase) -> None:
    before.fetch("UPDATE sync_state SET sync_changes_since = '2026-11-20T12:00:00.123456Z', gap_from = '2026-11-19'")
    shown = "SELECT initialized_at, sync_changes_since, gap_from, gap_until FROM sync_state"
    stood = before.fetch(shown)
    migrate(before.parameters)
    assert before.fetch(shown) == stood


def test_migration_that_was_cut_off_goes_on_with_what_is_left(before: TestDatabase) -> None:
    before.fetch(ITEMS, "2037-01-01", 1, 7_000)
    before.fetch(CUT_OFF)
    with pytest.raises(DBAPIError):
        migrate(before.parameters)
    assert before.fetch(AHEAD) == [(2_000,)]
    assert before.fetch("SELECT version_num FROM alembic_version") == [("0005",)]
    before.fetch("ALTER TABLE sierra_item DROP CONSTRAINT cut_off")
    migrate(before.parameters)
    assert before.fetch(AHEAD) == [(0,)]


def test_migration_waits_for_a_batch_while_items_can_be_read_and_passes_over_rows_it_has_locked(
    before: TestDatabase,
) -> None:
    before.fetch(ITEMS, "2037-01-01", 1, 2)
    migrator = Migrator(before)
    with psycopg.connect(**before.parameters) as batch:
        batch.execute("SELECT pg_advisory_xact_lock(1398361667)")
        batch.execute("UPDATE sierra_item SET updated_at = '2026-11-20' WHERE item_record_id = 450971566081")
        migrator.start()
        migrator.wait_until_it_waits_for_the_batch()
        with before.connect() as station:
            station.execute("SET lock_timeout = '1s'")
            assert station.execute(AHEAD).fetchone() == (1,), "the locked one only"
    migrator.join(60)
    assert migrator.failed is None
    assert before.fetch(AHEAD) == [(0,)]


@pytest.mark.parametrize(("mode", "items"), [("SYNC_FULL", 30), ("SYNC_CHANGES", 0)])
def test_full_sync_under_way_has_brought_what_is_here_up_to_its_cursor(
    before: TestDatabase, mode: str, items: int
) -> None:
    before.fetch(ITEMS, "2026-01-01", 1, 50)
    before.fetch("UPDATE sync_state SET sync_mode = %s, last_synced_id = 450971566110", mode)
    migrate(before.parameters)
    assert before.fetch("SELECT full_sync_items, early_ends FROM sync_state") == [(items, 0)]
