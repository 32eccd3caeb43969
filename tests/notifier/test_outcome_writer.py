"""Outcomes are finished several at once, and an error of the statement reaches each of them."""

import asyncio
from collections.abc import Sequence
from typing import Any

import psycopg
import pytest

from db import queue
from db.pool import make_pool
from db.queue import Claim, Connection, Finish, Pushed
from notifier.outcomes import OutcomeWriter
from notifier.sessions import Sessions
from notifier.unanswered import UnansweredWrites
from tests.fix_postgres import TestDatabase
from tests.fix_queue import LEASE, pushed

NO_HISTORY = """
CREATE FUNCTION no_history() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE SQLSTATE '22000'; END $$;
CREATE TRIGGER no_history BEFORE INSERT ON update_log FOR EACH ROW EXECUTE FUNCTION no_history();
"""


@pytest.fixture
async def claims(database: TestDatabase, connection: Connection) -> list[Claim]:
    for number in (2043111, 2043112, 2043113):
        database.fetch("INSERT INTO update_queue (item_record_id) VALUES (%s)", database.add_item(number))
    return await queue.claim(connection, "n", 3, LEASE)


async def test_outcomes_that_come_while_the_first_one_waits_for_more_are_finished_with_it(
    database: TestDatabase, claims: list[Claim], monkeypatch: pytest.MonkeyPatch
) -> None:
    finish, together = queue.finish, list[int]()

    async def counted(connection: Connection, notifier: str, pushes: Sequence[Pushed], *more: Any) -> dict[int, Finish]:
        together.append(len(pushes))
        return await finish(connection, notifier, pushes, *more)

    monkeypatch.setattr(queue, "finish", counted)
    async with make_pool(database.parameters, 1) as pool:
        outcomes = OutcomeWriter(Sessions(pool), "n", 10, UnansweredWrites())
        assert await asyncio.gather(*(outcomes.finish(pushed(claim)) for claim in claims)) == ["finished"] * 3
    assert together == [3]


async def test_an_error_of_a_finish_for_several_reaches_each_of_them(
    database: TestDatabase, claims: list[Claim]
) -> None:
    database.fetch(NO_HISTORY)
    async with make_pool(database.parameters, 1) as pool:
        outcomes = OutcomeWriter(Sessions(pool), "n", 10, UnansweredWrites())
        told = await asyncio.gather(*(outcomes.finish(pushed(claim)) for claim in claims), return_exceptions=True)
    assert [type(error) for error in told] == [psycopg.errors.DataException] * 3
