"""A DBA looks at a row with FOR UPDATE and goes to lunch: his item waits for him, the others do not."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import LiteralString

import psycopg
import pytest

from tests.fix_library import Library
from tests.fix_notifier import NO_SWEEP, eventually
from tests.fix_postgres import TestDatabase
from tests.fix_processes import Start
from tests.fix_sierra import SierraInThread

LOCK = "SELECT FROM update_queue JOIN sierra_item USING (item_record_id) WHERE item_number = '1001' FOR UPDATE"
NUMBERS = range(1001, 1031)  # more than a notifier holds at a time
LATER = """
INSERT INTO update_queue (item_record_id, due_at)
SELECT item_record_id, now() + interval '1 second' FROM sierra_item WHERE item_number = '1002'
"""
LEFT = "SELECT array_agg(item_number) FROM update_queue JOIN sierra_item USING (item_record_id)"


@contextmanager
def a_dba_idle_in_transaction(database: TestDatabase, lock: LiteralString = LOCK) -> Iterator[None]:
    """Item 1001's row is locked meanwhile; or what else the statement locks."""
    with psycopg.connect(**database.parameters) as dba:
        dba.execute(lock)
        yield
        dba.rollback()


async def test_an_item_whose_row_is_locked_is_claimed_when_it_is_free_and_keeps_no_other_waiting(
    database: TestDatabase, library: Library, start: Start
) -> None:
    library.add(*NUMBERS)
    library.mark(*NUMBERS)
    with a_dba_idle_in_transaction(database):
        start("notifier", **NO_SWEEP)
        await eventually(database, LEFT, ["1001"])
    library.check()


@pytest.mark.parametrize("answer", [{}, {"status": 404}])
async def test_an_item_whose_row_is_locked_while_it_is_pushed_ends_when_it_is_free_and_keeps_no_other_waiting(
    database: TestDatabase, sierra: SierraInThread, library: Library, start: Start, answer: dict[str, int]
) -> None:
    library.add(*NUMBERS)
    writing = sierra.hold("put_item", item="1001", **answer)
    notifier = start("notifier", **NO_SWEEP)
    library.mark(*NUMBERS)
    await writing.reached()
    with a_dba_idle_in_transaction(database):
        writing.release()
        await eventually(database, LEFT, ["1001"])
        notifier.wait_for_words("locked in the queue by another session, keeping the outcome")
    library.check()
    assert len(sierra.requests("put_item", "1001")) == 1


async def test_what_comes_due_meanwhile_does_not_wait_for_the_item_whose_row_is_locked(
    database: TestDatabase, sierra: SierraInThread, library: Library, start: Start
) -> None:
    library.add(1001, 1002)
    writing = sierra.hold("put_item", item="1001", status=404)
    start("notifier", **NO_SWEEP)
    library.mark(1001)
    await writing.reached()
    with a_dba_idle_in_transaction(database):
        writing.release()
        database.fetch(LATER)
        await eventually(database, LEFT, ["1001"])
    library.check()


async def test_a_new_mark_is_pushed_though_the_rows_of_all_that_a_notifier_pushes_are_locked(
    database: TestDatabase, sierra: SierraInThread, library: Library, start: Start
) -> None:
    pushed = NUMBERS[:4]
    library.add(*pushed, 2001)
    writing = sierra.hold("put_item", times=None)
    start("notifier", sierra_api_client_pool_size=4, sierra_update_batch_size_limit=4, **NO_SWEEP)
    library.mark(*pushed)
    await writing.reached()
    with a_dba_idle_in_transaction(database, "UPDATE update_queue SET priority = 2"):
        library.mark(2001)
        writing.off()
        await eventually(database, "SELECT count(*) FROM update_log WHERE item_number = '2001'", 1)
    library.check()


async def test_a_notifier_told_to_stop_gives_the_others_back_before_the_item_whose_row_is_locked(
    database: TestDatabase, sierra: SierraInThread, library: Library, start: Start
) -> None:
    library.add(*NUMBERS)
    reading = sierra.hold("get_items", times=None)
    stopped = start("notifier", **NO_SWEEP)
    library.mark(*NUMBERS)
    await reading.reached()
    with a_dba_idle_in_transaction(database):
        stopped.terminate()
        await eventually(database, f"{LEFT} WHERE claimed_by IS NOT NULL", ["1001"])
    assert stopped.wait(15) == 0
    assert database.fetch("SELECT count(*), max(attempts), count(lease_until) FROM update_queue") == [(30, 0, 0)]


async def test_a_probe_whose_row_is_locked_keeps_no_other_waiting(
    database: TestDatabase, sierra: SierraInThread, library: Library, start: Start
) -> None:
    library.add(1001, 1002)
    sierra.fault(kind="get_items", status=503, times=1)
    probing = sierra.hold("put_item", item="1001", status=503)
    start("notifier", **NO_SWEEP)
    library.mark(1001)
    await probing.reached()
    with a_dba_idle_in_transaction(database):
        probing.release()
        library.mark(1002)
        await eventually(database, LEFT, ["1001"])


async def test_a_refusal_is_settled_though_the_row_of_another_item_is_locked(
    database: TestDatabase, sierra: SierraInThread, library: Library, start: Start
) -> None:
    library.add(1001, 1002)
    writing = sierra.hold("put_item", item="1001")
    sierra.fault(kind="put_item", item="1002", status=400)
    start("notifier", **NO_SWEEP)
    library.mark(1001)
    await writing.reached()
    with a_dba_idle_in_transaction(database):
        writing.release()
        library.mark(1002)
        await eventually(database, f"{LEFT} WHERE due_at > now()", ["1002"])
