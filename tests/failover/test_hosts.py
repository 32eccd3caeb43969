"""DB_HOST names both servers: each process follows the primary by itself, whether the other refuses or is silent."""

import pytest

from tests.fix_standby import HOST, LISTENING, Pair, Run, hosts

pytestmark = pytest.mark.long


def test_processes_that_know_both_hosts_follow_the_primary_there_and_back(pair: Pair, run: Run) -> None:
    pair.be_synchronous()
    running = run(**pair.by_hosts)
    with running.marking():
        pair.fail_over()
    pair.take_back()
    running.notifier.wait_for_words(LISTENING, 2)
    with running.marking():
        pair.switch_over()
    running.check(pair.primary, listened=3)


def test_processes_leave_a_primary_whose_machine_is_gone_without_a_word(pair: Pair, run: Run) -> None:
    """Its sessions and each new connection to it are silent: no packet comes back from there."""
    pair.be_synchronous()
    running = run(**hosts((pair.address.host, pair.address.port), (HOST, pair.second.port)))
    with running.marking():
        pair.address.black_hole()
        pair.fail_over()
    running.check(pair.primary)
