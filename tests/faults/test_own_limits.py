"""This machine's or process's own limits are blamed neither on Sierra nor on an item."""

import resource
from collections.abc import Iterator

import psycopg
import pytest

from db.connections import one_line
from runtime.open_files import MOST_OPEN_FILES, NONE_LEFT
from sandbox.postgres import free_port
from tests.fix_library import Library
from tests.fix_notifier import NO_SWEEP, eventually
from tests.fix_postgres import TestDatabase
from tests.fix_processes import Start
from tests.fix_sierra import SierraInThread

LIMITED_FROM_OUTSIDE = hasattr(resource, "prlimit")  # on Linux
STATE = "SELECT state FROM notifier_overview"


@pytest.mark.skipif(not LIMITED_FROM_OUTSIDE, reason="this system does not limit a process from outside")
async def test_our_own_lack_of_open_files_is_no_items_fault_nor_sierras(
    database: TestDatabase, sierra: SierraInThread, library: Library, start: Start
) -> None:
    """One connection to Sierra is there, and is busy; three more can't be made."""
    first, *others = range(1001, 1009)
    library.add(first, *others)
    is_busy = sierra.hold("get_items")
    notifier = start("notifier", **NO_SWEEP)
    library.mark(first)
    await is_busy.reached()
    given, most = resource.prlimit(notifier.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(notifier.pid, resource.RLIMIT_NOFILE, (3, most))
    library.mark(*others)
    notifier.wait_for_words("stopped pushing: not Sierra, but this machine is at its limit: Too many open files")
    await eventually(database, STATE, "waiting for a person")
    is_busy.off()
    resource.prlimit(notifier.pid, resource.RLIMIT_NOFILE, (given, most))
    database.fetch("UPDATE update_queue SET due_at = now()")  # a failed probe waits a minute at the back
    library.check()
    assert not notifier.said("postponed")
    assert database.fetch("SELECT DISTINCT attempts FROM update_log") == [(1,)]


@pytest.mark.skipif(not LIMITED_FROM_OUTSIDE, reason="this system does not limit a process from outside")
def test_processes_may_open_as_many_files_as_the_system_allows(start: Start, low_limit: int) -> None:
    for process in start("notifier"), start("api", api_port=free_port()):
        soft, hard = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
        assert soft == min(hard, MOST_OPEN_FILES) > low_limit


def test_a_database_that_is_not_reached_for_want_of_files_is_not_called_away(database: TestDatabase) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        with pytest.raises(psycopg.OperationalError) as away:
            database.connect()
        assert one_line(away.value) == NONE_LEFT
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert one_line(away.value) != NONE_LEFT


@pytest.fixture
def low_limit() -> Iterator[int]:
    """Have the processes of this test started with a low limit of open files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    low = min(512, hard - 1)
    resource.setrlimit(resource.RLIMIT_NOFILE, (low, hard))
    yield low
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
