"""A session that is lost may have taken claims with it: nothing is written under them, and none waits for its lease."""

import asyncio
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from db import notifiers, queue
from notifier import service as service_module
from tests.fix_notifier import EMPTY, NO_SWEEP, TO_RECHECK, Notifier, add_items, eventually, mark
from tests.fix_postgres import TestDatabase
from tests.fix_sierra import SierraInThread
from tests.notifier.test_database_away import break_connections, logged

LATER = (
    "UPDATE update_queue SET due_at = now(), unanswered_at = now() - interval '301 s', "
    "queued_at = now() + interval '1 min'"
)
FORGET_CLAIMS = "UPDATE update_queue SET claimed_by = NULL, lease_until = NULL, attempts = 0"


async def until(is_so: Callable[[], bool]) -> None:
    """Return when it is so. TimeoutError."""
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110  plain state, which sets no event
            await asyncio.sleep(0.01)


async def test_an_item_whose_claim_may_be_lost_is_not_written(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    """As after a failover: the new primary knows no claim, and another notifier may have the item."""
    (item,) = add_items(database, sierra, 1001)
    async with notifier(**NO_SWEEP) as service:
        await eventually(database, "SELECT mode FROM notifier_state", "listening")
        reading = sierra.hold("get_items")
        mark(database, item)
        await reading.reached()
        database.fetch("UPDATE queue_control SET paused_at = now()")
        database.fetch(FORGET_CLAIMS)
        break_connections(database)
        await until(lambda: service.in_flight.lost_at > 0)
        reading.release()
        await until(lambda: not service.in_flight.items)
        assert sierra.requests("put_item") == []
        database.fetch("UPDATE queue_control SET paused_at = NULL")
        await eventually(database, EMPTY)
    assert len(sierra.requests("put_item")) == 1


async def test_a_claim_whose_answer_was_lost_does_not_wait_for_its_lease(
    database: TestDatabase,
    sierra: SierraInThread,
    notifier: Notifier,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (item,) = add_items(database, sierra, 1001)
    claim = queue.claim

    async def claim_and_lose_the_answer(connection: Any, *given: Any) -> Any:
        if claims := await claim(connection, *given):
            monkeypatch.setattr(queue, "claim", claim)
            await connection.close()
            raise psycopg.OperationalError(f"server closed the connection, {len(claims)} claims are on its disk")
        return claims

    async with notifier(**NO_SWEEP):
        monkeypatch.setattr(queue, "claim", claim_and_lose_the_answer)
        mark(database, item)
        await eventually(database, EMPTY)
    assert "given back after a lost session" in caplog.text
    assert database.fetch("SELECT attempts FROM update_log") == [(1,)]


async def test_a_write_under_way_when_its_claim_is_lost_has_its_item_looked_at_again(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    (item,) = add_items(database, sierra, 1001)
    writing = sierra.hold()
    async with notifier(**NO_SWEEP):
        mark(database, item)
        await writing.reached()
        database.fetch("DELETE FROM update_queue")  # another notifier, at the new primary, has pushed it
        writing.release()
        await eventually(database, TO_RECHECK)
        database.fetch(LATER)
        await eventually(database, "SELECT count(*) = 0 FROM update_queue")
    assert len(sierra.requests("put_item")) == 1, "the call number is right, so nothing is written, not even the date"


async def test_a_write_under_a_lost_claim_that_a_stop_does_not_wait_for_has_its_item_looked_at_again(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_module, "STOP_SECONDS", 0)
    monkeypatch.setattr(service_module, "NOTE_SECONDS", 10)
    (item,) = add_items(database, sierra, 1001)
    writing = sierra.hold()
    async with notifier(**NO_SWEEP, sierra_api_client_timeout_seconds=60) as service:
        mark(database, item)
        await writing.reached()
        database.fetch("DELETE FROM update_queue")  # another notifier, at the new primary, has pushed it
        break_connections(database)
        await until(lambda: service.in_flight.lost_at > 0)
    assert database.fetch(TO_RECHECK) == [(True,)]


async def test_a_write_without_an_answer_that_was_noted_before_is_noted_again_at_a_stop(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    (item,) = add_items(database, sierra, 1001)
    sierra.fault(kind="put_item", write="late", hold=True, times=1)
    async with notifier(**NO_SWEEP, sierra_api_client_timeout_seconds=0.5, sierra_api_client_retries=0) as service:
        mark(database, item)
        await eventually(database, "SELECT unanswered_at IS NOT NULL FROM update_queue")
        await until(lambda: not service.in_flight.items)
        database.fetch("DELETE FROM update_queue")  # the new primary lacks the note, and another has pushed the item
        service.in_flight.lose_claims()
        service.wakeup.stop()
    assert database.fetch(TO_RECHECK) == [(True,)]


async def test_a_stop_that_can_not_note_such_a_write_names_its_item_and_notes_the_others(
    database: TestDatabase,
    sierra: SierraInThread,
    notifier: Notifier,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A person has locked the row of one: an unanswered write, which waits for that lock since the session was lost."""
    monkeypatch.setattr(service_module, "STOP_SECONDS", 0)
    monkeypatch.setattr(service_module, "NOTE_SECONDS", 0.5)
    unanswered, other = add_items(database, sierra, 1001, 1002)
    sierra.fault(kind="put_item", item="1001", manner="empty")
    with database.connect() as person, person.transaction():
        async with notifier(**NO_SWEEP, sierra_api_client_timeout_seconds=60, sierra_api_client_retries=0) as service:
            mark(database, unanswered)
            await eventually(database, "SELECT unanswered_at IS NOT NULL FROM update_queue")
            database.fetch("UPDATE update_queue SET unanswered_at = NULL")  # the new primary lacks the note
            person.execute("SELECT FROM update_queue FOR UPDATE")
            service.in_flight.lose_claims()
            writing = sierra.hold(item="1002")
            mark(database, other)
            await writing.reached()
            service.in_flight.lose_claims()
    (told,) = [record for record in caplog.records if "no look at these items" in record.message]
    assert vars(told)["item_numbers"] == ["1001"]
    noted = "SELECT item_record_id FROM update_queue WHERE unanswered_at IS NOT NULL"
    assert database.fetch(noted) == [(other,)]


@pytest.mark.parametrize("is_noticed", [True, False], ids=["a failover", "a lease taken off by hand"])
async def test_an_item_is_not_written_while_an_older_write_of_it_is_under_way(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier, is_noticed: bool
) -> None:
    """The database does not know the older claim, and so lends the item once more."""
    (item,) = add_items(database, sierra, 1001)
    async with notifier(**NO_SWEEP, sierra_api_client_timeout_seconds=60) as service:
        await eventually(database, "SELECT mode FROM notifier_state", "listening")
        writing = sierra.hold()
        mark(database, item)
        await writing.reached()
        database.fetch("UPDATE sierra_item SET classification = '85.1'")
        database.fetch(f"{FORGET_CLAIMS}, revision = 2, due_at = now()")  # notifies
        if is_noticed:
            break_connections(database)
            await until(lambda: service.in_flight.lost_at > 0)
        await eventually(database, "SELECT lease_until > now() AND claimed_by IS NULL FROM update_queue")
        assert len(sierra.requests("put_item")) == 1
        writing.release()
        await until(lambda: not service.in_flight.items)
        database.fetch("UPDATE update_queue SET lease_until = now(), due_at = now()")  # two time-outs have passed
        await eventually(database, TO_RECHECK)
    assert sierra.call_numbers("1001") == ["85.1 Jännitys"]


async def test_an_item_that_is_claimed_again_is_written_under_the_newer_claim_only(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    """A person took the lease off, and the older claim had not been written yet."""
    (item,) = add_items(database, sierra, 1001)
    async with notifier(**NO_SWEEP) as service:
        reading = sierra.hold("get_items")
        mark(database, item)
        await reading.reached()
        database.fetch(f"{FORGET_CLAIMS}, revision = 2, due_at = now()")
        await until(lambda: len(service.in_flight.items) == 2)
        reading.release()
        await eventually(database, EMPTY)
    assert len(sierra.requests("put_item")) == 1


async def test_a_session_that_the_heartbeat_loses_may_have_taken_claims_with_it_too(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lose(connection: Any, *_: Any, **__: Any) -> None:
        await connection.close()
        raise psycopg.OperationalError("server closed the connection")

    async with notifier(**NO_SWEEP) as service:
        await eventually(database, "SELECT mode FROM notifier_state", "listening")
        monkeypatch.setattr(notifiers, "heartbeat", lose)
        await until(lambda: service.in_flight.lost_at > 0)
        assert service.listener.mode == "listening", "it was not the listener that told it"


async def test_why_marks_wait_is_logged_while_other_items_are_still_being_written(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = add_items(database, sierra, 1001, 1002)
    writing = sierra.hold(item="1001")
    async with notifier(**NO_SWEEP, sierra_api_client_timeout_seconds=60):
        mark(database, first)
        await writing.reached()
        database.fetch("ALTER TABLE update_queue RENAME TO away")
        database.fetch("NOTIFY update_queue")
        await logged(caplog, 'database refuses, trying again: relation "update_queue" does not exist')
        database.fetch("ALTER TABLE away RENAME TO update_queue")
        mark(database, second)
        writing.release()
        await eventually(database, EMPTY)
