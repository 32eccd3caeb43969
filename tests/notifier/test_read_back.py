"""Sierra's 204 is no proof: where it had not what the push before wrote, the record is read back."""

from typing import Any

import pytest

from db.queue import NOT_CHECKED
from tests.fix_notifier import EMPTY, NO_SWEEP, OUTCOMES, TO_RECHECK, TOLD, Notifier, add_items, eventually, mark
from tests.fix_postgres import TestDatabase
from tests.fix_sierra import SierraInThread

REMARKS = "SELECT error FROM update_log ORDER BY update_log_id"
OLD, NEW = "84.2 Jännitys", "84.31 Jännitys"


async def test_a_record_that_sierra_does_not_keep_is_postponed_and_in_the_end_rejected(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    """The first 204 is believed; after that the record is read back at once."""
    (item,) = add_items(database, sierra, 1001, call_number=OLD)
    never = sierra.fault(kind="put_item", write="never")
    async with notifier(**NO_SWEEP, sierra_update_max_attempts=2):
        for outcome in ("SELECT count(*) = 1 FROM update_log", "SELECT due_at > now() FROM update_queue"):
            mark(database, item)
            await eventually(database, outcome)
        database.fetch("UPDATE update_queue SET due_at = now()")
        await eventually(database, "SELECT due_at IS NULL FROM update_queue")
        ((reason,),) = database.fetch("SELECT last_error FROM update_queue")
        assert reason == (
            "Sierra does not keep what is written to item 1001: it answers well, and still has '84.2 Jännitys'"
            " (given up after 2 attempts)"
        )
        never.off()
        mark(database, item)
        await eventually(database, EMPTY)
    assert database.fetch(OUTCOMES) == [(["pushed", "rejected", "pushed"],)]
    assert sierra.call_numbers("1001") == [NEW]


async def push_and_edit(database: TestDatabase, sierra: SierraInThread) -> int:
    """Have an item pushed, and changed back by staff. Its next push is unproven."""
    (item,) = add_items(database, sierra, 1001, call_number=OLD)
    mark(database, item)
    await eventually(database, EMPTY)
    var_fields = [
        {**one, "subfields": [{"tag": "a", "content": OLD}]} if one["fieldTag"] == "c" else one
        for one in sierra.record("1001").var_fields
    ]
    sierra.edit("1001", {"varFields": var_fields})
    return item


async def test_a_record_that_staff_changed_since_the_push_is_read_back_and_pushed(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    async with notifier(**NO_SWEEP):
        mark(database, await push_and_edit(database, sierra))
        await eventually(database, EMPTY)
    assert database.fetch(OUTCOMES) == [(["pushed", "pushed"],)]
    assert len(sierra.requests("get_item")) == 1


async def test_a_push_that_a_stop_keeps_from_being_read_back_is_told_as_pushed_and_looked_at_again(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    async with notifier(**NO_SWEEP) as service:
        item = await push_and_edit(database, sierra)
        reading_back = sierra.hold("get_item")
        mark(database, item)
        await reading_back.reached()
        service.wakeup.stop()
        await eventually(database, TO_RECHECK)
    assert database.fetch(TOLD) == [("pushed", OLD, NEW)] * 2
    assert database.fetch(REMARKS) == [(None,), (NOT_CHECKED,)]


async def test_such_a_push_is_told_though_the_row_of_another_item_in_hand_is_locked(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    async with notifier(**NO_SWEEP, sierra_api_client_pool_size=1) as service:
        item = await push_and_edit(database, sierra)
        reading_back = sierra.hold("get_item")
        mark(database, item)
        await reading_back.reached()
        (waiting,) = add_items(database, sierra, 1002)
        mark(database, waiting)
        await eventually(database, "SELECT count(lease_until) FROM update_queue", 2)
        with database.connect() as person, person.transaction():
            person.execute("SELECT FROM update_queue WHERE item_record_id = %s FOR UPDATE", [waiting])
            service.wakeup.stop()
            await eventually(database, "SELECT count(pushed_revision) FROM update_queue", 1)
    assert database.fetch(TOLD) == [("pushed", OLD, NEW)] * 2


@pytest.mark.parametrize("fault", [{"status": 500, "code": 132, "specific_code": 2}, {"status": 404}])
async def test_a_push_whose_record_can_not_be_read_back_is_told_as_pushed_and_looked_at_again(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier, fault: dict[str, Any]
) -> None:
    """The write was done: history has it, and no dismissal can say that nothing was written."""
    async with notifier(**NO_SWEEP):
        item = await push_and_edit(database, sierra)
        sierra.fault(kind="get_item", **fault)
        mark(database, item)
        await eventually(database, TO_RECHECK)
    assert database.fetch(TOLD) == [("pushed", OLD, NEW)] * 2
    assert database.fetch(REMARKS) == [(None,), (NOT_CHECKED,)]
    assert database.fetch("SELECT unanswered_at IS NOT NULL FROM update_queue") == [(True,)]
