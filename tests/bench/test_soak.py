"""Nothing is lost or damaged, whatever happens: for a minute what `python -m bench.soak` does for longer."""

import pytest

from bench.soak import Plan, kills, run

SEED = 7
pytestmark = pytest.mark.long


@pytest.mark.timeout(480)
def test_every_promise_is_kept_under_random_faults() -> None:
    told = run(Plan(seconds=60), SEED)
    assert told["broken"] == [], told
    assert len(told["faults"]) >= 5, "there were many kinds"
    assert told["puts"] > 100, "there was work"
    assert told["tended"] > 10, "a DBA paused, dismissed and retried"
    assert told["reverts"] > 10, "another one undid pushes"
    assert told["staff"] > 10, "Sierra's staff edited, transferred and deleted"


@pytest.mark.timeout(400)
def test_no_mark_of_ten_thousand_is_lost_while_notifiers_are_killed() -> None:
    told = run(kills(10_000), SEED)
    assert told["broken"] == [], told
    assert told["marks_acknowledged"] >= 10_000
    assert told["faults"]["kill_notifier"] >= 3
