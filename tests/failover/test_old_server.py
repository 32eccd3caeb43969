"""The old primary is left up beside the new one."""

import pytest

from tests.fix_standby import Pair, Run, waiting_for_standby

pytestmark = pytest.mark.long


def test_processes_leave_an_old_server_that_only_reads(pair: Pair, run: Run) -> None:
    running = run(**pair.by_address)
    with running.marking():
        old = pair.primary
        old.set("default_transaction_read_only", "on")
        old.wait_for_standby(pair.standby.name)
        pair.promote()
        pair.lead_to_primary()
    running.check(pair.primary)
    running.wait_until_gone_from(old)


def test_old_primary_acknowledges_no_mark_once_its_synchronous_standby_is_promoted(pair: Pair, run: Run) -> None:
    """It still takes writes, and is found first; but its commits wait for a standby that follows it no more."""
    pair.be_synchronous()
    running = run(**pair.by_hosts)
    with running.marking():
        old = pair.primary
        pair.promote()
        running.api.wait_until(lambda: waiting_for_standby(old) > 0)
        old.stop("immediate")
    running.check(pair.primary)
