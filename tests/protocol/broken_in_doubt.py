"""Protocols with one rule missing that matters where an answer is no proof, each with the promise that this breaks."""

from tests.protocol.broken import HISTORY, Broken
from tests.protocol.states import Hand, Item, Phase, Push, Row, put


class BrokenInDoubt(Broken):
    """Sierra says falsely that a write was done."""

    breaks = "one_false_answer_at_most_is_believed"


class AnswerIsProof(BrokenInDoubt):
    """Sierra's 204 is believed each time."""

    def doubts(self, newest: Push | None, hand: Hand) -> bool:
        return False


class StopBelievesInDoubt(BrokenInDoubt):
    """A notifier stops before it has read the item again, and takes the answer for a proof."""

    def unanswered_in_doubt(self, row: Row) -> str:
        return row.unanswered


class FailureInDoubtIsPostponed(BrokenInDoubt):
    """A push that was done is not in history, for the item could not be read again; a person dismisses it."""

    breaks, without = HISTORY, "revert"

    def in_doubt(self, item: Item, n: int, phase: str) -> Item | None:
        hand = item.hands[n]
        if phase == Phase.WRITTEN and super().in_doubt(item, n, phase):
            return self.postpone(put(item, n, hand._replace(phase=Phase.READ)), n)
        return super().in_doubt(item, n, phase)


class DoubtOnlyTheTextBefore(BrokenInDoubt):
    """A late write lands between two that were not done, and hides them."""

    def doubts(self, newest: Push | None, hand: Hand) -> bool:
        return newest is not None and newest.before == hand.read


BROKEN_IN_DOUBT = BrokenInDoubt.__subclasses__()
