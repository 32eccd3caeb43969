"""The queue's protocol in plain Python: each action makes a new state of one, or returns None where it can't happen.

`Protocol` is the protocol as it is; a subclass with another rule is one that is broken in that place. docs/queue.md
names the statement of each action. Of no account, for each of them only delays what may be delayed any time here: the
pause, the delay of a postponement, priorities, attempts.
"""

from tests.protocol.people import People
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
    Push,
    Remembers,
    Row,
    Standby,
    Unanswered,
    drop,
    due_at_look,
    forget_stale,
    is_held,
    lose_answer,
    put,
    store,
)


class Protocol(People):
    """All that notifiers may do."""

    def claim(self, item: Item, n: int) -> Item | None:
        """Take a due row, and read the item."""
        row, hand = item.db.row, item.hands[n]
        if row is None or row.due != Due.NOW or hand.phase != Phase.IDLE or not self.may_claim(row):
            return None
        text, undone = item.newest, row.revert_of
        if self.is_as_pushed(item, row):
            text = item.sierra
        if undone:
            text = undone.before if item.sierra in undone else REFUSED
        hand = hand._replace(
            phase=Phase.READ, text=text, read=item.sierra, may_write=text not in (REFUSED, item.sierra), is_safe=False
        )
        row = row._replace(holder=n, lease=Lease.LIVING, was_marked=False, unanswered=self.unanswered_at_claim(row))
        return forget_stale(store(put(item, n, hand), row))

    def is_as_pushed(self, item: Item, row: Row) -> bool:
        """Tell whether a look finds what the push left: it writes no class that the ETL has brought since."""
        return row.pushed == item.sierra

    def unanswered_at_claim(self, row: Row) -> str:
        """A holder whose lease lapsed may have sent a write: it counts as unanswered."""
        if row.lease in (Lease.LAPSED, Lease.OVER):
            return Unanswered.RECENT
        return Unanswered.SETTLED if row.unanswered == Unanswered.PAST else row.unanswered

    def send(self, item: Item, n: int) -> Item | None:
        """Begin the write, if two time-outs of the lease are left and the session of the claim was not lost."""
        hand = item.hands[n]
        return put(item, n, hand._replace(phase=Phase.SENT)) if hand.may_write and hand.phase == Phase.READ else None

    def hear(self, item: Item, n: int) -> Item | None:
        """Sierra does the write and says so."""
        done = item._replace(sierra=item.hands[n].text, ignored=0)
        return self.after_answer(done, n, Phase.WRITTEN) if item.hands[n].phase == Phase.SENT else None

    def hear_falsely(self, item: Item, n: int) -> Item | None:
        """Sierra says so, and does nothing. A notifier that doubts reads the item again, and sees that."""
        hand = item.hands[n]
        if hand.phase != Phase.SENT:
            return None
        is_seen = item.sierra != hand.text and self.doubts(item.db.push, hand)
        return self.after_answer(item, n, Phase.READ if is_seen else Phase.IGNORED)

    def stop_in_doubt(self, item: Item, n: int) -> Item | None:
        """Sierra says so falsely, and the notifier stops or fails before it has read the item again."""
        return self.in_doubt(item, n, Phase.IGNORED)

    def fail_in_doubt(self, item: Item, n: int) -> Item | None:
        """Sierra does the write and says so, and the notifier, in doubt, can't read the item again."""
        return self.in_doubt(item._replace(sierra=item.hands[n].text, ignored=0), n, Phase.WRITTEN)

    def in_doubt(self, item: Item, n: int, phase: str) -> Item | None:
        """The push is logged, and a later look is left to read the item."""
        hand, row = item.hands[n], item.db.row
        if hand.phase != Phase.SENT or not is_held(row, n) or not self.doubts(item.db.push, hand):
            return None
        item = item._replace(db=item.db._replace(row=row._replace(unanswered=self.unanswered_in_doubt(row))))
        return self.finish(put(item, n, hand._replace(phase=phase)), n)

    def unanswered_in_doubt(self, row: Row) -> str:
        """The row is looked at again, as if its write had had no answer."""
        return Unanswered.RECENT

    def doubts(self, newest: Push | None, hand: Hand) -> bool:
        """Tell whether Sierra had not the text that the newest push left there."""
        return newest is not None and newest.after != hand.read

    def after_answer(self, item: Item, n: int, phase: str) -> Item:
        """The notifier, after an answer. It counts as none where the session of the claim was lost."""
        hand = item.hands[n]
        return put(item, n, hand._replace(phase=phase if hand.may_write else Phase.SILENT, may_write=False))

    def be_refused(self, item: Item, n: int) -> Item | None:
        """Sierra refuses the write, and will not do it."""
        return self.after_answer(item, n, Phase.READ) if item.hands[n].phase == Phase.SENT else None

    def hear_nothing(self, item: Item, n: int) -> Item | None:
        """The write has no answer, or a proxy's."""
        hand = item.hands[n]
        if hand.phase != Phase.SENT:
            return None
        return put(lose_answer(item, n), n, hand._replace(phase=Phase.SILENT, may_write=False))

    def finish(self, item: Item, n: int) -> Item | None:
        """Log the push, or that there was nothing to write; delete the row, unless something keeps it."""
        db, hand = item.db, item.hands[n]
        is_pushed = hand.phase in (Phase.WRITTEN, Phase.IGNORED)
        if not is_pushed and (hand.phase != Phase.READ or hand.text != hand.read):
            return None
        item = drop(item, n)
        if not is_held(db.row, n):
            return item
        is_false = hand.phase == Phase.IGNORED and item.sierra != hand.text
        is_logged = is_pushed or self.logs_unchanged(db, hand)
        return store(
            item._replace(ignored=min(item.ignored + is_false, 2)),
            self.after_finish(db.row, hand.text),
            told=hand.text if is_logged else db.told,
            push=Push(hand.read, hand.text) if is_pushed else db.push,
            undone=db.row.revert_of if is_logged else db.undone,
            owed=0 if hand.text >= db.owed and not db.row.revert_of else db.owed,
        )

    def logs_unchanged(self, db: Database, hand: Hand) -> bool:
        """Tell whether there being nothing to write is logged: not where a look finds what the newest push left."""
        assert db.row is not None
        return not db.row.is_look or db.push is None or db.push.after != hand.text

    def after_finish(self, row: Row, text: int) -> Row | None:
        """The row, if it was marked again, or is to be looked at when its unanswered write can't be done any more."""
        left = row._replace(holder=Holder.NOBODY, lease=Lease.FREE, was_marked=False)
        if self.was_marked_again(row):
            return left
        if row.unanswered in (NO, Unanswered.SETTLED):
            return None
        return left._replace(due=due_at_look(row), is_look=True, pushed=text)

    def was_marked_again(self, row: Row) -> bool:
        """Tell whether the revision moved since the claim."""
        return row.was_marked

    def postpone(self, item: Item, n: int) -> Item | None:
        """Postpone or release the row. An unanswered write is recorded, whoever holds the row now."""
        row, hand = item.db.row, item.hands[n]
        if hand.phase not in (Phase.READ, Phase.SILENT):
            return None
        item = drop(item, n)
        if is_held(row, n):
            item = store(item, self.after_failure(row, hand))
        elif hand.phase == Phase.SILENT:
            item = self.record_unanswered(item)
        if hand.phase == Phase.SILENT and item.standby == Standby.FOLLOWS:
            item = put(item, n, item.hands[n]._replace(remembers=Remembers.YES))
        return item

    def after_failure(self, row: Row, hand: Hand) -> Row:
        """The row without its lease; with an unanswered write, with one until two time-outs after that was sent."""
        left = row._replace(holder=Holder.NOBODY, was_marked=False)
        if hand.phase == Phase.SILENT:
            return left._replace(lease=self.kept_lease(row), unanswered=Unanswered.RECENT)
        return left._replace(lease=Lease.FREE)

    def kept_lease(self, row: Row) -> str:
        """The lease of a row with an unanswered write. One that has lapsed is over."""
        return Lease.LIVING if row.lease == Lease.LIVING else Lease.FREE

    def reject(self, item: Item, n: int) -> Item | None:
        """Make the row due never, until a person acts; what was marked again is due now. Log a revert's text."""
        row, hand, after = item.db.row, item.hands[n], self.postpone(item, n)
        if after is None or not is_held(row, n) or self.was_marked_again(row):
            return None
        assert after.db.row is not None
        if self.waits_for_late_writes(left := after.db.row):
            return after._replace(db=after.db._replace(row=left._replace(due=due_at_look(left))))
        left = left._replace(due=Due.NEVER, is_look=False, pushed=None)
        if hand.phase == Phase.SILENT:  # claimed_by stays beside the kept lease: the next claim counts it as lapsed
            left = left._replace(holder=Holder.GONE, lease=left.lease if left.lease == Lease.LIVING else Lease.LAPSED)
        return after._replace(db=after.db._replace(row=left, told=hand.read if row.revert_of else after.db.told))

    def waits_for_late_writes(self, row: Row) -> bool:
        """Tell whether it is too early to reject the row: a revert is told with the text that Sierra has for good."""
        return row.revert_of is not None and row.unanswered in (Unanswered.RECENT, Unanswered.PAST)

    def record_unanswered(self, item: Item) -> Item:
        """Have the item looked at again, though its row is another's or gone. It must not undo a revert."""
        row = item.db.row or Row(due=Due.LATER, is_look=True, revert_of=self.undone_by_newest(item.db))
        return store(item, row._replace(unanswered=Unanswered.RECENT))

    def undone_by_newest(self, db: Database) -> Push | None:
        """The push that a look at the item has to leave undone."""
        return db.undone

    def recheck(self, item: Item, n: int) -> Item | None:
        """Record an unanswered write once more, after a reconnect: the first record may be lost."""
        if item.hands[n].remembers != Remembers.TELL:
            return None
        return self.record_unanswered(put(item, n, item.hands[n]._replace(remembers=NO)))

    def give_back(self, item: Item, n: int) -> Item | None:
        """Give back, after a reconnect, what is claimed but not in hand. An unanswered write of it is rechecked."""
        row = item.db.row
        if row is None or row.holder != Holder.STRAY + n:
            return None
        return store(item, self.after_failure(row, Hand()))
