"""A claimed item is its notifier's until its lease ends."""

import asyncio

import psycopg
import pytest

from db import queue
from db.queue import Connection
from db.requests import Database
from tests.fix_postgres import TestDatabase
from tests.fix_queue import LEASE, mark_item, pushed, row


async def test_a_claim_brings_the_item_as_it_is_now(
    database: TestDatabase, api_database: Database, connection: Connection
) -> None:
    item = database.add_item(1, classification="84.2")
    await mark_item(api_database, item, request_id="r-1")
    database.fetch("UPDATE sierra_item SET classification = '84.31'")
    (claim,) = await queue.claim(connection, "n1", 10, LEASE)
    assert (claim.item_number, claim.classification, claim.revision, claim.attempts) == ("1", "84.31", 1, 1)
    assert claim.request_id == "r-1"
    assert abs((claim.claimed_at - claim.queued_at).total_seconds()) < 5


@pytest.mark.parametrize("usual", ["off", "on"])
async def test_a_claim_is_on_this_servers_disk_when_it_is_told_and_waits_for_no_standby(
    database: TestDatabase, connection: Connection, usual: str
) -> None:
    """Or a crash of PostgreSQL might lend the item to another, while the first one writes it."""
    await connection.execute(f"SET synchronous_commit = {usual}".encode())
    database.add_item(1)
    database.fetch("INSERT INTO update_queue (item_record_id) SELECT item_record_id FROM sierra_item")
    async with connection.transaction():
        assert len(await queue.claim(connection, "n1", 10, LEASE)) == 1
        assert await (await connection.execute("SHOW synchronous_commit")).fetchone() == ("local",)
    assert await (await connection.execute("SHOW synchronous_commit")).fetchone() == (usual,)


async def test_claims_never_exceed_the_limit_and_never_overlap(database: TestDatabase, connection: Connection) -> None:
    items = {database.add_item(number) for number in range(1, 31)}
    database.fetch(
        "INSERT INTO update_queue (item_record_id, priority) "
        "SELECT item_record_id, mod(item_record_id, 3) FROM sierra_item"
    )
    async with await database.aconnect() as other:
        sessions = [(connection, "n1"), (other, "n2")] * 3
        claims = await asyncio.gather(*(queue.claim(session, name, 7, LEASE) for session, name in sessions))
    assert all(len(claim) <= 7 for claim in claims)
    taken = [claim.item_record_id for several in claims for claim in several]
    assert len(taken) == len(set(taken)) == 30
    assert set(taken) == items


async def test_a_claimed_item_is_claimed_again_only_after_its_lease(
    database: TestDatabase, api_database: Database, connection: Connection
) -> None:
    item = database.add_item(1)
    await mark_item(api_database, item)
    assert len(await queue.claim(connection, "n1", 10, LEASE)) == 1
    assert await queue.claim(connection, "n2", 10, LEASE) == []
    database.fetch("UPDATE update_queue SET lease_until = now() - interval '1 second'")
    (claim,) = await queue.claim(connection, "n2", 10, LEASE)
    assert claim.attempts == 2
    assert row(database, item)["claimed_by"] == "n2"


async def test_finishing_what_another_has_claimed_changes_nothing(
    database: TestDatabase, api_database: Database, connection: Connection
) -> None:
    item = database.add_item(1)
    await mark_item(api_database, item)
    (stale,) = await queue.claim(connection, "n1", 10, LEASE)
    database.fetch("UPDATE update_queue SET lease_until = now() - interval '1 second'")
    await queue.claim(connection, "n2", 10, LEASE)
    before = row(database, item)
    assert await queue.finish(connection, "n1", [pushed(stale)]) == {}
    assert await queue.postpone(connection, "n1", stale, 60, "busy") is None
    assert await queue.reject(connection, "n1", stale, "gone") is None
    await queue.release(connection, "n1", [stale])
    assert row(database, item) == before
    assert database.fetch("SELECT count(*) FROM update_log") == [(0,)]


async def test_an_older_claim_of_the_same_notifier_changes_nothing(
    database: TestDatabase, api_database: Database, connection: Connection
) -> None:
    item = database.add_item(1)
    await mark_item(api_database, item)
    (stale,) = await queue.claim(connection, "n1", 10, LEASE)
    database.fetch("UPDATE update_queue SET lease_until = now() - interval '1 second'")
    (fresh,) = await queue.claim(connection, "n1", 10, LEASE)
    before = row(database, item)
    assert await queue.finish(connection, "n1", [pushed(stale)]) == {}
    assert await queue.postpone(connection, "n1", stale, 60, "busy") is None
    assert await queue.reject(connection, "n1", stale, "gone") is None
    await queue.release(connection, "n1", [stale])
    assert row(database, item) == before
    assert await queue.finish(connection, "n1", [pushed(fresh)]) == {item: "finished"}


async def test_a_claim_under_way_locks_only_what_it_claims(database: TestDatabase, connection: Connection) -> None:
    for number in range(1, 13):
        database.add_item(number)
    database.fetch(
        "INSERT INTO update_queue (item_record_id, priority) "
        "SELECT item_record_id, mod(item_record_id, 3) FROM sierra_item"
    )
    async with await psycopg.AsyncConnection.connect(**database.parameters) as under_way:
        taken = await queue.claim(under_way, "n1", 4, LEASE)
        others = await queue.claim(connection, "n2", 20, LEASE)
    assert (len(taken), len(others)) == (4, 8)


async def test_nothing_is_claimed_while_the_queue_is_paused(
    database: TestDatabase, api_database: Database, connection: Connection
) -> None:
    await mark_item(api_database, database.add_item(1))
    database.fetch("UPDATE queue_control SET paused_at = now(), paused_by = 'dba'")
    assert await queue.claim(connection, "n1", 10, LEASE) == []
    database.fetch("UPDATE queue_control SET resume_at = now() + interval '1 minute'")
    assert await queue.claim(connection, "n1", 10, LEASE) == []
    assert 50 < (await queue.next_wake(connection) or 0) <= 60
    database.fetch("UPDATE queue_control SET resume_at = now() - interval '1 second'")
    assert len(await queue.claim(connection, "n1", 10, LEASE)) == 1


async def test_the_next_wake_is_the_end_of_a_lease_too(
    database: TestDatabase, api_database: Database, connection: Connection
) -> None:
    assert await queue.next_wake(connection) is None
    await mark_item(api_database, database.add_item(1))
    await queue.claim(connection, "n1", 10, 30)
    assert 25 < (await queue.next_wake(connection) or 0) <= 30


async def test_what_could_not_be_claimed_though_it_is_due_is_looked_for_in_a_second(
    database: TestDatabase, api_database: Database, connection: Connection
) -> None:
    """A lease that lapsed since the claim, or a row that was locked just then, must not wait for the sweep."""
    await mark_item(api_database, database.add_item(1))
    assert 0 < (await queue.next_wake(connection) or 0) <= 1
    await queue.claim(connection, "n1", 10, 30)
    database.fetch("UPDATE update_queue SET lease_until = now()")
    assert 0 < (await queue.next_wake(connection) or 0) <= 1
