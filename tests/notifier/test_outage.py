"""Sierra unwell as a whole burns no item's attempts, and no item waits for ever."""

from functools import partial
from typing import Any

import pytest

from db import queue
from sandbox.journal import Journal
from tests.fix_notifier import EMPTY, NO_SWEEP, Notifier, add_items, eventually, mark
from tests.fix_postgres import TestDatabase
from tests.fix_sierra import SierraInThread
from tests.fix_verdict import LIMIT_SECONDS


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "*", "status": 503, "code": 117},
        {"kind": "get_items", "html": True, "status": 200},
        {"kind": "put_item", "html": True, "status": 502},
        {"kind": "put_item", "status": 429, "retry_after": "1"},
        {"kind": "token", "status": 401},
        {"kind": "token", "status": 500},
        {"kind": "put_item", "status": 403, "code": 116},
        {"kind": "*", "manner": "empty"},
        {"kind": "*", "manner": "cut"},
        {"kind": "*", "manner": "hang"},
    ],
    ids=str,
)
async def test_sierra_unwell_as_a_whole_burns_no_attempts_and_all_is_pushed_afterwards(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier, fault: dict[str, Any]
) -> None:
    switch = sierra.fault(**fault)
    mark(database, *add_items(database, sierra, *range(1001, 1009)))
    async with notifier(**NO_SWEEP, sierra_api_client_timeout_seconds=0.5, sierra_api_client_retries=1) as service:
        await eventually(database, "SELECT breaker IN ('open', 'probing') FROM notifier_state WHERE notifier = 'n1'")
        assert service.health.fault
        await eventually(database, "SELECT max(attempts) <= 1 AND count(*) = 8 FROM update_queue")
        assert database.fetch("SELECT count(*) FROM update_log") == [(0,)]
        switch.off()
        database.fetch("UPDATE update_queue SET due_at = now()")  # a failed probe waits a minute at the back
        await eventually(database, EMPTY, at_most=LIMIT_SECONDS)
    assert database.fetch(
        "SELECT count(*), max(attempts) FROM update_log WHERE outcome IN ('pushed', 'unchanged')"
    ) == [(8, 1)]
    assert {sierra.call_numbers(str(number))[0] for number in range(1001, 1009)} == {"84.31 Jännitys"}


@pytest.mark.parametrize("status", [400, 500])
async def test_five_equal_refusals_in_a_row_are_not_the_items_fault(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier, status: int
) -> None:
    switch = sierra.fault(kind="put_item", status=status, description="the same for all")
    mark(database, *add_items(database, sierra, *range(1001, 1009)))
    async with notifier(**NO_SWEEP) as service:
        await eventually(database, "SELECT breaker IN ('open', 'probing') FROM notifier_state WHERE notifier = 'n1'")
        assert "configuration?" in str(service.health.fault)
        assert "the same for all" in str(service.health.fault)
        assert database.fetch("SELECT count(*), count(due_at), max(attempts) <= 1 FROM update_queue") == [(8, 8, True)]
        switch.off()
        database.fetch("UPDATE update_queue SET due_at = now()")
        await eventually(database, EMPTY)


def has_so_many_writes(number: int, journal: Journal) -> bool:
    return len(journal.find("put_item")) == number


@pytest.mark.parametrize("settings", [{}, {"sierra_api_client_pool_size": 1, "sierra_update_batch_size_limit": 0}])
async def test_equal_refusals_of_marks_that_come_one_by_one_reject_none(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier, settings: dict[str, Any]
) -> None:
    items = add_items(database, sierra, *range(1001, 1006))
    sierra.fault(kind="put_item", status=400, description="the same for all")
    async with notifier(**NO_SWEEP, **settings) as service:
        for number, item in enumerate(items, 1):
            mark(database, item)
            await sierra.until(partial(has_so_many_writes, number))
        await eventually(database, "SELECT breaker IN ('open', 'probing') FROM notifier_state WHERE notifier = 'n1'")
        assert "configuration?" in str(service.health.fault)
    assert database.fetch("SELECT count(*), count(due_at) FROM update_queue") == [(5, 5)]


async def test_an_answer_to_an_older_request_does_not_end_the_pause(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    items = add_items(database, sierra, *range(1001, 1021))
    older = sierra.hold(item="1002")
    sierra.fault(kind="put_item", item="1001", status=429, retry_after="30", times=1)
    async with notifier(**NO_SWEEP) as service:
        mark(database, *items)
        await older.reached()
        await eventually(database, "SELECT breaker FROM notifier_state", "open")
        older.release()
        await eventually(database, "SELECT count(*) >= 1 FROM update_log WHERE barcode = '33010000001002'")
        assert service.health.state == "open"
        assert service.health.seconds_left > 20
    assert len(sierra.requests("put_item", "1001")) == 1


async def test_what_was_given_back_while_sierra_was_unwell_is_pushed_when_it_is_well(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    items = add_items(database, sierra, 1001, 1002)
    older = sierra.hold(item="1002")
    sierra.fault(kind="put_item", item="1001", status=503, times=1)
    async with notifier(**NO_SWEEP):
        mark(database, *items)
        await older.reached()
        await eventually(database, "SELECT breaker FROM notifier_state", "probing")
        older.release()
        await eventually(database, EMPTY)


async def test_an_open_breaker_with_nothing_to_probe_waits_rather_than_spins(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    (item,) = add_items(database, sierra, 1001)
    looks = 0
    claim = queue.claim

    async def counted(*arguments: Any) -> Any:
        nonlocal looks
        looks += 1
        return await claim(*arguments)

    monkeypatch.setattr(queue, "claim", counted)
    sierra.fault(status=503)
    async with notifier(**NO_SWEEP):
        mark(database, item)
        await eventually(database, "SELECT due_at > now() + interval '30 s' FROM update_queue")  # the failed probe
        await eventually(database, "SELECT breaker FROM notifier_state", "probing")
        looks = 0
        await eventually(database, "SELECT seen_at > now() - interval '1 s' FROM notifier_state")
        database.fetch("NOTIFY update_queue")
        await eventually(database, "SELECT seen_at > now() - interval '1 s' FROM notifier_state")
    assert looks <= 3


async def test_one_record_on_which_sierra_hangs_never_keeps_the_others_waiting(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    bad, *others = add_items(database, sierra, *range(1001, 1021))
    sierra.fault(item="1001", kind="put_item", manner="hang")
    mark(database, bad)
    mark(database, *others)
    async with notifier(**NO_SWEEP, sierra_api_client_timeout_seconds=0.5, sierra_api_client_retries=0):
        await eventually(database, "SELECT count(*) = 19 FROM update_log WHERE outcome = 'pushed'")
        await eventually(database, "SELECT count(*) = 1 FROM update_queue WHERE due_at > now()")


async def test_a_token_that_dies_early_is_renewed_once_for_all(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    mark(database, *add_items(database, sierra, *range(1001, 1009)))
    sierra.fault(kind="put_item", times=1, expire_tokens=True)
    async with notifier(**NO_SWEEP):
        await eventually(database, EMPTY)
    assert len(sierra.requests("token")) == 2
    assert len(sierra.puts()) == 8


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "*", "html": True, "status": 500},
        {"kind": "put_item", "status": 503},
        {"kind": "put_item", "status": 403},
        {"kind": "put_item", "status": 503, "retry_after": "1"},
    ],
    ids=str,
)
async def test_an_item_at_which_sierra_seems_unwell_each_time_is_that_items_fault(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier, fault: dict[str, Any]
) -> None:
    bad, good = add_items(database, sierra, 1001, 1002)
    sierra.fault(item="1001", **fault)
    async with notifier(**NO_SWEEP) as service:
        mark(database, bad)
        await eventually(database, "SELECT attempts = 0 AND due_at > now() FROM update_queue")  # the failed probe
        mark(database, good)
        await eventually(database, "SELECT count(*) = 1 FROM update_log WHERE outcome = 'pushed'")
        database.fetch("UPDATE update_queue SET due_at = now()")
        await eventually(database, "SELECT attempts = 1 AND lease_until IS NULL AND due_at > now() FROM update_queue")
        assert (service.health.state == "closed") is ("retry_after" not in fault)
    assert database.fetch("SELECT reason_code FROM update_queue") == [("unwell",)]


@pytest.mark.parametrize(
    ("fault", "left"),
    [
        ({"kind": "*", "html": True, "status": 502}, [(1, "unwell")]),
        ({"kind": "*", "status": 503}, [(1, "unwell")]),
        ({"kind": "get_items", "status": 403}, []),
    ],
    ids=str,
)
async def test_an_item_at_which_each_list_fails_stops_the_pushes_once_only(
    database: TestDatabase,
    sierra: SierraInThread,
    notifier: Notifier,
    caplog: pytest.LogCaptureFixture,
    fault: dict[str, Any],
    left: list[tuple[int, str]],
) -> None:
    items = add_items(database, sierra, *range(1001, 1021))
    sierra.fault(item="1001", **fault)
    async with notifier(**NO_SWEEP):
        mark(database, *items)
        await eventually(database, "SELECT count(*) FROM update_queue WHERE lease_until > now() OR due_at <= now()", 0)
    assert database.fetch("SELECT attempts, reason_code FROM update_queue") == left
    assert caplog.text.count("stopped pushing") == 1
