"""Outcomes are finished several at once, and an error of the statement reaches each of them."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

import psycopg
import pytest

from db import queue
from db.pool import make_pool
from db.queue import Claim, Connection, Finish, Pushed
from notifier import sessions as sessions_module
from notifier.outcomes import OutcomeWriter
from notifier.sessions import Sessions
from notifier.unanswered import UnansweredWrites
from tests.fix_postgres import TestDatabase
from tests.fix_queue import LEASE, pushed

NO_HISTORY = """
CREATE FUNCTION no_history() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE SQLSTATE '22000'; END $$;
CREATE TRIGGER no_history BEFORE INSERT ON update_log FOR EACH ROW EXECUTE FUNCTION no_history();
"""

A_LOCK = "DO $$ BEGIN PERFORM pg_sleep(0.02); RAISE SQLSTATE '55P03'; END $$"


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


async def test_works_that_met_a_lock_have_one_session_between_them_when_they_are_repeated(
    database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions_module, "reconnect_pause", lambda *_: 0.0)
    at_once, tries = list[int](), dict[int, int]()

    async def meet_a_lock(connection: Connection, work: int) -> None:
        tries[work] = tries.get(work, 0) + 1
        at_once.append(work)
        try:
            if tries[work] == 1:
                await all_met_it.wait()
            assert tries[work] == 1 or at_once == [work]
            if tries[work] < 3:
                await connection.execute(A_LOCK)
        finally:
            at_once.remove(work)
            if tries[work] == 1:
                await all_met_it.wait()

    all_met_it = asyncio.Barrier(4)
    async with make_pool(database.parameters, 4) as pool:
        sessions = Sessions(pool)
        await asyncio.gather(*(sessions.until_done(partial(meet_a_lock, work=work)) for work in range(4)))
    assert tries == dict.fromkeys(range(4), 3)
