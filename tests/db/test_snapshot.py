"""The snapshot: the whole state in one statement, which counts no further than it says."""

from datetime import UTC, datetime, timedelta

from db.queue import Connection
from db.snapshot import MOST, SQL, Client, count_not_shown, read_snapshot
from tests.fix_postgres import TestDatabase
from tests.fix_roles import AsRole

HOUR_AGO = datetime.now(UTC) - timedelta(hours=1)


async def test_snapshot_has_all_that_the_verdict_asks_for(filled: TestDatabase, connection: Connection) -> None:
    found = await read_snapshot(connection, HOUR_AGO)
    assert {state: found.count(state) for state in ("waiting", "in flight", "postponed", "rejected")} == {
        "waiting": 0, "in flight": 1, "postponed": 1, "rejected": 3,
    }  # fmt: skip
    assert (found.labels_today, found.more_labels_today, found.deletions_held, found.rejected_rows) == (1, False, 1, 1)
    assert (found.pushes[0].item_number, found.pushes[0].call_number_after) == ("2043111", "84.31 Jännitys")
    assert [(one.mode, one.breaker) for one in found.notifiers] == [("listening", "closed")]
    assert found.clients == [Client("desk 1", "signum-printer", None)]
    assert (found.only_reads, found.silent_triggers, found.lock_waiters) == (False, [], 0)
    assert await count_not_shown(connection) == 1


async def test_each_state_of_the_queue_is_counted_as_the_overview_counts_it(
    filled: TestDatabase, connection: Connection
) -> None:
    found = await read_snapshot(connection, HOUR_AGO)
    told = {"unanswered": 0} | dict(filled.fetch("SELECT state, items FROM queue_overview"))
    assert {state: found.count(state) for state in told} == told


async def test_rejected_items_are_counted_by_reason(filled: TestDatabase, connection: Connection) -> None:
    filled.fetch("UPDATE update_queue SET reason_code = 'in_use' WHERE due_at > now()")
    found = await read_snapshot(connection, HOUR_AGO)
    told = {group.reason_code: group.items for group in found.rejected}
    assert told == dict(
        filled.fetch("SELECT reason_code, count(*) FROM queue_detail WHERE state = 'rejected' GROUP BY reason_code")
    )
    assert {group.reason_code for group in found.queue if group.state == "postponed"} == {"in_use"}


async def test_reader_and_operator_may_read_it(database: TestDatabase, as_role: AsRole) -> None:
    for role in ("signum_reader", "signum_operator"):
        async with await as_role(role).aconnect() as connection:
            await read_snapshot(connection, HOUR_AGO)


def test_limits_of_the_statement_are_those_of_the_module() -> None:
    assert SQL["snapshot"].count(f"LIMIT {MOST + 1}") == 7


async def test_triggers_that_are_off_and_a_lock_that_others_wait_for_are_seen(
    database: TestDatabase, connection: Connection
) -> None:
    database.fetch("ALTER TABLE update_queue DISABLE TRIGGER update_queue_notify_insert")
    assert (await read_snapshot(connection, HOUR_AGO)).silent_triggers == ["update_queue_notify_insert"]
