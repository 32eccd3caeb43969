"""An error of a statement for several outcomes reaches each of them."""

import asyncio

import psycopg

from db import queue
from db.pool import make_pool
from db.queue import Connection
from notifier.outcomes import OutcomeWriter
from notifier.sessions import Sessions
from notifier.unanswered import UnansweredWrites
from tests.fix_postgres import TestDatabase
from tests.fix_queue import LEASE, pushed

NO_HISTORY = """
CREATE FUNCTION no_history() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE SQLSTATE '22000'; END $$;
CREATE TRIGGER no_history BEFORE INSERT ON update_log FOR EACH ROW EXECUTE FUNCTION no_history();
"""


async def test_an_error_of_a_finish_for_several_reaches_each_of_them(
    database: TestDatabase, connection: Connection
) -> None:
    for number in (2043111, 2043112, 2043113):
        database.fetch("INSERT INTO update_queue (item_record_id) VALUES (%s)", database.add_item(number))
    claims = await queue.claim(connection, "n", 3, LEASE)
    database.fetch(NO_HISTORY)
    async with make_pool(database.parameters, 1) as pool:
        outcomes = OutcomeWriter(Sessions(pool), "n", 10, UnansweredWrites())
        told = await asyncio.gather(*(outcomes.finish(pushed(claim)) for claim in claims), return_exceptions=True)
    assert [type(error) for error in told] == [psycopg.errors.DataException] * 3
