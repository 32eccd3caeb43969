"""The queue's protocol keeps its promises in all states that two notifiers can bring one item into, or two.

The promises are functions of tests/protocol/explore.py. Two cases are not promised, and so not in outside.py: that
Sierra does a write later than SIERRA_LATE_WRITE_SECONDS after it was sent; and that the database loses its last commits
as a notifier with an unanswered write is killed. The next mark finds what came of them, or the ETL does.
"""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.protocol import broken
from tests.protocol.broken_failover import BROKEN_AT_A_FAILOVER, LOOKED_FOR, PUSHED, REVERTS_TOO, WRITES_ONLY
from tests.protocol.broken_in_doubt import BROKEN_IN_DOUBT
from tests.protocol.explore import PROMISES, Story, explore, no_write_is_sent_within_two_timeouts_of_another
from tests.protocol.rules import Protocol
from tests.protocol.states import Item, Standby, is_held, put


def held(story: Story) -> bool:
    """True if no promise was broken; else the story is printed, a line per step."""
    print(f"{story.states} states, {story.depth} steps deep", *story.lines, sep="\n")
    return story.broken is None


@pytest.mark.timeout(600)
def test_one_item_keeps_all_promises_in_every_state() -> None:
    assert held(explore(Protocol(), without="revert"))


@pytest.mark.long
@pytest.mark.timeout(600)
def test_one_item_that_is_reverted_as_well_keeps_all_promises() -> None:
    assert held(explore(Protocol(classes=2)))


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_failover_breaks_no_promise_within_sixteen_steps() -> None:
    assert held(explore(Protocol(classes=2), standby=Standby.FOLLOWS, without=WRITES_ONLY, depth=16))


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("after", "depth"), [(PUSHED, 13), (LOOKED_FOR, 15)], ids=["pushed", "to recheck"])
def test_a_failover_amid_a_revert_breaks_no_promise(after: Sequence[str], depth: int) -> None:
    assert held(explore(Protocol(classes=2), standby=Standby.FOLLOWS, without=REVERTS_TOO, depth=depth, after=after))


class NoticedLate(Protocol):
    """A notifier goes on writing under its claims after the failover, until it loses its session."""

    def fail_over(self, item: Item) -> Item | None:
        after = super().fail_over(item)
        for n, hand in enumerate(item.hands):
            after = after and put(after, n, after.hands[n]._replace(may_write=hand.may_write))
        return after

    def after_answer(self, item: Item, n: int, phase: str) -> Item:
        return super().after_answer(item if is_held(item.db.row, n) else self.lose_session(item, n), n, phase)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_failover_that_is_noticed_late_leaves_sierra_as_history_says() -> None:
    """Two notifiers may write at a time then."""
    promises = [promise for promise in PROMISES if promise is not no_write_is_sent_within_two_timeouts_of_another]
    without = WRITES_ONLY.replace("lose_session", "")
    setting: dict[str, Any] = {"standby": Standby.FOLLOWS, "without": without, "promises": promises, "depth": 14}
    assert held(explore(NoticedLate(classes=2), **setting))


@pytest.mark.long
@pytest.mark.timeout(600)
def test_two_items_keep_all_promises_for_twelve_steps() -> None:
    assert held(explore(Protocol(), items=2, depth=12, without="revert dismiss"))


@pytest.mark.parametrize("protocol", [*broken.BROKEN, *BROKEN_IN_DOUBT, *BROKEN_AT_A_FAILOVER])
def test_each_rule_is_needed(protocol: type[broken.Broken]) -> None:
    setting: dict[str, Any] = {"standby": protocol.standby, "without": protocol.without, "after": protocol.after}
    story = explore(protocol(classes=protocol.needs_classes), **setting)
    assert story.broken == protocol.breaks
    print(*story.lines, sep="\n")


def test_a_story_tells_each_step_and_the_state_after_it() -> None:
    assert explore(broken.FinishWithoutRevision(classes=2), without="revert dismiss hear_falsely").lines == [
        "mark                   -> due now, marked again; Sierra has 0, history says 0",
        "A claim                -> due now, A's lease living, A read 1; Sierra has 0, history says 0",
        "sync                   -> due now, A's lease living, A read 1; Sierra has 0, history says 0",
        "mark                   -> due now, A's lease living, marked again, A read 1; Sierra has 0, history says 0",
        "A send                 -> due now, A's lease living, marked again, A sent 1; Sierra has 0, history says 0",
        "A hear                 -> due now, A's lease living, marked again, A written 1; Sierra has 1, history says 0",
        "A finish               -> not queued; Sierra has 1, history says 1",
    ]
