"""A record, an answer or a database as none should be: the other items go on, and this one gets its outcome."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from db import notifiers
from db.queue import storable
from notifier import push
from tests.fix_notifier import (
    EMPTY,
    NO_SWEEP,
    PATIENCE_SECONDS,
    POSTPONED,
    REJECTED,
    Notifier,
    add_items,
    eventually,
    mark,
)
from tests.fix_postgres import TestDatabase
from tests.fix_sierra import SierraInThread, make_record


@pytest.mark.parametrize(
    ("text", "stored"),
    [(None, None), ("84.2 Jännitys", "84.2 Jännitys"), ("a\0b", "a\ufffdb"), ("a\ud83d", "a\ufffd"), ("😀", "😀")],
)
def test_what_can_not_be_stored_is_shown_as_such(text: str | None, stored: str | None) -> None:
    assert storable(text) == stored


async def test_a_call_number_that_can_not_be_stored_is_pushed_all_the_same(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    odd = add_items(database, sierra, 1001, call_number="84.2\0 Jännitys")
    async with notifier(**NO_SWEEP):
        mark(database, *odd, *add_items(database, sierra, 1002))
        await eventually(database, EMPTY)
    assert database.fetch("SELECT call_number_before FROM update_log WHERE barcode = '33010000001001'") == [
        ("84.2\ufffd Jännitys",)
    ]


async def test_a_reason_that_can_not_be_stored_is_shown_all_the_same(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    items = add_items(database, sierra, 1001, 1002)
    sierra.fault(kind="put_item", item="1001", status=409, description="x\0y")
    async with notifier(**NO_SWEEP):
        mark(database, *items)
        await eventually(database, "SELECT last_error LIKE '%x\ufffdy%' FROM update_queue WHERE due_at IS NULL")
        await eventually(database, "SELECT count(*) = 1 FROM update_log WHERE outcome = 'pushed'")


async def test_an_outage_whose_reason_can_not_be_stored_is_shown_all_the_same(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    sierra.fault(kind="*", status=503, description="x\0y")
    async with notifier(**NO_SWEEP):
        mark(database, *add_items(database, sierra, 1001))
        await eventually(database, "SELECT reason LIKE '%x\ufffdy%' FROM notifier_state")


async def test_an_item_that_can_not_be_asked_for_or_sent_is_rejected_and_the_others_go_on(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    long_number, good = add_items(database, sierra, 1001, 1003)
    plain = make_record("1002", "84.2")
    sierra.add(replace(plain, var_fields=[*plain.var_fields, {"fieldTag": "x", "content": float("nan")}]))
    no_number = database.add_item(1002)
    database.fetch("UPDATE sierra_item SET item_number = repeat('9', 70000) WHERE item_record_id = %s", long_number)
    async with notifier(**NO_SWEEP):
        mark(database, long_number, no_number, good)
        await eventually(database, "SELECT count(*) = 2 FROM update_queue WHERE due_at IS NULL")
        await eventually(database, "SELECT count(*) = 1 FROM update_log WHERE outcome = 'pushed'")


@pytest.mark.parametrize("pool_size", [1, 4])
async def test_an_error_of_ours_is_one_items_and_is_given_up_in_time(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier, monkeypatch: pytest.MonkeyPatch, pool_size: int
) -> None:
    items = add_items(database, sierra, *range(1001, 1007))
    plan_update: Callable[..., Any] = push.plan_update  # type: ignore[attr-defined]

    def sometimes_wrong(record: Any, *others: Any) -> Any:
        if record.number == "1001":
            raise KeyError("surprise")
        return plan_update(record, *others)

    monkeypatch.setattr(push, "plan_update", sometimes_wrong)
    async with notifier(**NO_SWEEP, sierra_update_max_attempts=1, sierra_api_client_pool_size=pool_size) as service:
        mark(database, *items)
        await eventually(database, "SELECT count(*) = 5 FROM update_log WHERE outcome = 'pushed'")
        await eventually(database, "SELECT last_error LIKE '%surprise%' FROM update_queue WHERE due_at IS NULL")
        assert not service.in_flight.items


REFUSE_OUTCOMES = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE SQLSTATE '22000'; END $$;
CREATE TRIGGER refuse BEFORE UPDATE OR DELETE ON update_queue
    FOR EACH ROW WHEN (OLD.claimed_by IS NOT NULL AND OLD.item_record_id = {}) EXECUTE FUNCTION refuse();
"""


async def test_an_item_whose_outcome_can_not_be_written_is_not_held_for_ever(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    odd, *others = add_items(database, sierra, *range(1001, 1007))
    database.fetch(REFUSE_OUTCOMES.format(odd))
    async with notifier(**NO_SWEEP) as service:
        mark(database, odd, *others)
        await eventually(database, "SELECT count(*) = 5 FROM update_log WHERE outcome = 'pushed'")
        async with asyncio.timeout(PATIENCE_SECONDS):
            while service.in_flight.items:  # noqa: ASYNC110  nothing signals that it is forgotten
                await asyncio.sleep(0.01)


async def test_a_heartbeat_that_dies_ends_the_process(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any, **__: Any) -> None:
        raise KeyError("surprise")

    monkeypatch.setattr(notifiers, "heartbeat", broken)
    running = _run_until_stopped(notifier)
    with pytest.raises(KeyError, match="surprise"):
        await asyncio.wait_for(running, 10)


async def _run_until_stopped(notifier: Notifier) -> None:
    async with notifier(**NO_SWEEP) as service:
        await service.wakeup.stopped.wait()


@pytest.mark.parametrize("odd", ["attempts = 32767", "queued_at = '9999-12-30'", "queued_at = '0001-01-02'"])
async def test_a_row_that_was_changed_by_hand_to_odd_values_is_pushed_as_the_others(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier, odd: str
) -> None:
    items = add_items(database, sierra, 1001, 1002)
    database.fetch("UPDATE queue_control SET paused_at = now()")
    mark(database, *items)
    database.fetch(f"UPDATE update_queue SET {odd} WHERE item_record_id = %s", items[0])
    database.fetch("UPDATE queue_control SET paused_at = NULL")
    async with notifier(**NO_SWEEP):
        await eventually(database, EMPTY)
    assert len(sierra.puts()) == 2


async def test_what_a_list_has_not_is_asked_for_alone_before_it_counts_as_gone(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    items = add_items(database, sierra, 1001, 1002)
    sierra.fault(kind="get_items", status=404)
    async with notifier(**NO_SWEEP):
        mark(database, *items, database.add_item(1003))
        await eventually(database, "SELECT count(*) = 2 FROM update_log WHERE outcome = 'pushed'")
        await eventually(database, REJECTED, "Sierra has no item 1003")


async def test_a_write_that_is_refused_with_the_status_of_a_success_is_tried_again(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    sierra.fault(kind="put_item", status=200, code=132)
    async with notifier(**NO_SWEEP):
        mark(database, *add_items(database, sierra, 1001))
        await eventually(database, POSTPONED, "Somebody is using item 1001 in Sierra")


async def test_a_404_to_a_write_that_is_not_sierras_makes_no_ghost(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    sierra.fault(kind="put_item", status=404, code=-1)
    async with notifier(**NO_SWEEP):
        mark(database, *add_items(database, sierra, 1001))
        await eventually(database, "SELECT reason LIKE 'not Sierra answered%' FROM notifier_state")
    assert database.fetch(REJECTED) == []
