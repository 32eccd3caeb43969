"""The notifier between a real queue and the simulator: what it does for each thing that can happen to an item."""

import time
from typing import Any

import pytest

from db import queue
from tests.fix_notifier import Notifier, eventually, mark
from tests.fix_postgres import TestDatabase
from tests.fix_sierra import SierraInThread, make_record

EMPTY = "SELECT count(*) = 0 FROM update_queue"
OUTCOMES = "SELECT array_agg(outcome ORDER BY update_log_id) FROM update_log"
REJECTED = "SELECT last_error FROM update_queue WHERE due_at IS NULL"
POSTPONED = "SELECT last_error FROM update_queue WHERE due_at > now()"
NO_SWEEP: dict[str, Any] = {"sierra_update_interval_seconds": 3600}


def add(database: TestDatabase, sierra: SierraInThread, *numbers: int, call_number: str = "84.2 Jännitys") -> list[int]:
    """Items that both sides know."""
    sierra.add(*(make_record(str(number), call_number) for number in numbers))
    return [database.add_item(number) for number in numbers]


async def test_a_mark_is_pushed_by_notification(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    (item,) = add(database, sierra, 1001)
    async with notifier(**NO_SWEEP):
        await _listening(database)
        mark(database, item)
        put = await sierra.until(lambda journal: journal.puts("1001"))
        await eventually(database, EMPTY)
    assert sierra.call_numbers("1001") == ["84.31 Jännitys"]
    assert put[0].patch["fixedFields"] == {"74": {"label": "IUSE3", "value": "1"}}
    assert "inventoryDate" in put[0].patch
    assert database.fetch("SELECT outcome, call_number_before, call_number_after FROM update_log") == [
        ("pushed", "84.2 Jännitys", "84.31 Jännitys")
    ]


async def test_what_was_marked_before_the_start_is_pushed(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    mark(database, *add(database, sierra, *range(1001, 1011)))
    async with notifier(**NO_SWEEP):
        await eventually(database, EMPTY)
    assert len(sierra.puts()) == 10


async def test_the_sweep_finds_what_did_not_ring(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    database.fetch("ALTER TABLE update_queue DISABLE TRIGGER ALL")
    async with notifier(sierra_update_interval_seconds=0.2):
        mark(database, *add(database, sierra, 1001))
        await eventually(database, EMPTY)
    assert len(sierra.puts("1001")) == 1


async def test_an_item_that_is_so_already_is_not_written(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    (item,) = add(database, sierra, 1001)
    async with notifier(**NO_SWEEP):
        for times in (1, 2):
            mark(database, item)
            await eventually(database, f"SELECT count(*) = {times} FROM update_log")
    assert database.fetch(OUTCOMES) in ([(["pushed", "unchanged"],)], [(["pushed", "pushed"],)])
    sierra_updates = len(sierra.puts("1001"))
    assert sierra_updates == database.fetch("SELECT count(*) FROM update_log WHERE outcome = 'pushed'")[0][0]
    assert sierra.call_numbers("1001") == ["84.31 Jännitys"]


async def test_requests_are_one_read_per_chunk_and_one_write_per_item(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    mark(database, *add(database, sierra, *range(1001, 1041)))
    sierra.set_latency(0.02)
    async with notifier(**NO_SWEEP, sierra_api_client_pool_size=4, sierra_update_batch_size_limit=0):
        await eventually(database, EMPTY)
    assert len(sierra.requests("get_items")) == 10
    assert len(sierra.requests("get_item")) == 0
    assert len(sierra.puts()) == 40
    assert len(sierra.requests("token")) == 1
    assert sierra.most_in_flight <= 4


@pytest.mark.parametrize(("pool_size", "limit"), [(4, 20), (10, 0)])
async def test_all_places_at_sierra_stay_taken_while_there_is_something_to_push(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier, pool_size: int, limit: int
) -> None:
    count = 20 * pool_size
    mark(database, *add(database, sierra, *range(1001, 1001 + count)))
    sierra.set_latency(0.1)
    many = {"sierra_api_client_pool_size": pool_size, "sierra_update_batch_size_limit": limit}
    async with notifier(**NO_SWEEP, **many):
        await eventually(database, EMPTY)
    requests = [entry for entry in sierra.entries if entry.kind in ("get_items", "put_item")]
    taken = (max(entry.ended_ns or 0 for entry in requests) - requests[0].arrived_ns) / 1e9
    ideal = count * (1 + 1 / pool_size) * 0.1 / pool_size
    assert ideal / taken > 0.75, "one chunk after the other would reach 0.55 to 0.63"
    assert len(requests) <= count * (1 + 1 / pool_size) * 1.02 + 2
    assert sierra.most_in_flight <= pool_size


async def test_no_more_items_are_held_than_the_limit_says(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    mark(database, *add(database, sierra, *range(1001, 1021)))
    barrier = sierra.hold(times=None)
    async with notifier(**NO_SWEEP, sierra_api_client_pool_size=4, sierra_update_batch_size_limit=6):
        await barrier.reached()
        await eventually(database, "SELECT count(*) FROM update_queue WHERE claimed_by IS NOT NULL", 6)
        barrier.off()
        await eventually(database, EMPTY)


async def test_an_item_marked_while_it_is_written_is_pushed_again_with_the_newest_classification(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    (item,) = add(database, sierra, 1001)
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
    good, bad = add(database, sierra, 1000, 1001)
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
    (item,) = add(database, sierra, 1001)
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
    (item,) = add(database, sierra, 1001)
    sierra.fault(kind="put_item", status=500, code=132, retry_after="1500")
    async with notifier(**NO_SWEEP):
        mark(database, item)
        await eventually(database, "SELECT due_at > now() + interval '1400 s' FROM update_queue")


async def test_an_item_is_rejected_after_the_last_attempt(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    (item,) = add(database, sierra, 1001)
    sierra.fault(kind="put_item", status=500, code=111)
    async with notifier(**NO_SWEEP, sierra_update_max_attempts=1):
        mark(database, item)
        await eventually(database, "SELECT count(*) = 1 FROM update_queue WHERE due_at IS NULL")
    assert "given up after 1 attempts" in database.fetch(REJECTED)[0][0]


async def test_a_list_that_fails_says_nothing_about_its_items(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    sierra.fault(kind="get_items", status=500, code=111)
    mark(database, *add(database, sierra, *range(1001, 1005)))
    async with notifier(**NO_SWEEP):
        await eventually(database, EMPTY)
    assert len(sierra.puts()) == 4
    assert len(sierra.requests("get_item")) == 4


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
    mark(database, *add(database, sierra, *range(1001, 1009)))
    async with notifier(**NO_SWEEP, sierra_api_client_timeout_seconds=0.5, sierra_api_client_retries=1) as service:
        await eventually(database, "SELECT breaker <> 'closed' FROM notifier_state WHERE notifier = 'n1'")
        assert service.breaker.reason
        await eventually(database, "SELECT max(attempts) <= 1 AND count(*) = 8 FROM update_queue")
        assert database.fetch("SELECT count(*) FROM update_log") == [(0,)]
        switch.off()
        database.fetch("UPDATE update_queue SET due_at = now()")  # a failed probe waits a minute at the back
        await eventually(database, EMPTY, at_most=20)
    assert database.fetch(
        "SELECT count(*), max(attempts) FROM update_log WHERE outcome IN ('pushed', 'unchanged')"
    ) == [(8, 1)]
    assert {sierra.call_numbers(str(number))[0] for number in range(1001, 1009)} == {"84.31 Jännitys"}


@pytest.mark.parametrize("status", [400, 500])
async def test_five_equal_refusals_in_a_row_are_not_the_items_fault(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier, status: int
) -> None:
    switch = sierra.fault(kind="put_item", status=status, description="the same for all")
    mark(database, *add(database, sierra, *range(1001, 1009)))
    async with notifier(**NO_SWEEP) as service:
        await eventually(database, "SELECT breaker <> 'closed' FROM notifier_state WHERE notifier = 'n1'")
        assert "configuration?" in str(service.breaker.reason)
        assert "the same for all" in str(service.breaker.reason)
        assert database.fetch("SELECT count(*), count(due_at), max(attempts) <= 1 FROM update_queue") == [(8, 8, True)]
        switch.off()
        database.fetch("UPDATE update_queue SET due_at = now()")
        await eventually(database, EMPTY)


async def test_one_refused_item_is_rejected_when_it_is_refused_again(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    (item,) = add(database, sierra, 1001)
    sierra.fault(kind="put_item", status=400, description="field(s) unknown : x")
    async with notifier(**NO_SWEEP):
        mark(database, item)
        await eventually(database, "SELECT attempts = 1 AND due_at > now() FROM update_queue")
        database.fetch("UPDATE update_queue SET due_at = now()")
        await eventually(database, "SELECT count(*) = 1 FROM update_queue WHERE due_at IS NULL")
    assert "field(s) unknown : x" in database.fetch(REJECTED)[0][0]


@pytest.mark.parametrize("settings", [{}, {"sierra_api_client_pool_size": 1, "sierra_update_batch_size_limit": 0}])
async def test_equal_refusals_of_marks_that_come_one_by_one_reject_none(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier, settings: dict[str, Any]
) -> None:
    items = add(database, sierra, *range(1001, 1006))
    sierra.fault(kind="put_item", status=400, description="the same for all")
    async with notifier(**NO_SWEEP, **settings) as service:
        for number, item in enumerate(items, 1):
            mark(database, item)
            await sierra.until(lambda journal, number=number: len(journal.find("put_item")) == number)
        await eventually(database, "SELECT breaker <> 'closed' FROM notifier_state WHERE notifier = 'n1'")
        assert "configuration?" in str(service.breaker.reason)
    assert database.fetch("SELECT count(*), count(due_at) FROM update_queue") == [(5, 5)]


async def test_an_answer_to_an_older_request_does_not_end_the_pause(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    items = add(database, sierra, *range(1001, 1021))
    older = sierra.hold(item="1002")
    sierra.fault(kind="put_item", item="1001", status=429, retry_after="30", times=1)
    async with notifier(**NO_SWEEP) as service:
        mark(database, *items)
        await older.reached()
        await eventually(database, "SELECT breaker FROM notifier_state", "open")
        older.release()
        await eventually(database, "SELECT count(*) >= 1 FROM update_log WHERE barcode = '33010000001002'")
        assert service.breaker.state == "open"
        assert service.breaker.seconds_left > 20
    assert len(sierra.requests("put_item", "1001")) == 1


async def test_what_was_given_back_while_sierra_was_unwell_is_pushed_when_it_is_well(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    items = add(database, sierra, 1001, 1002)
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
    (item,) = add(database, sierra, 1001)
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
    bad, *others = add(database, sierra, *range(1001, 1021))
    sierra.fault(item="1001", kind="put_item", manner="hang")
    mark(database, bad)
    mark(database, *others)
    async with notifier(**NO_SWEEP, sierra_api_client_timeout_seconds=0.5, sierra_api_client_retries=0):
        await eventually(database, "SELECT count(*) = 19 FROM update_log WHERE outcome = 'pushed'")
        await eventually(database, "SELECT count(*) = 1 FROM update_queue WHERE due_at > now()")


async def test_a_token_that_dies_early_is_renewed_once_for_all(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    mark(database, *add(database, sierra, *range(1001, 1009)))
    sierra.fault(kind="put_item", times=1, expire_tokens=True)
    async with notifier(**NO_SWEEP):
        await eventually(database, EMPTY)
    assert len(sierra.requests("token")) == 2
    assert len(sierra.puts()) == 8


async def test_a_write_that_timed_out_but_was_done_is_not_done_again(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    (item,) = add(database, sierra, 1001)
    sierra.fault(kind="put_item", times=1, after_applying=True, manner="hang")
    async with notifier(**NO_SWEEP, sierra_api_client_timeout_seconds=0.5):
        mark(database, item)
        await eventually(database, EMPTY, at_most=20)
    assert database.fetch(OUTCOMES) == [(["unchanged"],)]
    assert len(sierra.requests("put_item")) == 1


async def test_two_notifiers_share_the_work(database: TestDatabase, sierra: SierraInThread, notifier: Notifier) -> None:
    sierra.set_latency(0.02)
    async with notifier("n1", **NO_SWEEP), notifier("n2", **NO_SWEEP):
        mark(database, *add(database, sierra, *range(1001, 1061)))
        await eventually(database, EMPTY)
    assert len(sierra.puts()) == 60, "each item once"
    assert database.fetch("SELECT count(DISTINCT finished_by) FROM update_log") == [(2,)]


async def test_a_stop_finishes_what_is_being_written_and_gives_the_rest_back(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    mark(database, *add(database, sierra, *range(1001, 1011)))
    barrier = sierra.hold(times=None)
    async with notifier(**NO_SWEEP, sierra_api_client_pool_size=2, sierra_update_batch_size_limit=6) as service:
        await sierra.until(lambda journal: len(journal.find("put_item")) == 2)
        service.bell.stop()
        await eventually(database, "SELECT count(*) = 2 FROM update_queue WHERE lease_until IS NOT NULL")
        barrier.off()
    assert database.fetch(OUTCOMES) == [(["pushed", "pushed"],)]
    assert database.fetch("SELECT count(*), max(attempts), count(lease_until) FROM update_queue") == [(8, 0, 0)]


async def test_a_dry_run_writes_nothing_and_loses_nothing(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier, caplog: pytest.LogCaptureFixture
) -> None:
    mark(database, *add(database, sierra, 1001))
    async with notifier(**NO_SWEEP, sierra_update_dry_run=True):
        await eventually(database, "SELECT due_at > now() AND attempts = 0 FROM update_queue")
    assert sierra.requests("put_item") == []
    ((reason,),) = database.fetch("SELECT last_error FROM update_queue")
    assert reason.startswith("dry run: would write call number '84.31 Jännitys' for '84.2 Jännitys'")
    assert "internal note" not in caplog.text, "a record's other fields are nobody's business"
    assert database.fetch("SELECT count(*) FROM update_log") == [(0,)]


async def test_a_lease_too_short_for_a_write_is_left_to_the_next_claim(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark(database, *add(database, sierra, 1001))
    reading = sierra.hold(kind="get_items")
    async with notifier(**NO_SWEEP) as service:
        await reading.reached()
        for held in service.belt.held:
            held.lease_ends = time.monotonic() + 1  # as if this process had stood still since the claim
        reading.release()
        await eventually(database, EMPTY)
    assert database.fetch(OUTCOMES) == [(["pushed"],)]
    assert len(sierra.requests("get_items")) == 2, "dropped before its PUT, read again by the next claim"
    assert len(sierra.requests("put_item")) == 1


async def test_a_listener_whose_connection_is_cut_hears_again_and_looks(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    first, second = add(database, sierra, 1001, 1002)
    async with notifier(**NO_SWEEP):
        await _listening(database)
        database.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = 'signum listener'"
        )
        mark(database, first)
        await eventually(database, EMPTY)
        await _listening(database)
        mark(database, second)
        await eventually(database, EMPTY)


async def _listening(database: TestDatabase) -> None:
    """Return when the notifier has said that it hears itself."""
    database.fetch("UPDATE notifier_state SET mode = 'starting'")
    await eventually(database, "SELECT mode FROM notifier_state WHERE notifier = 'n1'", "listening")
