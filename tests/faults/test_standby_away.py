"""A synchronous standby that is gone holds up marks, and nothing of the notifier's."""

import threading
import time

import psycopg
import pytest

from tests.fix_library import Library
from tests.fix_notifier import OUTCOMES, eventually, mark
from tests.fix_postgres import TestDatabase
from tests.fix_processes import Start
from tests.fix_sierra import SierraInThread

WAITING = """
    SELECT application_name FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event = 'SyncRep' AND application_name ~ '^signum'
"""


@pytest.fixture
def database(own_database: TestDatabase) -> TestDatabase:
    """On a server that has a standby of its own."""
    return own_database


def test_items_are_pushed_while_the_synchronous_standby_is_gone(
    database: TestDatabase, library: Library, start: Start
) -> None:
    """Each session that waited for it would keep its row locks, until nobody gets in."""
    library.add(1001, 1002, 1003)
    with database.server.standby_away():
        start("notifier", sierra_update_interval_seconds=3600)
        with psycopg.connect(**database.parameters, options="-c synchronous_commit=local", autocommit=True) as desk:
            desk.execute("INSERT INTO update_queue (item_record_id) SELECT item_record_id FROM sierra_item")
        with database.connect() as looking:
            while looking.execute("SELECT count(*) FROM update_log").fetchone() != (3,):
                assert looking.execute(WAITING).fetchall() == []
                time.sleep(0.01)
        library.check()
        assert database.fetch(WAITING) == []


async def test_an_item_marked_again_does_not_wait_behind_a_mark_that_waits_for_the_standby(
    database: TestDatabase, library: Library, sierra: SierraInThread, start: Start
) -> None:
    """PostgreSQL lets one commit at a time notify: an outcome that notified waited, and with it all others."""
    library.add(1001)
    (other,) = library.add(1002)
    barrier = sierra.hold("put_item")
    start("notifier", sierra_update_interval_seconds=3600)
    library.mark(1001)
    await barrier.reached()
    library.mark(1001)
    with database.server.standby_away():
        marking = threading.Thread(target=mark, args=(database, other), name="mark")
        marking.start()
        await eventually(database, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'", 1)
        barrier.release()
        await eventually(database, OUTCOMES, ["pushed", "unchanged"])
    marking.join()
    library.check()
