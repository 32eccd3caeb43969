"""The old primary is left up, able to read only, and new connections lead elsewhere: each process follows by itself."""

import pytest

from tests.fix_standby import Pair, Run

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
