"""The console's transactions may do no more than they need, and none lasts longer than its kind may."""

import psycopg
import pytest

from db import console
from db.connections import DatabaseUnavailable
from db.console import ConsoleDatabase
from runtime.console_settings import ConsoleSettings
from tests.fix_postgres import TestDatabase
from tests.fix_roles import AsRole

WHOSE = "SELECT current_user, current_setting('transaction_read_only'), current_setting('statement_timeout')"


def least(as_role: AsRole) -> ConsoleDatabase:
    return ConsoleDatabase(ConsoleSettings(**as_role("signum_console").settings()))


async def test_each_kind_of_transaction_has_a_role_of_its_own_until_it_ends(as_role: AsRole) -> None:
    async with least(as_role) as database:
        for begin, role, read_only, limit in (
            (database.reading, "signum_reader", "on", "5s"),
            (database.acting, "signum_operator", "off", "1min"),
        ):
            async with begin() as connection:
                row = await (await connection.execute(WHOSE)).fetchone()
            assert row == (role, read_only, limit)
        async with database.administering() as connection:
            row = await (await connection.execute(WHOSE)).fetchone()
        assert row is not None
        assert "signum_console" in row[0]


async def test_page_can_not_write_whatever_role_there_is(database: TestDatabase, as_role: AsRole) -> None:
    for way in (least(as_role), ConsoleDatabase(ConsoleSettings(**database.settings()))):
        async with way as pages:
            with pytest.raises(DatabaseUnavailable, match=r"permission denied|read-only transaction"):
                async with pages.reading() as connection:
                    await connection.execute("UPDATE queue_control SET paused_at = now()")


async def test_act_can_not_reach_persons_or_keys(as_role: AsRole) -> None:
    async with least(as_role) as database:
        for beyond in ("UPDATE person SET role = 'admin'", "SELECT key_sha256 FROM person", "TABLE console_session"):
            with pytest.raises(DatabaseUnavailable, match="permission denied"):
                async with database.acting() as connection:
                    await connection.execute(beyond)


async def test_statement_beyond_its_time_is_ended_at_the_server(
    database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "READING_SECONDS", 1)
    async with ConsoleDatabase(ConsoleSettings(**database.settings())) as pages:
        with pytest.raises(DatabaseUnavailable, match="did not answer within 1 s"):
            async with pages.reading() as connection:
                await connection.execute("SELECT pg_sleep(60)")


async def test_long_acts_leave_connections_to_pages(database: TestDatabase) -> None:
    async with (
        ConsoleDatabase(ConsoleSettings(**database.settings())) as pages,
        pages.acting(),
        pages.acting(),
        pages.reading() as connection,
    ):
        assert await (await connection.execute("SELECT 1")).fetchone() == (1,)


async def test_act_that_fails_leaves_nothing(database: TestDatabase) -> None:
    async with ConsoleDatabase(ConsoleSettings(**database.settings())) as pages:
        with pytest.raises(psycopg.errors.DivisionByZero):
            await _act_and_fail(pages)
    assert database.fetch("SELECT paused_at FROM queue_control") == [(None,)]


async def _act_and_fail(pages: ConsoleDatabase) -> None:
    async with pages.acting() as connection:
        await connection.execute("UPDATE queue_control SET paused_at = now()")
        await connection.execute("SELECT 1 / 0")
