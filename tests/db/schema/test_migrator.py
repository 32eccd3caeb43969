"""Migrations run one at a time; no reader keeps them away, and the session that does is named."""

from collections.abc import Iterator

import psycopg
import pytest

from db.connections import DatabaseUnavailable
from db.locks import find_holders, name_all
from db.schema import migrator
from db.schema.migrate import downgrade, migrate
from db.schema.migrator import sole_migrator
from db.schema.rights import grant_rights
from db.schema.version import known_revisions
from tests.fix_postgres import TestDatabase
from tests.fix_roles import AsRole

OLD_LOCKS = (7_411_001, 1_398_361_682)  # what migrators once took: anybody may take an advisory lock
MODES = ["SHARE UPDATE EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE", "ROW EXCLUSIVE"]


@pytest.fixture
def owner(database: TestDatabase) -> Iterator[psycopg.Connection]:
    """A session of the owner's, not in autocommit."""
    with psycopg.connect(**database.parameters) as connection:
        yield connection


def test_a_reader_can_take_no_lock_that_a_migrator_waits_for(database: TestDatabase, as_role: AsRole) -> None:
    with as_role("signum_reader").connect() as reader:
        for lock in OLD_LOCKS:
            reader.execute("SELECT pg_advisory_lock(%s)", [lock])
        for mode in MODES:
            with pytest.raises(psycopg.errors.InsufficientPrivilege), reader.transaction():
                reader.execute(f"LOCK TABLE alembic_version IN {mode} MODE".encode())
        with reader.transaction():
            reader.execute("LOCK TABLE alembic_version IN ACCESS SHARE MODE")
            migrate(database.parameters)
            assert grant_rights(database.parameters)


def test_who_migrates_already_is_named(database: TestDatabase, owner: psycopg.Connection) -> None:
    with psycopg.connect(**database.parameters, application_name="signum migrate") as first, sole_migrator(first):
        named = (
            rf"another migration is under way: alembic_version.* session {first.info.backend_pid} \(.*signum migrate"
        )
        with pytest.raises(DatabaseUnavailable, match=named), sole_migrator(owner, at_most_seconds=0):
            pass
    with sole_migrator(owner, at_most_seconds=0):
        pass


def test_a_table_that_stays_locked_is_told_with_the_session_that_holds_it(
    database: TestDatabase, as_role: AsRole, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrator, "TABLE_LOCK_TIMEOUT_MS", 200)
    with as_role("signum_reader").connect() as reader, reader.transaction():
        reader.execute("SELECT count(*) FROM update_queue")
        named = rf"gave up waiting for a lock: .*update_queue.* session {reader.info.backend_pid} "
        with pytest.raises(DatabaseUnavailable, match=named):
            downgrade(database.parameters, "0001")
    downgrade(database.parameters, "0001")
    migrate(database.parameters)
    assert database.fetch("SELECT version_num FROM alembic_version") == [(known_revisions()[-1],)]


def test_a_migration_that_waits_for_an_advisory_lock_names_who_has_taken_it(
    empty_database: TestDatabase,
) -> None:
    with psycopg.connect(**empty_database.parameters) as guard, empty_database.connect() as reader:
        reader.execute("SELECT pg_advisory_lock(1398361667)")
        assert [session.pid for session in find_holders(guard)] == [reader.info.backend_pid]
        assert f"held by session {reader.info.backend_pid} (" in name_all(find_holders(guard))


def test_a_time_limit_of_the_database_ends_no_migration(database: TestDatabase) -> None:
    for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
        database.fetch(f"ALTER DATABASE {database.parameters['dbname']} SET {limit} = '5s'")
    with psycopg.connect(**database.parameters) as guard, sole_migrator(guard):
        limits = guard.execute(
            "SELECT name, setting FROM pg_settings WHERE name IN ('statement_timeout',"
            " 'idle_in_transaction_session_timeout')"
        )
        assert {setting for _, setting in limits} == {"0"}


def test_a_migration_that_fails_leaves_those_before_it_done(empty_database: TestDatabase, as_role: AsRole) -> None:
    migrate(empty_database.parameters, "0002")
    empty_database.fetch("CREATE VIEW queue_detail AS SELECT 1 AS in_the_way")
    with pytest.raises(Exception, match="queue_detail"):
        migrate(empty_database.parameters)
    empty_database.fetch("DROP VIEW queue_detail")
    migrate(empty_database.parameters)
    assert empty_database.fetch("SELECT version_num FROM alembic_version") == [(known_revisions()[-1],)]
