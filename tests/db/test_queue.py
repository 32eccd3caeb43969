"""The queue protocol, with two sessions where it takes two."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from sqlalchemy import Text, bindparam, select

from db import queue
from db.engine import Database
from db.marks import mark
from db.models import SierraItem
from db.queue import Claim, Connection, Pushed
from tests.fix_postgres import TestDatabase

LEASE = 70.0
MARKER = select(bindparam("person", type_=Text).label("name")).cte("person")
MARK = mark(MARKER, SierraItem.__table__.c.item_record_id == bindparam("item"), 0)  # type: ignore[attr-defined]


@pytest.fixture
async def connection(database: TestDatabase) -> AsyncIterator[Connection]:
    """A session of a notifier's."""
    async with await database.aconnect() as connected:
        yield connected


@pytest.fixture
async def api(database: TestDatabase) -> AsyncIterator[Database]:
    """The api's way in."""
    connected = Database(database.parameters, 2)
    yield connected
    await connected.close()


async def mark_item(api: Database, item: int, person: str = "printer 1", request_id: str | None = None) -> Any:
    rows = await api.fetch(MARK, {"person": person, "item": item, "request_id": request_id, "trace": None})
    return rows[0].item_record_ids


def pushed(claim: Claim, **changes: Any) -> Pushed:
    return replace(Pushed(claim, "pushed", "84.2 Jännitys", "84.31 Jännitys", None, 12), **changes)


def row(database: TestDatabase, item: int) -> dict[str, Any]:
    """The item's queue row, with what is relative to now as words."""
    with database.connect() as connected:
        cursor = connected.execute(
            "SELECT revision, attempts, priority, due_at IS NULL AS rejected, due_at <= now() AS due, claimed_by, "
            "lease_until > now() AS leased, last_error, queued_by, request_id FROM update_queue "
            "WHERE item_record_id = %s",
            (item,),
        )
        names = [column.name for column in cursor.description or ()]
        found = cursor.fetchone()
        return dict(zip(names, found, strict=True)) if found else {}


async def test_marking_twice_is_one_row_with_the_next_revision(database: TestDatabase, api: Database) -> None:
    item = database.add_item(1)
    assert await mark_item(api, item, "printer 1", "first") == [item]
    entered = database.fetch("SELECT queued_at FROM update_queue")
    assert await mark_item(api, item, "printer 2", "second") == [item]
    now = row(database, item)
    assert (now["revision"], now["queued_by"], now["request_id"], now["due"]) == (2, "printer 1", "second", True)
    assert database.fetch("SELECT queued_at FROM update_queue") == entered


async def test_an_item_that_is_not_there_is_not_marked(database: TestDatabase, api: Database) -> None:
    assert await mark_item(api, 4711) is None
    assert database.fetch("SELECT count(*) FROM update_queue") == [(0,)]


async def test_plain_sql_marks_in_the_roles_name_behind_the_print_stations(
    database: TestDatabase, api: Database, connection: Connection
) -> None:
    by_hand, printed = database.add_item(1), database.add_item(2)
    database.fetch("INSERT INTO update_queue (item_record_id) VALUES (%s)", by_hand)
    assert row(database, by_hand)["queued_by"] == database.parameters["user"]
    await mark_item(api, printed)
    claims = await queue.claim(connection, "n1", 10, LEASE)
    assert [claim.item_record_id for claim in claims] == [printed, by_hand]


async def test_a_claim_brings_the_item_as_it_is_now(
    database: TestDatabase, api: Database, connection: Connection
) -> None:
    item = database.add_item(1, classification="84.2")
    await mark_item(api, item, request_id="r-1")
    database.fetch("UPDATE sierra_item SET classification = '84.31'")
    (claim,) = await queue.claim(connection, "n1", 10, LEASE)
    assert (claim.item_number, claim.classification, claim.revision, claim.attempts) == ("1", "84.31", 1, 1)
    assert claim.request_id == "r-1"
    assert abs((claim.claimed_at - claim.queued_at).total_seconds()) < 5


async def test_claims_never_exceed_the_limit_and_never_overlap(database: TestDatabase, connection: Connection) -> None:
    items = {database.add_item(number) for number in range(1, 31)}
    database.fetch(
        "INSERT INTO update_queue (item_record_id, priority) "
        "SELECT item_record_id, mod(item_record_id, 3) FROM sierra_item"
    )
    async with await database.aconnect() as other:
        sessions = [(connection, "n1"), (other, "n2")] * 3
        claims = await asyncio.gather(*(queue.claim(session, name, 7, LEASE) for session, name in sessions))
    assert all(len(claim) <= 7 for claim in claims)
    taken = [claim.item_record_id for several in claims for claim in several]
    assert len(taken) == len(set(taken)) == 30
    assert set(taken) == items


async def test_a_claimed_item_is_claimed_again_only_after_its_lease(
    database: TestDatabase, api: Database, connection: Connection
) -> None:
    item = database.add_item(1)
    await mark_item(api, item)
    assert len(await queue.claim(connection, "n1", 10, LEASE)) == 1
    assert await queue.claim(connection, "n2", 10, LEASE) == []
    database.fetch("UPDATE update_queue SET lease_until = now() - interval '1 second'")
    (claim,) = await queue.claim(connection, "n2", 10, LEASE)
    assert claim.attempts == 2
    assert row(database, item)["claimed_by"] == "n2"


async def test_a_pushed_item_leaves_the_queue_and_is_logged(
    database: TestDatabase, api: Database, connection: Connection
) -> None:
    item = database.add_item(1, best_title="Kaik Turust")
    await mark_item(api, item, request_id="r-1")
    (claim,) = await queue.claim(connection, "n1", 10, LEASE)
    assert await queue.finish(connection, "n1", [pushed(claim, remark="left out")]) == {item: True}
    assert row(database, item) == {}
    (logged,) = database.fetch(
        "SELECT item_record_id, item_number, barcode, title, queued_by, finished_by, outcome, attempts, "
        "call_number_before, call_number_after, error, sierra_ms, request_id FROM update_log"
    )
    assert logged == (
        item, "1", "33010000000001", "Kaik Turust", "printer 1", "n1", "pushed", 1,
        "84.2 Jännitys", "84.31 Jännitys", "left out", 12, "r-1",
    )  # fmt: skip


async def test_an_item_marked_while_being_pushed_is_pushed_again(
    database: TestDatabase, api: Database, connection: Connection
) -> None:
    item = database.add_item(1)
    await mark_item(api, item)
    (claim,) = await queue.claim(connection, "n1", 10, LEASE)
    await mark_item(api, item)
    assert row(database, item)["leased"], "a mark leaves the lease alone: two never push one item at a time"
    assert await queue.finish(connection, "n1", [pushed(claim)]) == {item: False}
    now = row(database, item)
    assert (now["revision"], now["attempts"], now["due"], now["claimed_by"], now["leased"]) == (2, 0, True, None, None)
    assert database.fetch("SELECT outcome FROM update_log") == [("pushed",)], "Sierra was written"
    (again,) = await queue.claim(connection, "n1", 10, LEASE)
    assert again.revision == 2


async def test_a_mark_that_commits_while_the_finish_runs_is_not_lost(
    database: TestDatabase, api: Database, connection: Connection
) -> None:
    item = database.add_item(1)
    await mark_item(api, item)
    (claim,) = await queue.claim(connection, "n1", 10, LEASE)
    async with await psycopg.AsyncConnection.connect(**database.parameters) as marking:
        await marking.execute("UPDATE update_queue SET revision = revision + 1, due_at = now(), attempts = 0")
        finishing = asyncio.create_task(queue.finish(connection, "n1", [pushed(claim)]))
        await waits_for_a_lock(database, connection.info.backend_pid)
        await marking.commit()
    assert await finishing == {item: False}
    now = row(database, item)
    assert (now["revision"], now["claimed_by"], now["due"]) == (2, None, True)
    assert database.fetch("SELECT outcome FROM update_log") == [("pushed",)]


async def test_finishing_what_another_has_claimed_changes_nothing(
    database: TestDatabase, api: Database, connection: Connection
) -> None:
    item = database.add_item(1)
    await mark_item(api, item)
    (stale,) = await queue.claim(connection, "n1", 10, LEASE)
    database.fetch("UPDATE update_queue SET lease_until = now() - interval '1 second'")
    await queue.claim(connection, "n2", 10, LEASE)
    before = row(database, item)
    assert await queue.finish(connection, "n1", [pushed(stale)]) == {}
    assert await queue.postpone(connection, "n1", stale, 60, "busy") is None
    assert await queue.reject(connection, "n1", stale, "gone") is None
    await queue.release(connection, "n1", [stale])
    assert row(database, item) == before
    assert database.fetch("SELECT count(*) FROM update_log") == [(0,)]


async def test_an_older_claim_of_the_same_notifier_changes_nothing(
    database: TestDatabase, api: Database, connection: Connection
) -> None:
    item = database.add_item(1)
    await mark_item(api, item)
    (stale,) = await queue.claim(connection, "n1", 10, LEASE)
    database.fetch("UPDATE update_queue SET lease_until = now() - interval '1 second'")
    (fresh,) = await queue.claim(connection, "n1", 10, LEASE)
    before = row(database, item)
    assert await queue.finish(connection, "n1", [pushed(stale)]) == {}
    assert await queue.postpone(connection, "n1", stale, 60, "busy") is None
    assert await queue.reject(connection, "n1", stale, "gone") is None
    await queue.release(connection, "n1", [stale])
    assert row(database, item) == before
    assert await queue.finish(connection, "n1", [pushed(fresh)]) == {item: True}


async def test_a_claim_under_way_locks_only_what_it_claims(database: TestDatabase, connection: Connection) -> None:
    for number in range(1, 13):
        database.add_item(number)
    database.fetch(
        "INSERT INTO update_queue (item_record_id, priority) "
        "SELECT item_record_id, mod(item_record_id, 3) FROM sierra_item"
    )
    async with await psycopg.AsyncConnection.connect(**database.parameters) as under_way:
        taken = await queue.claim(under_way, "n1", 4, LEASE)
        others = await queue.claim(connection, "n2", 20, LEASE)
    assert (len(taken), len(others)) == (4, 8)


async def test_a_postponed_item_is_due_later_with_its_reason(
    database: TestDatabase, api: Database, connection: Connection
) -> None:
    item = database.add_item(1)
    await mark_item(api, item)
    (claim,) = await queue.claim(connection, "n1", 10, LEASE)
    assert await queue.postpone(connection, "n1", claim, 60, "Somebody is using item 1 in Sierra") is not None
    now = row(database, item)
    assert (now["due"], now["attempts"], now["claimed_by"]) == (False, 1, None)
    assert now["last_error"] == "Somebody is using item 1 in Sierra"
    assert await queue.claim(connection, "n1", 10, LEASE) == []
    assert 50 < (await queue.next_wake(connection) or 0) <= 60


async def test_a_rejected_item_waits_for_a_person_and_says_why(
    database: TestDatabase, api: Database, connection: Connection
) -> None:
    item = database.add_item(1)
    await mark_item(api, item)
    (claim,) = await queue.claim(connection, "n1", 10, LEASE)
    assert await queue.reject(connection, "n1", claim, "Sierra has no item 1", "84.2") is True
    now = row(database, item)
    assert (now["rejected"], now["last_error"], now["leased"]) == (True, "Sierra has no item 1", None)
    assert database.fetch("SELECT outcome, error, call_number_after FROM update_log") == [
        ("rejected", "Sierra has no item 1", "84.2")
    ]
    assert await queue.claim(connection, "n1", 10, LEASE) == []


@pytest.mark.parametrize("outcome", ["postpone", "reject"])
async def test_what_was_marked_again_is_neither_postponed_nor_rejected(
    database: TestDatabase, api: Database, connection: Connection, outcome: str
) -> None:
    item = database.add_item(1)
    await mark_item(api, item)
    (claim,) = await queue.claim(connection, "n1", 10, LEASE)
    await mark_item(api, item)
    if outcome == "postpone":
        assert await queue.postpone(connection, "n1", claim, 60, "busy") is not None
    else:
        assert await queue.reject(connection, "n1", claim, "gone") is False
    now = row(database, item)
    assert (now["due"], now["attempts"], now["claimed_by"], now["last_error"]) == (True, 0, None, None)
    assert database.fetch("SELECT count(*) FROM update_log") == [(0,)], "Sierra was not written"


async def test_a_mark_on_a_rejected_item_enters_anew(
    database: TestDatabase, api: Database, connection: Connection
) -> None:
    item = database.add_item(1)
    await mark_item(api, item, "printer 1")
    (claim,) = await queue.claim(connection, "n1", 10, LEASE)
    await queue.reject(connection, "n1", claim, "gone")
    database.fetch("UPDATE update_queue SET queued_at = now() - interval '1 day'")
    await mark_item(api, item, "printer 2")
    now = row(database, item)
    assert (now["due"], now["queued_by"], now["attempts"], now["last_error"]) == (True, "printer 2", 0, None)
    assert database.fetch("SELECT now() - queued_at < interval '1 minute' FROM update_queue") == [(True,)]


async def test_a_rejected_item_made_due_by_hand_counts_its_attempts_from_one(
    database: TestDatabase, api: Database, connection: Connection
) -> None:
    item = database.add_item(1)
    await mark_item(api, item)
    database.fetch("UPDATE update_queue SET attempts = 9")
    (claim,) = await queue.claim(connection, "n1", 10, LEASE)
    assert claim.attempts == 10
    await queue.reject(connection, "n1", claim, "given up")
    database.fetch("UPDATE update_queue SET due_at = now()")
    (claim,) = await queue.claim(connection, "n1", 10, LEASE)
    assert claim.attempts == 1


async def test_a_released_item_is_due_as_before_and_keeps_its_attempt(
    database: TestDatabase, api: Database, connection: Connection
) -> None:
    item = database.add_item(1)
    await mark_item(api, item)
    due = database.fetch("SELECT due_at FROM update_queue")
    (claim,) = await queue.claim(connection, "n1", 10, LEASE)
    await queue.release(connection, "n1", [claim])
    assert database.fetch("SELECT due_at FROM update_queue") == due
    assert (row(database, item)["attempts"], row(database, item)["claimed_by"]) == (0, None)


async def test_releasing_an_item_marked_again_never_counts_below_zero(
    database: TestDatabase, api: Database, connection: Connection
) -> None:
    item = database.add_item(1)
    await mark_item(api, item)
    (claim,) = await queue.claim(connection, "n1", 10, LEASE)
    await mark_item(api, item)
    await queue.release(connection, "n1", [claim], 60)
    now = row(database, item)
    assert (now["attempts"], now["due"], now["claimed_by"]) == (0, True, None)


async def test_an_item_released_to_the_back_is_due_later(
    database: TestDatabase, api: Database, connection: Connection
) -> None:
    item = database.add_item(1)
    await mark_item(api, item)
    (claim,) = await queue.claim(connection, "n1", 10, LEASE)
    await queue.release(connection, "n1", [claim], 60)
    assert (row(database, item)["due"], row(database, item)["attempts"]) == (False, 0)


async def test_nothing_is_claimed_while_the_queue_is_paused(
    database: TestDatabase, api: Database, connection: Connection
) -> None:
    await mark_item(api, database.add_item(1))
    database.fetch("UPDATE queue_control SET paused_at = now(), paused_by = 'dba'")
    assert await queue.claim(connection, "n1", 10, LEASE) == []
    database.fetch("UPDATE queue_control SET resume_at = now() + interval '1 minute'")
    assert await queue.claim(connection, "n1", 10, LEASE) == []
    assert 50 < (await queue.next_wake(connection) or 0) <= 60
    database.fetch("UPDATE queue_control SET resume_at = now() - interval '1 second'")
    assert len(await queue.claim(connection, "n1", 10, LEASE)) == 1


async def test_the_next_wake_is_the_end_of_a_lease_too(
    database: TestDatabase, api: Database, connection: Connection
) -> None:
    assert await queue.next_wake(connection) is None
    await mark_item(api, database.add_item(1))
    await queue.claim(connection, "n1", 10, 30)
    assert 25 < (await queue.next_wake(connection) or 0) <= 30


async def test_a_person_retries_all_of_one_reason(
    database: TestDatabase, api: Database, connection: Connection
) -> None:
    items = [database.add_item(number) for number in (1, 2, 3)]
    for item in items:
        await mark_item(api, item)
    for claim, reason in zip(await queue.claim(connection, "n1", 10, LEASE), ["gone", "gone", "bad"], strict=True):
        await queue.reject(connection, "n1", claim, reason)
    assert sorted(await queue.retry(connection, "liisa", reason="gone")) == items[:2]
    now = row(database, items[0])
    assert (now["due"], now["queued_by"], now["priority"], now["attempts"]) == (True, "liisa", 1, 0)
    assert row(database, items[2])["rejected"]
    assert await queue.retry(connection, "liisa", item_numbers=["3"]) == [items[2]]
    assert await queue.retry(connection, "liisa", item_numbers=["3"]) == [], "only what is rejected"


async def test_what_a_person_dismisses_leaves_and_is_logged(
    database: TestDatabase, api: Database, connection: Connection
) -> None:
    item = database.add_item(1)
    await mark_item(api, item)
    assert await queue.dismiss(connection, "liisa", barcodes=["33010000000001"]) == [item]
    assert row(database, item) == {}
    assert database.fetch("SELECT outcome, finished_by FROM update_log") == [("dismissed", "liisa")]
    with pytest.raises(ValueError, match="needs item numbers"):
        await queue.dismiss(connection, "liisa")


async def test_old_history_is_forgotten_a_little_at_a_time(
    database: TestDatabase, api: Database, connection: Connection
) -> None:
    for number in range(1, 6):
        await mark_item(api, database.add_item(number))
    claims = await queue.claim(connection, "n1", 10, LEASE)
    await queue.finish(connection, "n1", [pushed(claim) for claim in claims])
    database.fetch("UPDATE update_log SET finished_at = now() - interval '401 days' WHERE update_log_id <= 4")
    assert await queue.prune_log(connection, 400, 3) == 3
    assert await queue.prune_log(connection, 400, 3) == 1
    assert await queue.prune_log(connection, 400, 3) == 0
    assert database.fetch("SELECT count(*) FROM update_log") == [(1,)]


async def test_views_spell_out_the_states(database: TestDatabase, api: Database, connection: Connection) -> None:
    items = [database.add_item(number) for number in (1, 2, 3, 4)]
    for item in items:
        await mark_item(api, item)
    claims = await queue.claim(connection, "n1", 3, LEASE)
    await queue.postpone(connection, "n1", claims[0], 60, "busy")
    await queue.reject(connection, "n1", claims[1], "gone")
    overview = {state["state"]: state["items"] for state in await queue.overview(connection)}
    assert overview == {"waiting": 1, "in flight": 1, "postponed": 1, "rejected": 1}
    (rejected,) = await queue.detail(connection, "rejected")
    assert (rejected["title"], rejected["reason"]) == ("Kirja 2", "gone")


async def waits_for_a_lock(database: TestDatabase, pid: int) -> None:
    """Return when that session waits for a lock."""
    async with asyncio.timeout(10), await database.aconnect() as looking:
        while True:
            cursor = await looking.execute(
                "SELECT FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'", (pid,)
            )
            if await cursor.fetchone() is not None:
                return
