"""Each answer that Sierra can give to an item has its outcome."""

from typing import Any

import pytest

from tests.fix_notifier import EMPTY, NO_SWEEP, OUTCOMES, POSTPONED, REJECTED, Notifier, add_items, eventually, mark
from tests.fix_postgres import TestDatabase
from tests.fix_sierra import SierraInThread, make_record


async def test_an_item_that_is_so_already_is_not_written(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    (item,) = add_items(database, sierra, 1001)
    async with notifier(**NO_SWEEP):
        for times in (1, 2):
            mark(database, item)
            await eventually(database, f"SELECT count(*) = {times} FROM update_log")
    assert database.fetch(OUTCOMES) in ([(["pushed", "unchanged"],)], [(["pushed", "pushed"],)])
    sierra_updates = len(sierra.puts("1001"))
    assert sierra_updates == database.fetch("SELECT count(*) FROM update_log WHERE outcome = 'pushed'")[0][0]
    assert sierra.call_numbers("1001") == ["84.31 Jännitys"]


async def test_an_item_marked_while_it_is_written_is_pushed_again_with_the_newest_classification(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    (item,) = add_items(database, sierra, 1001)
    barrier = sierra.hold()
    async with notifier(**NO_SWEEP):
        mark(database, item)
        await barrier.reached()
        database.fetch("UPDATE sierra_item SET classification = '85.1'")
        mark(database, item)
        barrier.release()
        await eventually(database, EMPTY)
    assert sierra.call_numbers("1001") == ["85.1 Jännitys"]
    assert len(sierra.puts("1001")) == 2


@pytest.mark.parametrize(
    ("number", "fault", "reason"),
    [
        (None, None, "no item number"),
        ("12a", None, "'12a'"),
        ("999", None, "Sierra has no item 999"),
        ("1001", {"kind": "put_item", "status": 404}, "refuses to save it"),
        ("1001", {"kind": "put_item", "status": 409}, "refused item 1001"),
    ],
)
async def test_an_item_that_can_never_be_pushed_is_rejected_with_its_reason(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier, number: str | None, fault: Any, reason: str
) -> None:
    good, bad = add_items(database, sierra, 1000, 1001)
    database.fetch("UPDATE sierra_item SET item_number = %s WHERE item_record_id = %s", number, bad)
    if fault:
        sierra.fault(item="1001", **fault)
    async with notifier(**NO_SWEEP):
        mark(database, bad, good)
        await eventually(database, "SELECT count(*) = 1 FROM update_queue WHERE due_at IS NULL")
        await eventually(database, "SELECT count(*) = 1 FROM update_log WHERE outcome = 'pushed'")
    assert reason in database.fetch(REJECTED)[0][0]
    assert database.fetch("SELECT outcome, error FROM update_log WHERE item_record_id = %s", bad) == [
        ("rejected", database.fetch(REJECTED)[0][0])
    ]
    assert sierra.call_numbers("1000") == ["84.31 Jännitys"]


async def test_a_deleted_item_is_rejected(database: TestDatabase, sierra: SierraInThread, notifier: Notifier) -> None:
    item = database.add_item(1001)
    sierra.add(make_record("1001", "84.2", deleted_at="2026-10-01"))
    async with notifier(**NO_SWEEP):
        mark(database, item)
        await eventually(database, REJECTED, "Item 1001 was deleted in Sierra on 2026-10-01")


async def test_a_record_in_use_is_tried_again_later(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    (item,) = add_items(database, sierra, 1001)
    sierra.fault(kind="put_item", status=500, code=132, times=1)
    async with notifier(**NO_SWEEP):
        mark(database, item)
        await eventually(database, POSTPONED, "Somebody is using item 1001 in Sierra")
        assert database.fetch("SELECT attempts FROM update_queue") == [(1,)]
        database.fetch("UPDATE update_queue SET due_at = now()")
        await eventually(database, EMPTY)
    assert sierra.call_numbers("1001") == ["84.31 Jännitys"]


async def test_a_retry_after_for_one_item_wins(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    (item,) = add_items(database, sierra, 1001)
    sierra.fault(kind="put_item", status=500, code=132, retry_after="1500")
    async with notifier(**NO_SWEEP):
        mark(database, item)
        await eventually(database, "SELECT due_at > now() + interval '1400 s' FROM update_queue")


async def test_an_item_is_rejected_after_the_last_attempt(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    (item,) = add_items(database, sierra, 1001)
    sierra.fault(kind="put_item", status=500, code=111)
    async with notifier(**NO_SWEEP, sierra_update_max_attempts=1):
        mark(database, item)
        await eventually(database, "SELECT count(*) = 1 FROM update_queue WHERE due_at IS NULL")
    assert "given up after 1 attempts" in database.fetch(REJECTED)[0][0]


async def test_one_refused_item_is_rejected_when_it_is_refused_again(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    (item,) = add_items(database, sierra, 1001)
    sierra.fault(kind="put_item", status=400, description="field(s) unknown : x")
    async with notifier(**NO_SWEEP):
        mark(database, item)
        await eventually(database, "SELECT attempts = 1 AND due_at > now() FROM update_queue")
        database.fetch("UPDATE update_queue SET due_at = now()")
        await eventually(database, "SELECT count(*) = 1 FROM update_queue WHERE due_at IS NULL")
    assert "field(s) unknown : x" in database.fetch(REJECTED)[0][0]


async def test_a_list_that_fails_says_nothing_about_its_items(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    sierra.fault(kind="get_items", status=500, code=111)
    mark(database, *add_items(database, sierra, *range(1001, 1005)))
    async with notifier(**NO_SWEEP):
        await eventually(database, EMPTY)
    assert len(sierra.puts()) == 4
    assert len(sierra.requests("get_item")) == 4


async def test_a_write_that_timed_out_but_was_done_is_not_done_again(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    (item,) = add_items(database, sierra, 1001)
    sierra.fault(kind="put_item", times=1, after_applying=True, manner="hang")
    async with notifier(**NO_SWEEP, sierra_api_client_timeout_seconds=0.5):
        mark(database, item)
        await eventually(database, "SELECT attempts = 1 AND due_at > now() FROM update_queue")
        database.fetch("UPDATE update_queue SET due_at = now()")
        await eventually(database, EMPTY)
    assert database.fetch(OUTCOMES) == [(["unchanged"],)]
    assert len(sierra.requests("put_item")) == 1


async def test_what_a_push_loses_of_a_call_number_stands_in_history(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    mark(database, *add_items(database, sierra, 1001, call_number="L 84.2 Jännitys"))
    async with notifier(**NO_SWEEP):
        await eventually(database, EMPTY)
    assert sierra.call_numbers("1001") == ["84.31"]
    assert database.fetch("SELECT outcome, call_number_before, reason FROM update_history") == [
        ("pushed", "L 84.2 Jännitys", "'L 84.2 Jännitys' was replaced whole, for it does not begin with a class number")
    ]


async def test_unclear_call_number_is_rejected_where_the_setting_says_so(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    mark(database, *add_items(database, sierra, 1001, call_number="L 84.2 Jännitys"))
    async with notifier(**NO_SWEEP, sierra_update_unclear_call_number="reject"):
        await eventually(database, "SELECT count(*) = 1 FROM update_queue WHERE due_at IS NULL")
    assert "'L 84.2 Jännitys', which does not begin with a class number" in database.fetch(REJECTED)[0][0]
    assert sierra.requests("put_item") == []


async def test_a_dry_run_writes_nothing_and_loses_nothing(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier, caplog: pytest.LogCaptureFixture
) -> None:
    mark(database, *add_items(database, sierra, 1001))
    async with notifier(**NO_SWEEP, sierra_update_dry_run=True):
        await eventually(database, "SELECT due_at > now() AND attempts = 0 FROM update_queue")
    assert sierra.requests("put_item") == []
    ((reason,),) = database.fetch("SELECT last_error FROM update_queue")
    assert reason.startswith("dry run: would write call number '84.31 Jännitys' for '84.2 Jännitys'")
    assert "internal note" not in caplog.text, "a record's other fields are nobody's business"
    assert database.fetch("SELECT count(*) FROM update_log") == [(0,)]
