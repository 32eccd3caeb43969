"""Acts leave a row that the person can't change, in the transaction of the act itself."""

from typing import Any

import psycopg
import pytest

from db.acts import prune_acts, read_acts, write_act
from tests.fix_notifier import Notifier, eventually
from tests.fix_postgres import TestDatabase
from tests.fix_roles import AsRole

RETRY: tuple[Any, ...] = ("aino", "queue retry", {"item_numbers": ["1001"]}, 1, "retried 1 item")


async def test_an_act_that_is_rolled_back_leaves_no_row(database: TestDatabase) -> None:
    async with await database.aconnect() as connection:
        async with connection.transaction(force_rollback=True):
            await write_act(connection, *RETRY, through="command")
        assert await read_acts(connection) == []


async def test_the_newest_act_comes_first_with_all_that_was_told(database: TestDatabase) -> None:
    async with await database.aconnect() as connection:
        await write_act(connection, *RETRY, through="command", os_user="aino")
        await write_act(connection, "Eino", "queue pause", {}, 1, "paused", through="console", reason="an upgrade")
        newest, oldest = await read_acts(connection)
        assert [newest] == await read_acts(connection, limit=1)
    shown = ("person", "action", "target", "number", "result")
    assert tuple(oldest[name] for name in shown) == RETRY
    assert (newest["through"], newest["os_user"], newest["reason"]) == ("console", None, "an upgrade")
    assert newest["db_role"] == database.parameters["user"]


async def test_an_operator_adds_acts_and_can_neither_forge_nor_change_one(as_role: AsRole) -> None:
    operator = as_role("signum_operator")
    async with await operator.aconnect() as connection:
        await write_act(connection, *RETRY, through="command")
        (act,) = await read_acts(connection)
    assert act["db_role"] == operator.parameters["user"]
    for statement in (
        "UPDATE act SET person = 'Eino'",
        "DELETE FROM act",
        "INSERT INTO act (person, through, action, number, result, db_role) VALUES ('', 'command', '', 0, '', 'x')",
        "INSERT INTO act (person, through, action, number, result, acted_at) VALUES ('', 'command', '', 0, '', now())",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            operator.fetch(statement)


async def test_old_acts_are_pruned_a_little_at_a_time(database: TestDatabase) -> None:
    async with await database.aconnect() as connection:
        for _ in range(4):
            await write_act(connection, *RETRY, through="command")
        await connection.execute("UPDATE act SET acted_at = now() - interval '401 days' WHERE act_id < 4")
        assert [await prune_acts(connection, 400, 2) for _ in range(3)] == [2, 1, 0]
        assert len(await read_acts(connection)) == 1


async def test_a_notifier_prunes_acts_beside_history(
    database: TestDatabase, as_role: AsRole, notifier: Notifier
) -> None:
    async with await database.aconnect() as connection:
        await write_act(connection, *RETRY, through="command")
        await connection.execute("UPDATE act SET acted_at = now() - interval '401 days'")
    async with notifier(**as_role("signum_notifier").settings()):
        await eventually(database, "SELECT count(*) FROM act", 0)
