"""An outcome that the new primary does not know is found again by another push, without the wait for a lease."""

import pytest

from tests.fix_library import Library
from tests.fix_sierra import SierraInThread
from tests.fix_standby import DRAINED_SECONDS, Pair, Run

pytestmark = pytest.mark.long


def test_item_whose_lost_outcome_left_it_claimed_is_pushed_again_at_once(
    pair: Pair, library: Library, sierra: SierraInThread, run: Run
) -> None:
    """The new primary has the claim and not its end. The claim is of a notifier that lives, and that has it no more."""
    library.add(1001)
    running = run(**pair.by_address, sierra_api_client_timeout_seconds=20)  # a lease of 130 s
    written = sierra.hold("put_item")
    library.mark(1001)
    written.block_until_reached()
    pair.cut_replication()
    written.off()
    library.wait_until_drained(DRAINED_SECONDS)
    pair.fail_over()
    pair.lead_to_primary()
    running.check(pair.primary)
    assert len(sierra.puts("1001")) == 1
