"""The synchronous standby is lost, and is back: marks are refused meanwhile, nothing piles up, nothing is lost."""

import pytest

from tests.fix_library import Library
from tests.fix_standby import DRAINED_SECONDS, Pair, Run, waiting_for_standby

pytestmark = pytest.mark.long
ITEMS = (1001, 1002)


def test_marks_are_refused_while_the_synchronous_standby_is_gone(pair: Pair, library: Library, run: Run) -> None:
    library.add(*ITEMS)
    pair.be_synchronous()
    running = run(**pair.by_address)
    assert running.station.print_label(1001) == 200
    library.wait_until_drained(DRAINED_SECONDS)
    pair.standby.stop("immediate")
    assert [running.station.print_label(number) for number in ITEMS] == [503] * 2
    library.wait_until_drained(DRAINED_SECONDS)  # they are in the queue all the same, and no claim needs the standby
    running.notifier.wait_until(lambda: waiting_for_standby(pair.primary) == 0)
    running.check_sessions(pair.primary)
    pair.standby.start()
    pair.primary.wait_for_standby(pair.standby.name, "sync")
    assert running.station.print_label(1001) == 200
    running.check(pair.primary, listened=1)
