"""A failed push leaves the kind of its failure beside the sentence: in the queue, in its views, and in history."""

import pytest

from db import queue, queue_people
from db.marks import mark_items
from db.queue import LATE_SECONDS, Connection
from db.reasons import ReasonCode
from tests.fix_notifier import Notifier, eventually, mark
from tests.fix_postgres import TestDatabase
from tests.fix_queue import LEASE
from tests.fix_sierra import SierraInThread, make_record
from tests.fix_signum import Signum

KINDS = "SELECT reason_code FROM queue_detail ORDER BY item_record_id"


@pytest.mark.parametrize(("number", "kind"), [("2043111", "absent"), ("?", "no_number")])
async def test_a_rejected_item_has_its_kind_in_the_queue_and_in_history(
    database: TestDatabase, notifier: Notifier, sierra: SierraInThread, number: str, kind: str
) -> None:
    sierra.add(make_record("1", "84.2 Jännitys"))
    item = database.add_item(2043111)
    database.fetch("UPDATE sierra_item SET item_number = %s", number)
    async with notifier(sierra_update_interval_seconds=0.1):
        mark(database, item)
        await eventually(database, "SELECT string_agg(outcome, ',') FROM update_log", "rejected")
    assert database.fetch("SELECT reason_code FROM update_history") == [(kind,)]
    assert database.fetch(KINDS) == [(kind,)]
    assert database.fetch("SELECT state, reason_code, items FROM reason_overview") == [("rejected", kind, 1)]


async def rejected(connection: Connection, database: TestDatabase, **kinds: ReasonCode | None) -> None:
    """Items that were rejected for these reasons."""
    for number, kind in enumerate(kinds.values(), start=1001):
        mark(database, database.add_item(number, item_record_id=number))
        (claim,) = await queue.claim(connection, "n1", 1, LEASE)
        await queue.reject(connection, "n1", claim, f"item {number} failed", reason_code=kind)


async def test_people_act_on_all_of_one_kind_and_of_no_other(database: TestDatabase) -> None:
    async with await database.aconnect() as connection:
        await rejected(connection, database, one="in_use", two="absent", three=None)
        assert await queue_people.retry(connection, "aino", reason_code="in_use") == [1001]
        assert await queue_people.dismiss(connection, "aino", LATE_SECONDS, reason_code="absent") == [1002]
    assert database.fetch("SELECT reason_code FROM update_history WHERE outcome = 'dismissed'") == [("absent",)]
    assert database.fetch(KINDS) == [(None,), (None,)]


def test_the_command_line_takes_the_kind_and_refuses_any_other_word(filled: TestDatabase, signum: Signum) -> None:
    assert [row["reason_code"] for row in signum("queue", "list", "--reason-code", "ghost", "--json").json] == ["ghost"]
    ran = signum("queue", "dismiss", "--reason-code", "ghost", typed="y\n")
    assert (ran.code, "Dismiss 1 item rejected for this reason: ghost?" in ran.out) == (0, True)
    assert signum("queue", "retry", "--reason-code", "absent", "--json").json["done"] == "retried"
    assert signum("queue", "retry", "--reason-code", "absent").err == "no item is rejected for this reason: absent\n"
    assert signum("queue", "retry", "--reason-code", "weather").code == 2


async def test_a_mark_takes_the_kind_away_with_the_sentence(database: TestDatabase) -> None:
    async with await database.aconnect() as connection:
        await rejected(connection, database, one="in_use")
        await mark_items(connection, "desk 1", [1001], 0)
    assert database.fetch("SELECT reason, reason_code FROM queue_detail") == [(None, None)]
