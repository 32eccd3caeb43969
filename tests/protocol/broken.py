"""Protocols with one rule missing, each with the promise that this breaks: the exploration must find its story."""

from collections.abc import Sequence
from typing import ClassVar

from tests.protocol.rules import Protocol
from tests.protocol.states import (
    NO,
    REFUSED,
    Database,
    Due,
    Hand,
    Holder,
    Item,
    Lease,
    Phase,
    Row,
    Unanswered,
    drop,
    is_held,
    put,
    store,
)

HISTORY = "at_rest_sierra_has_what_history_says"
TWO_WRITES = "no_write_is_sent_within_two_timeouts_of_another"
WAITS = "every_row_comes_to_a_good_end"


class Broken(Protocol):
    """The promise that is broken, and the setting in which; `after` these steps, where the story is long."""

    breaks: ClassVar[str]
    standby: ClassVar[str] = NO
    without: ClassVar[str] = "revert dismiss"
    needs_classes: ClassVar[int] = 2
    after: ClassVar[Sequence[str]] = ()


class FinishWithoutRevision(Broken):
    """A mark made during the push is deleted with the row."""

    breaks = "every_mark_is_pushed_or_dismissed_or_waits"

    def was_marked_again(self, row: Row) -> bool:
        return False


class WriteWithoutLease(Broken):
    """A slow notifier writes an item that another has taken over."""

    breaks = TWO_WRITES

    def send(self, item: Item, n: int) -> Item | None:
        hand = item.hands[n]
        return put(item, n, hand._replace(phase=Phase.SENT, may_write=True)) if hand.phase == Phase.READ else None


class LeaseOfOneTimeout(Broken):
    """A write begins with one time-out of the lease left; its notifier is killed, and the next begins too soon."""

    breaks = TWO_WRITES
    timeouts_left = 1


class ClaimIgnoresLease(Broken):
    """Two notifiers push one item."""

    breaks = TWO_WRITES

    def may_claim(self, row: Row) -> bool:
        return True


class DueAtOnceAfterTimeout(Broken):
    """Postpone and release lift the lease of an unanswered write."""

    breaks = TWO_WRITES

    def kept_lease(self, row: Row) -> str:
        return Lease.FREE


class RetryLiftsLease(Broken):
    """A person retries what was rejected after an unanswered write, and it is written at once."""

    breaks = TWO_WRITES

    def after_retry(self, row: Row) -> Row:
        return super().after_retry(row)._replace(lease=Lease.FREE)


class TimeoutIsForgotten(Broken):
    """A time-out is taken for a write that was not done."""

    breaks = HISTORY

    def after_failure(self, row: Row, hand: Hand) -> Row:
        return super().after_failure(row, hand)._replace(unanswered=row.unanswered)


class MarkLiftsUnanswered(Broken):
    """A mark begins anew, though the write before it may still be done."""

    breaks = HISTORY

    def after_mark(self, row: Row) -> Row:
        return super().after_mark(row)._replace(unanswered=NO)


class FinishDeletesUnanswered(Broken):
    """A finished row is deleted, though an older write may still be done."""

    breaks, without = HISTORY, "revert dismiss stop_in_doubt fail_in_doubt"

    def after_finish(self, row: Row, text: int) -> Row | None:
        return super().after_finish(row._replace(unanswered=NO), text)


class FinishLiftsUnanswered(Broken):
    """The row is kept to be looked at, but a mark before that look has it deleted."""

    breaks = HISTORY

    def after_finish(self, row: Row, text: int) -> Row | None:
        left = super().after_finish(row, text)
        return left and left._replace(unanswered=NO)


class FinishGoesByItsOwnTime(Broken):
    """The last look was before the late write, its finish after SIERRA_LATE_WRITE_SECONDS."""

    breaks = HISTORY

    def after_finish(self, row: Row, text: int) -> Row | None:
        return super().after_finish(row._replace(unanswered=NO) if row.unanswered == Unanswered.PAST else row, text)


class LapsedLeaseIsForgotten(Broken):
    """A notifier is killed between its write and the record of it."""

    breaks = HISTORY

    def unanswered_at_claim(self, row: Row) -> str:
        return super().unanswered_at_claim(row._replace(lease=Lease.FREE))


class DismissForgetsUnanswered(Broken):
    """A dismissed item is marked and pushed, and then the write from before the dismissal is done."""

    breaks, without = HISTORY, "revert"

    def may_dismiss(self, row: Row) -> bool:
        return row.lease != Lease.LIVING


class ClaimForgetsUnanswered(Broken):
    """A claim lifts what is past, and gives the row back; its dismissal then does not say that a text is not known."""

    breaks, without = HISTORY, "revert"

    def unanswered_at_claim(self, row: Row) -> str:
        return NO if row.unanswered == Unanswered.PAST else super().unanswered_at_claim(row)


class LookIsNeverLogged(Broken):
    """A look writes a class that the ETL brought meanwhile, has no answer, and finds it done at the next look."""

    breaks = HISTORY

    def logs_unchanged(self, db: Database, hand: Hand) -> bool:
        assert db.row is not None
        return not db.row.is_look


class RefusedLookIsDropped(Broken):
    """An older write is done on top of a revert; the look takes its text for one of staff's."""

    breaks, without = HISTORY, "dismiss"

    def finish(self, item: Item, n: int) -> Item | None:
        hand, row = item.hands[n], item.db.row
        if hand.phase == Phase.READ and hand.text == REFUSED and is_held(row, n) and row.is_look:
            return store(drop(item, n), self.after_finish(row, hand.read))
        return super().finish(item, n)


class RefusalDropsTheLook(Broken):
    """A revert takes the place of a look, is refused, and then the older write is done."""

    breaks, without = HISTORY, "dismiss"

    def waits_for_late_writes(self, row: Row) -> bool:
        return False


class DeadLeaseNeverLapses(Broken):
    """The claim of a notifier that was killed is nobody's to take."""

    breaks, needs_classes = WAITS, 1

    def end_lease(self, item: Item) -> Item | None:
        return None if item.db.row and item.db.row.holder == Holder.GONE else super().end_lease(item)


class LookNeverComes(Broken):
    """The row that was kept is due never."""

    breaks, needs_classes = WAITS, 1

    def end_lateness(self, item: Item) -> Item | None:
        return None if item.db.row and item.db.row.due == Due.LATER else super().end_lateness(item)


BROKEN = Broken.__subclasses__()
