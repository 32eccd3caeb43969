"""A write that had no answer may be done late, on top of a newer one: Sierra ends up with the newest all the same."""

from dataclasses import replace
from typing import Any

import pytest

from db.history import queue_reverts
from db.queue import Connection
from tests.fix_notifier import (
    EMPTY,
    NO_SWEEP,
    OUTCOMES,
    REJECTED,
    TO_RECHECK,
    TOLD,
    Notifier,
    add_items,
    eventually,
    mark,
)
from tests.fix_postgres import TestDatabase
from tests.fix_sierra import SierraInThread

TIMEOUT_SECONDS = 1.0
QUICK: dict[str, Any] = {**NO_SWEEP, "sierra_api_client_timeout_seconds": TIMEOUT_SECONDS}
LATER = "UPDATE update_queue SET due_at = now(), unanswered_at = unanswered_at - interval '301 s'"
OLD, OLDER, NEWER = "84.2 Jännitys", "84.31 Jännitys", "85.1 Jännitys"


async def push_newer_after_unanswered(database: TestDatabase, sierra: SierraInThread, item: int, **fault: Any) -> Any:
    """Have the item pushed while an older write of it is still on its way. The switch that lets that one be done."""
    late = sierra.fault(kind="put_item", write="late", hold=True, times=1, **fault)
    mark(database, item)
    await late.reached()
    database.fetch("UPDATE sierra_item SET classification = '85.1'")
    mark(database, item)
    await eventually(database, TO_RECHECK)
    assert sierra.call_numbers("1001") == [NEWER]
    return late


@pytest.mark.parametrize(
    "fault",
    [{}, {"status": 504}, {"html": True}, {"manner": "empty"}, {"status": 502}],
    ids=["silence", "a proxy's time-out", "a page", "an empty reply", "a bad gateway"],
)
async def test_an_older_write_that_is_done_last_is_found_and_put_right(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier, fault: Any
) -> None:
    (item,) = add_items(database, sierra, 1001, call_number=OLD)
    async with notifier(**QUICK, sierra_api_client_retries=0):
        late = await push_newer_after_unanswered(database, sierra, item, **fault)
        late.release()
        await sierra.until(lambda journal: all(write.landed_ns for write in journal.find("put_item")))
        assert sierra.call_numbers("1001") == [OLDER], "on top of the newer one"
        database.fetch(LATER)
        await eventually(database, "SELECT count(*) = 0 FROM update_queue")
    assert sierra.call_numbers("1001") == [NEWER]
    assert database.fetch(OUTCOMES) == [(["pushed", "pushed"],)]


async def test_a_revert_that_an_older_write_is_done_on_top_of_is_told_to_a_person(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier, connection: Connection
) -> None:
    """The text of that write is in no row of history: staff may have written it since."""
    (item,) = add_items(database, sierra, 1001, call_number=OLD)
    async with notifier(**QUICK):
        late = await push_newer_after_unanswered(database, sierra, item)
        ((push,),) = database.fetch("SELECT update_log_id FROM update_log")
        assert [revert.queued for revert in await queue_reverts(connection, "aino", [push])] == [True]
        await eventually(database, TO_RECHECK)
        assert sierra.call_numbers("1001") == [OLD]
        late.release()
        await sierra.until(lambda journal: all(write.landed_ns for write in journal.find("put_item")))
        database.fetch(LATER)
        await eventually(database, REJECTED, f"Item 1001 has {OLDER!r} in Sierra, not {NEWER!r} as push {push} left it:"
                         " nothing was changed")  # fmt: skip
    found = database.fetch("SELECT outcome, call_number_after FROM update_log ORDER BY update_log_id")
    assert found == [("pushed", NEWER), ("pushed", OLD), ("rejected", OLDER)]


async def test_a_revert_that_sierra_never_answers_is_rejected_when_its_last_write_can_not_be_done_any_more(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier, connection: Connection
) -> None:
    """It was tried for ever, and never to be dismissed: each write that had no answer put its end off."""
    (item,) = add_items(database, sierra, 1001, call_number=OLD)
    async with notifier(**QUICK, sierra_update_max_attempts=1):
        mark(database, item)
        await eventually(database, EMPTY)
        sierra.fault(kind="put_item", write="never", hold=True)
        ((push,),) = database.fetch("SELECT update_log_id FROM update_log")
        assert [revert.queued for revert in await queue_reverts(connection, "aino", [push])] == [True]
        await eventually(database, "SELECT due_at > now() AND last_error IS NOT NULL FROM update_queue")
        database.fetch(f"{LATER}, lease_until = NULL")
        await eventually(
            database, REJECTED, f"The revert of item 1001 was not done in 1 attempts: Sierra still has {OLDER!r}"
        )
    assert len(sierra.requests("put_item")) == 2
    found = database.fetch("SELECT outcome, call_number_after FROM update_log ORDER BY update_log_id")
    assert found == [("pushed", OLDER), ("rejected", OLDER)]


async def test_no_write_of_an_item_is_sent_within_two_timeouts_of_one_that_had_no_answer(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    (item,) = add_items(database, sierra, 1001, call_number=OLD)
    async with notifier(**QUICK):
        await push_newer_after_unanswered(database, sierra, item)
    first, second = sierra.requests("put_item")
    # From when it was sent, not from its arrival; without that rule it would be one time-out.
    assert second.arrived_ns - first.arrived_ns > 1.5 * TIMEOUT_SECONDS * 1e9


async def test_a_write_that_was_sent_twice_is_looked_at_again_though_one_was_answered(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    (item,) = add_items(database, sierra, 1001, call_number=OLD)
    sierra.fault(kind="put_item", write="late", hold=True, times=1, manner="empty")
    async with notifier(**NO_SWEEP):
        mark(database, item)
        await eventually(database, TO_RECHECK)
    assert database.fetch(OUTCOMES) == [(["pushed"],)]


@pytest.mark.parametrize("found", ["as it was pushed", "deleted", "gone", "without subfields"])
async def test_a_look_that_finds_nothing_of_ours_to_put_right_tells_nobody(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier, found: str
) -> None:
    """Whatever staff did to the record since the push."""
    (item,) = add_items(database, sierra, 1001, call_number=OLD)
    async with notifier(**QUICK):
        await push_newer_after_unanswered(database, sierra, item)
        if found == "gone":
            sierra.fault(kind="get_items", status=404)
            sierra.fault(kind="get_item", status=404)
        elif found == "deleted":
            sierra.add(replace(sierra.record("1001"), deleted_at="2026-11-01"))
        elif found == "without subfields":
            staff = {"fieldTag": "c", "marcTag": "099", "ind1": " ", "ind2": " ", "content": "Varasto"}
            sierra.edit("1001", {"varFields": [staff]})
        database.fetch(LATER)
        await eventually(database, "SELECT count(*) = 0 FROM update_queue")
    assert database.fetch(OUTCOMES) == [(["pushed"],)]


async def test_a_late_write_that_may_not_be_renewed_is_told_to_a_person(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    """The look took it for one of staff's, and history went on to say that Sierra has the newer text."""
    (item,) = add_items(database, sierra, 1001, call_number=OLD)
    database.fetch("UPDATE sierra_item SET classification = 'Varasto'")
    async with notifier(**QUICK, sierra_update_unclear_call_number="reject"):
        late = await push_newer_after_unanswered(database, sierra, item)
        late.release()
        await sierra.until(lambda journal: all(write.landed_ns for write in journal.find("put_item")))
        assert sierra.call_numbers("1001") == ["Varasto Jännitys"]
        database.fetch(LATER)
        await eventually(database, "SELECT reason_code FROM update_queue WHERE due_at IS NULL", "unclear_call_number")
    assert database.fetch(TOLD) == [("pushed", OLD, NEWER), ("rejected", "Varasto Jännitys", "Varasto Jännitys")]


async def test_a_look_writes_no_class_that_the_etl_brought_and_no_mark_has_asked_for(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    """The label says the older one."""
    (item,) = add_items(database, sierra, 1001, call_number=OLD)
    async with notifier(**QUICK):
        await push_newer_after_unanswered(database, sierra, item)
        database.fetch("UPDATE sierra_item SET classification = '86.2'")
        database.fetch(LATER)
        await eventually(database, "SELECT count(*) = 0 FROM update_queue")
    assert sierra.call_numbers("1001") == [NEWER]
    assert database.fetch(OUTCOMES) == [(["pushed"],)]
