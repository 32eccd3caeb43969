"""The verdict on real faults: Sierra, the database and the notifiers are broken in earnest, and healed."""

import asyncio
import contextlib
from typing import Any

import psycopg
import pytest

from cli.verdicts import in_english
from db import clients, queue_people
from db.snapshot import count_not_shown
from notifier import listener
from tests.fix_notifier import Notifier, add_items, mark
from tests.fix_postgres import TestDatabase
from tests.fix_sierra import SierraInThread
from tests.fix_verdict import QUICK, at_work, cause, see_verdict, verdict_now, well

pytestmark = pytest.mark.long


@pytest.fixture(autouse=True)
async def _well(database: TestDatabase) -> None:
    """Bring about that nothing is the matter but what the test breaks."""
    async with await database.aconnect() as connection:
        await clients.add_client(connection, "desk 1", "signum-printer")
        await clients.add_client(connection, "etl", "etl")
    database.fetch("UPDATE sync_state SET sync_mode = 'SYNC_CHANGES', last_sync_run_completed_at = now()")


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        pytest.param({"status": 503}, "down", id="503"),
        pytest.param({"html": True}, "down", id="page"),
        pytest.param({"status": 429, "retry_after": "1"}, "busy", id="429"),
        pytest.param({"delay_seconds": 5}, "silent", id="slow"),
        pytest.param({"manner": "hang"}, "silent", id="hang"),
        pytest.param({"kind": "put_item", "status": 403, "code": 116}, "role", id="may not write"),
        pytest.param({"kind": "token", "status": 200}, "token", id="odd token"),
        pytest.param({"status": 302}, "address", id="sent elsewhere"),
    ],
)
async def test_sierra_unwell_is_named_and_well_again_when_it_is_over(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier, fault: dict[str, Any], code: str
) -> None:
    async with at_work(database, sierra, notifier) as item:
        switch = sierra.fault(**fault)
        sierra.expire_tokens()
        mark(database, item)
        found = await cause(database, code)
        assert (found.stops_all, found.items) == (True, 1)
        assert in_english(found.sentence).startswith("1 item waits since ")
        switch.off()
        await well(database)


async def test_refused_key_is_for_a_person_and_says_whom_to_ask(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    async with at_work(database, sierra, notifier) as item:
        sierra.revoke_key()
        mark(database, item)
        found = await cause(database, "key")
        assert found.level == "problem"
        assert "Ask Sierra's administrator to renew it" in in_english(found.advice)
        sierra.revoke_key(False)
        await well(database)


async def test_sierra_that_refuses_connections_is_silent(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    async with at_work(database, sierra, notifier) as item:
        sierra.stop()
        mark(database, item)
        await cause(database, "silent")
        sierra.start()
        await well(database)


async def test_wrong_address_is_named(database: TestDatabase, sierra: SierraInThread, notifier: Notifier) -> None:
    (item,) = add_items(database, sierra, 1001)
    async with notifier(**{**QUICK, "sierra_api_endpoint": "http://no-such-host.invalid/iii/sierra-api/v6"}):
        mark(database, item)
        await cause(database, "name")


async def test_five_items_that_fail_alike_are_not_called_the_items_fault(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    items = add_items(database, sierra, *range(1001, 1010))
    sierra.fault(kind="put_item", status=400, specific_code=113, description="Json processing error")
    async with notifier(**QUICK):
        mark(database, *items)
        found = await cause(database, "alike")
        assert "hardly at fault" in in_english(found.sentence)


async def test_items_that_can_not_be_pushed_are_told_by_their_number(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    async with at_work(database, sierra, notifier):
        absent = [database.add_item(number) for number in range(2001, 2022)]
        mark(database, *absent[:20])
        found = await cause(database, "rejected")
        assert found.level == "notice"
        mark(database, absent[20])
        await see_verdict(database, "21 rejected", lambda verdict: not verdict.is_well)


async def test_record_in_use_is_tried_again_by_itself(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    async with at_work(database, sierra, notifier) as item:
        sierra.fault(kind="put_item", status=500, specific_code=132)
        mark(database, item)
        found = await cause(database, "postponed")
        assert (found.level, found.items) == ("notice", 1)


async def test_write_that_may_be_done_late_is_waited_for(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    async with at_work(database, sierra, notifier) as item:
        sierra.fault(kind="put_item", write="late", hold=True, times=1)
        mark(database, item)
        found = await cause(database, "unanswered")
        assert found.level == "notice"


async def test_notifier_that_ended_or_was_never_started_is_missed(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    await cause(database, "no_notifier")
    async with at_work(database, sierra, notifier) as item:
        pass
    mark(database, item)
    found = await cause(database, "no_notifier")
    assert found is not None
    assert "No notifier is running" in in_english(found.sentence)
    database.fetch("UPDATE notifier_state SET mode = 'listening', seen_at = now() - interval '40 seconds'")
    assert "No notifier has been heard of for 40 s" in in_english((await verdict_now(database)).headline)


async def test_pause_names_the_person_until_it_is_over(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    async with at_work(database, sierra, notifier) as item, await database.aconnect() as connection:
        await queue_people.pause(connection, "aino", "Sierra is upgraded")
        mark(database, item)
        found = await cause(database, "paused")
        assert (found.items, found.quoted) == (1, "Sierra is upgraded")
        assert "aino paused the pushes until a person resumes them." in in_english(found.sentence)
        await queue_people.resume(connection)
        await well(database)


async def test_notifier_that_does_not_hear_is_said_to_look_often(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "ECHO_DEADLINE_SECONDS", 0.5)
    monkeypatch.setattr(listener, "SQL", {**listener.SQL, "listen": "SELECT 1", "listen_echo": "SELECT 1"})
    async with notifier(**QUICK):
        await cause(database, "polling")


async def test_database_that_only_reads_is_named_before_all_else(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    async with at_work(database, sierra, notifier) as item:
        name = database.parameters["dbname"]
        mark(database, item)
        with database.connect() as dba:
            dba.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
            await cause(database, "read_only")
            dba.execute("SET default_transaction_read_only = off")
            dba.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
        await well(database)


async def test_lock_that_others_wait_for_is_named_with_its_session(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    async with at_work(database, sierra, notifier) as item, await database.aconnect() as dba:
        async with dba.transaction():
            await dba.execute("SELECT FROM update_queue FOR UPDATE")
            await dba.execute("SELECT FROM sierra_item WHERE item_record_id = %s FOR UPDATE", [item])
            async with await database.aconnect() as waits:
                statement = "UPDATE sierra_item SET best_title = 'x' WHERE item_record_id = %s"
                waiting = asyncio.ensure_future(waits.execute(statement, [item]))
                found = await cause(database, "locked")
                assert found.quoted == str(dba.info.backend_pid)
                waits.cancel()
                with contextlib.suppress(psycopg.errors.QueryCanceled):
                    await waiting
        await well(database)


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        ("ALTER TABLE update_queue DISABLE TRIGGER update_queue_notify_insert", "trigger"),
        ("UPDATE sync_state SET last_sync_run_completed_at = now() - interval '3 hours'", "etl_silent"),
        ("UPDATE sync_state SET gap_from = '2026-11-01', gap_until = now()", "gap"),
        ("UPDATE sierra_item SET deletion_held_on = '2026-11-20'", "deletions_held"),
        ("UPDATE client SET revoked_at = now() WHERE client_type = 'etl'", "no_etl"),
    ],
)
async def test_catalogue_and_notifications_are_watched_too(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier, broken: str, code: str
) -> None:
    async with at_work(database, sierra, notifier):
        database.fetch(broken)
        await cause(database, code)


async def test_push_that_sierra_does_not_show_is_counted(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    async with at_work(database, sierra, notifier):
        database.fetch("UPDATE sync_state SET all_changes_until = now() + interval '2 hours'")
        database.fetch("UPDATE sierra_item SET item_call_number = '84.2 Jännitys' WHERE item_number = '1001'")
        async with await database.aconnect() as connection:
            assert await count_not_shown(connection) == 1
