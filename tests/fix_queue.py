"""Fixtures `api_database` and `connection`: the two sides of the queue, and what a test says to each."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Text, bindparam, select

from db import queue
from db.compiled import compile_statement
from db.marks import mark
from db.models import SierraItem
from db.queue import Claim, Connection, Pushed
from db.requests import Database
from tests.fix_postgres import TestDatabase

LEASE, KEEP = 70.0, 20.0
MARKER = select(bindparam("person", type_=Text).label("name")).cte("person")
ITEM = SierraItem.__table__.c.item_record_id == bindparam("item")  # type: ignore[attr-defined]
MARK = compile_statement(mark(MARKER, ITEM, 0))


@pytest.fixture
async def connection(database: TestDatabase) -> AsyncIterator[Connection]:
    """A session of a notifier's."""
    async with await database.aconnect() as connected:
        yield connected


@pytest.fixture
async def api_database(database: TestDatabase) -> AsyncIterator[Database]:
    """The api's way in."""
    async with Database(database.parameters, 2) as connected:
        yield connected


async def mark_item(api_database: Database, item: int, person: str = "printer 1", request_id: str | None = None) -> Any:
    """Mark as the api does; the items marked, None where there is no such item."""
    rows = await api_database.fetch(MARK, {"person": person, "item": item, "request_id": request_id, "trace": None})
    return rows[0][1]


def pushed(claim: Claim, **changes: Any) -> Pushed:
    """The outcome that a notifier stores of a claim that it has pushed."""
    return replace(Pushed(claim, "pushed", "84.2 Jännitys", "84.31 Jännitys", None, 12), **changes)


def row(database: TestDatabase, item: int) -> dict[str, Any]:
    """The item's queue row, with what is relative to now as words."""
    with database.connect() as connected:
        cursor = connected.execute(
            "SELECT revision, attempts, priority, due_at IS NULL AS rejected, due_at <= now() AS due, claimed_by, "
            "lease_until > now() AS leased, last_error, queued_by, request_id FROM update_queue "
            "WHERE item_record_id = %s",
            (item,),
        )
        names = [column.name for column in cursor.description or ()]
        found = cursor.fetchone()
        return dict(zip(names, found, strict=True)) if found else {}


async def waits_for_a_lock(database: TestDatabase, pid: int) -> None:
    """Return when that session waits for a lock."""
    async with asyncio.timeout(10), await database.aconnect() as looking:
        while True:
            cursor = await looking.execute(
                "SELECT FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'", (pid,)
            )
            if await cursor.fetchone() is not None:
                return


@pytest.fixture
async def claimed(database: TestDatabase, api_database: Database, connection: Connection) -> Claim:
    """An item that n1 pushes."""
    await mark_item(api_database, database.add_item(1))
    return await claim_one(connection)


async def claim_one(connection: Connection, notifier: str = "n1") -> Claim:
    """The one item that is due."""
    (claim,) = await queue.claim(connection, notifier, 10, LEASE)
    return claim


def pass_time(database: TestDatabase, seconds: float) -> None:
    """The times of all rows are so long ago."""
    moved = ", ".join(
        f"{column} = {column} - past" for column in ("due_at", "lease_until", "unanswered_at", "queued_at")
    )
    database.fetch(f"UPDATE update_queue SET {moved} FROM (SELECT %s * interval '1 second' AS past) AS step", seconds)


async def end_unanswered(connection: Connection, claim: Claim, outcome: str) -> None:
    """End it so, its write without an answer."""
    if outcome == "postpone":
        await queue.postpone(connection, "n1", claim, 0, "Sierra did not answer", KEEP)
    elif outcome == "release":
        await queue.release(connection, "n1", [claim], keep_seconds={claim.item_record_id: KEEP})
    else:
        await queue.reject(connection, "n1", claim, "Sierra did not answer", keep_seconds=KEEP)
