"""Where this machine or process itself is at its limit, neither Sierra nor an item is blamed."""

import resource
from collections.abc import Iterator

import pytest

from runtime.open_files import MOST_OPEN_FILES
from sandbox.postgres import free_port
from tests.fix_library import Library
from tests.fix_notifier import NO_SWEEP, eventually
from tests.fix_postgres import TestDatabase
from tests.fix_processes import Start

LIMITED_FROM_OUTSIDE = hasattr(resource, "prlimit")  # on Linux
STATE = "SELECT state FROM notifier_overview"


@pytest.mark.skipif(not LIMITED_FROM_OUTSIDE, reason="this system does not limit a process from outside")
async def test_our_own_lack_of_open_files_is_no_items_fault_nor_sierras(
    database: TestDatabase, library: Library, start: Start
) -> None:
    """One connection to Sierra is warm and serves meanwhile; three more can't be made."""
    numbers = range(1001, 1009)
    library.add(*numbers)
    notifier = start("notifier", **NO_SWEEP)
    given, most = resource.prlimit(notifier.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(notifier.pid, resource.RLIMIT_NOFILE, (3, most))
    library.mark(*numbers)
    notifier.wait_for_words("stopped pushing: not Sierra, but this machine is at its limit: Too many open files")
    await eventually(database, STATE, "waiting for a person")
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


@pytest.fixture
def low_limit() -> Iterator[int]:
    """Have the processes of this test started with a low limit of open files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    low = min(512, hard - 1)
    resource.setrlimit(resource.RLIMIT_NOFILE, (low, hard))
    yield low
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
