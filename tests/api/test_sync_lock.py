"""One batch at a time, and no session that may take in none keeps the ETL out."""

from collections.abc import Iterator

import psycopg
import pytest

from db import sync
from tests.fix_api import ApiClient
from tests.fix_batch import Send, row
from tests.fix_postgres import TestDatabase
from tests.fix_roles import AsRole

BATCH = [row(1)]


@pytest.fixture(params=["signum_reader", "signum_operator", "signum_notifier"])
def lock_of_the_sync(as_role: AsRole, request: pytest.FixtureRequest) -> Iterator[None]:
    """Held by a session of a role that takes in no batches."""
    with as_role(request.param).connect() as session:
        session.execute("SELECT pg_advisory_lock(1398361667)")
        yield


@pytest.fixture
def batch(database: TestDatabase, as_role: AsRole) -> Iterator[psycopg.Connection]:
    """Another process's batch under way."""
    with psycopg.connect(**as_role("signum_api").parameters) as connection:
        assert sync.take_lock(connection)
        yield connection
        connection.rollback()


@pytest.mark.usefixtures("lock_of_the_sync")
def test_a_session_without_rights_keeps_no_batch_out(etl: ApiClient, send: Send) -> None:
    assert etl.get("/sync").json()["sync_status"] == "idle"
    assert send(BATCH).status_code == 200


@pytest.mark.usefixtures("batch")
def test_a_batch_is_seen_and_keeps_another_out(etl: ApiClient, send: Send) -> None:
    assert etl.get("/sync").json()["sync_status"] == "processing_sync_batch"
    assert send(BATCH).status_code == 409


@pytest.mark.usefixtures("lock_of_the_sync", "batch")
def test_so_does_one_that_began_beside_such_a_session(etl: ApiClient, send: Send) -> None:
    assert etl.get("/sync").json()["sync_status"] == "processing_sync_batch"
    assert send(BATCH).status_code == 409


@pytest.mark.parametrize("role", ["signum_reader", "signum_operator", "signum_notifier"])
def test_only_who_takes_in_batches_can_take_the_lock_that_counts(as_role: AsRole, role: str) -> None:
    with psycopg.connect(**as_role(role).parameters) as session, pytest.raises(psycopg.errors.InsufficientPrivilege):
        sync.take_lock(session)
