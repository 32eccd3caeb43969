"""A push is undone, all the way; and what staff, marks, kills and pruning do to that."""

from collections import Counter
from typing import Any

import pytest

from db import history
from tests.fix_notifier import EMPTY, NO_SWEEP, REJECTED, Notifier, add_items, eventually, mark
from tests.fix_postgres import TestDatabase
from tests.fix_processes import Start
from tests.fix_sierra import SierraInThread

OLD, NEW = " 84.2  Jännitys", "84.31 Jännitys"
LAST = "SELECT max(update_log_id) FROM update_log"
OUTCOMES = "SELECT outcome, call_number_before, call_number_after, revert_of FROM update_log ORDER BY update_log_id"
COUNTERS = {"69", "74", "84", "85", "98"}  # INVDA, IUSE3: they stay; UPDATED, REVISIONS, PDATE: every PUT moves them


def without_counters(sierra: SierraInThread) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The parts of the record that are to be as before."""
    record = sierra.record("1001")
    fixed_fields = {number: field for number, field in record.fixed_fields.items() if number not in COUNTERS}
    return fixed_fields, record.var_fields


async def undo_the_last(database: TestDatabase) -> int:
    """Have the last push undone, as `signum revert` does; its row of history."""
    ((last,),) = database.fetch(LAST)
    async with await database.aconnect() as connection:
        (asked,) = await history.queue_reverts(connection, "liisa", [last])
    assert asked.queued
    return asked.update_log_id


async def test_an_undone_push_leaves_the_record_as_it_was_but_for_its_counters(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    (item,) = add_items(database, sierra, 1001, call_number=OLD)
    before = without_counters(sierra)
    async with notifier(**NO_SWEEP):
        mark(database, item)
        await eventually(database, LAST, 1)
        pushed = without_counters(sierra)
        await undo_the_last(database)
        await eventually(database, LAST, 2)
        assert without_counters(sierra) == before
        await undo_the_last(database)
        await eventually(database, LAST, 3)
    assert without_counters(sierra) == pushed != before, "a revert is a push, and can be undone"
    assert database.fetch(OUTCOMES) == [
        ("pushed", OLD, NEW, None), ("pushed", NEW, OLD, 1), ("pushed", OLD, NEW, 2),
    ]  # fmt: skip
    assert len(sierra.puts("1001")) == 3


async def test_push_is_not_undone_if_staff_changed_the_item_since(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    (item,) = add_items(database, sierra, 1001, call_number=OLD)
    async with notifier(**NO_SWEEP):
        mark(database, item)
        await eventually(database, LAST, 1)
        (number,) = [field for field in sierra.record("1001").var_fields if field["fieldTag"] == "c"]
        others = [field for field in sierra.record("1001").var_fields if field["fieldTag"] != "c"]
        changed = {**number, "subfields": [{"tag": "a", "content": "85.1 Runot"}]}
        sierra.edit("1001", {"varFields": [*others, changed]})
        found = sierra.record("1001")
        await undo_the_last(database)
        reason = f"Item 1001 has '85.1 Runot' in Sierra, not {NEW!r} as push 1 left it: nothing was changed"
        await eventually(database, REJECTED, reason)
    assert sierra.record("1001") == found
    assert database.fetch(OUTCOMES)[1:] == [("rejected", "85.1 Runot", "85.1 Runot", 1)]


async def test_push_that_history_no_longer_has_is_not_undone(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    (item,) = add_items(database, sierra, 1001, call_number=NEW)
    database.fetch("INSERT INTO update_queue (item_record_id, revert_of) VALUES (%s, 4711)", item)
    async with notifier(**NO_SWEEP):
        reason = "History has no push 4711 of item 1001: what it was before is not known, and nothing was changed"
        await eventually(database, REJECTED, reason)
    assert sierra.requests("put_item") == []


async def test_an_item_marked_while_its_push_is_undone_ends_with_the_newest_classification(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    (item,) = add_items(database, sierra, 1001, call_number=OLD)
    async with notifier(**NO_SWEEP):
        mark(database, item)
        await eventually(database, LAST, 1)
        barrier = sierra.hold()
        await undo_the_last(database)
        await barrier.reached()
        database.fetch("UPDATE sierra_item SET classification = '85.1'")
        mark(database, item)
        barrier.release()
        await eventually(database, EMPTY)
    assert sierra.call_numbers("1001") == ["85.1 Jännitys"]
    assert [row[1:] for row in database.fetch(OUTCOMES)][1:] == [(NEW, OLD, 1), (OLD, "85.1 Jännitys", None)]


async def test_a_revert_whose_notifier_was_killed_after_its_write_is_found_done(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier, start: Start
) -> None:
    (item,) = add_items(database, sierra, 1001, call_number=OLD)
    async with notifier(**NO_SWEEP):
        mark(database, item)
        await eventually(database, LAST, 1)
    written = sierra.hold("put_item", after_applying=True)
    await undo_the_last(database)
    killed = start("notifier", **NO_SWEEP)
    await written.reached()
    killed.kill()
    written.off()
    database.fetch("UPDATE update_queue SET lease_until = now()")
    async with notifier(**NO_SWEEP):
        await eventually(database, EMPTY)
    assert database.fetch(OUTCOMES)[1:] == [("unchanged", OLD, OLD, 1)]
    assert sierra.call_numbers("1001") == [OLD]
    assert len(sierra.requests("put_item")) == 2


@pytest.mark.long
async def test_a_revert_whose_history_can_not_be_read_is_put_off_and_keeps_no_mark_waiting(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    first, second = add_items(database, sierra, 1001, 1002, call_number=OLD)
    async with notifier(**NO_SWEEP):
        mark(database, first)
        await eventually(database, LAST, 1)
        written = sierra.hold("put_item", item="1002")
        database.fetch("UPDATE queue_control SET paused_at = now()")
        await undo_the_last(database)
        mark(database, second)
        with database.connect() as dba, dba.transaction():
            dba.execute("LOCK TABLE update_log")
            database.fetch("UPDATE queue_control SET paused_at = NULL")
            await eventually(database, "SELECT count(*) FROM update_queue WHERE due_at > now()", 1)
            await written.reached()
            written.release()
        database.fetch("UPDATE update_queue SET due_at = now() WHERE due_at > now()")
        await eventually(database, EMPTY)
    # Which of the two ends first is not known: the mark's outcome, too, waits for the lock and is tried again.
    assert Counter(database.fetch(OUTCOMES)) == {("pushed", OLD, NEW, None): 2, ("pushed", NEW, OLD, 1): 1}
