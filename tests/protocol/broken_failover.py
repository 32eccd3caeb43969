"""Protocols with one rule missing that matters when the database fails over, each with the promise that this breaks."""

from tests.protocol.broken import HISTORY, TWO_WRITES, Broken
from tests.protocol.states import NO, Database, Item, Phase, Push, Standby, put

REVERTS_TOO = "dismiss retry reject hear_falsely stop_in_doubt fail_in_doubt be_refused crash lose_session"
WRITES_ONLY = f"{REVERTS_TOO} revert"

PUSHED = ("mark", "A claim", "A send", "A hear", "A finish", "catch_up")
LOOKED_FOR = (  # the write of a newer class has had no answer, and is on its way; then it was done by another
    *(*PUSHED, "sync", "mark", "A claim", "A send", "A hear_nothing", "A postpone"),
    *("end_lease", "A claim", "A send", "A hear", "A finish", "catch_up"),
)


class BrokenAtAFailover(Broken):
    """A standby follows, and may take over."""

    standby = Standby.FOLLOWS
    without = WRITES_ONLY


class WriteAfterLostSession(BrokenAtAFailover):
    """A notifier goes on writing what it holds, though the new database may not know its claim."""

    breaks = TWO_WRITES

    def send(self, item: Item, n: int) -> Item | None:
        hand = item.hands[n]
        if hand.phase == Phase.READ and item.standby == Standby.PROMOTED:
            return put(item, n, hand._replace(phase=Phase.SENT, may_write=True))
        return super().send(item, n)


class LostClaimIsForgotten(BrokenAtAFailover):
    """A write was under way as the claim was lost, and its row is another's by now, or gone."""

    breaks = HISTORY

    def record_unanswered(self, item: Item) -> Item:
        return item


class RecordIsMadeOnce(BrokenAtAFailover):
    """The record of an unanswered write is lost, and is not made again."""

    breaks = HISTORY

    def recheck(self, item: Item, n: int) -> Item | None:
        after = super().recheck(item, n)
        return after and after._replace(db=item.db)


class LookUndoesARevert(BrokenAtAFailover):
    """A revert was under way as its claim was lost; the look that follows takes its text for one to be replaced."""

    breaks, without = HISTORY, REVERTS_TOO
    after = (*LOOKED_FOR, "revert", "end_lateness", "A claim", "A send", "fail_over", "A hear", "B claim", "B finish")

    def undone_by_newest(self, db: Database) -> Push | None:
        return None


class LongAwayIsForgotten(BrokenAtAFailover):
    """SIERRA_LATE_WRITE_SECONDS pass before the notifier reaches the new database, and it drops its memory."""

    breaks = HISTORY

    def end_lateness(self, item: Item) -> Item | None:
        after = super().end_lateness(item)
        return after and after._replace(hands=(after.hands[0]._replace(remembers=NO), after.hands[1]))


BROKEN_AT_A_FAILOVER = BrokenAtAFailover.__subclasses__()
