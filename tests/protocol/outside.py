"""All that comes from outside: time passes, Sierra does late writes, notifiers, sessions and a database are lost."""

from tests.protocol.states import (
    NO,
    Due,
    Hand,
    Holder,
    Item,
    Lease,
    Phase,
    Remembers,
    Standby,
    Unanswered,
    age,
    is_held,
    lose_answer,
    put,
    replicate,
)


class Outside:
    """Events that may come at any moment. Each returns the state after it, or None where it can't happen."""

    timeouts_left = 2  # of a lease, when a write begins

    def land(self, item: Item, text: int) -> Item | None:
        """Sierra does a write that had no answer."""
        return item._replace(sierra=text, ignored=0) if any(write.text == text for write in item.late) else None

    def end_lease(self, item: Item) -> Item | None:
        """A lease ends. No request outlasts it; its notifier, by its own clock, begins no other."""
        row = item.db.row
        if row is None or row.lease != Lease.LIVING:
            return None
        is_kept = row.holder == Holder.NOBODY
        if row.holder in (0, 1):
            hand = item.hands[row.holder]
            if hand.phase == Phase.SENT:
                return None
            item = put(item, row.holder, hand._replace(may_write=False))
        late = age(item.late) if is_kept or self.timeouts_left == 2 else item.late
        row = row._replace(lease=Lease.FREE if is_kept else Lease.LAPSED)
        return item._replace(db=item.db._replace(row=row), late=late)

    def end_lateness(self, item: Item) -> Item | None:
        """SIERRA_LATE_WRITE_SECONDS pass, longer than a lease: what was not done by now never will be.

        A write that Sierra does even later stands, and history is wrong: the next mark, or the ETL, finds it.
        """
        row = item.db.row
        if any(hand.phase == Phase.SILENT and is_held(row, n) for n, hand in enumerate(item.hands)):
            return None
        if row and row.holder not in (0, 1) and row.lease == Lease.LIVING:  # this lease ends before
            return None
        if row:
            if row.lease == Lease.LAPSED:
                row = row._replace(lease=Lease.OVER)
            if row.unanswered == Unanswered.RECENT:
                row = row._replace(unanswered=Unanswered.PAST)
            if row.due == Due.LATER:
                row = row._replace(due=Due.NOW)
        for n, hand in enumerate(item.hands):
            if hand.remembers == Remembers.YES:
                item = put(item, n, hand._replace(remembers=NO))
        return item._replace(late=(), db=item.db._replace(row=row))

    def crash(self, item: Item, n: int) -> Item:
        """The notifier is killed: its claims are nobody's, and its write goes on.

        Not promised, and so not here: that nothing is lost where it alone knows of an unanswered write and the database
        loses its last commits as well.
        """
        row, hand = item.db.row, item.hands[n]
        if item.standby != NO and (hand.phase in (Phase.SENT, Phase.SILENT) or hand.remembers != NO):
            return item
        if hand.phase == Phase.SENT:
            item = lose_answer(item, n)
        if row and row.holder in (n, Holder.STRAY + n):
            item = item._replace(db=item.db._replace(row=row._replace(holder=Holder.GONE)))
        if item.lagging and is_held(item.lagging.row, n):
            item = item._replace(lagging=item.lagging._replace(row=item.lagging.row._replace(holder=Holder.GONE)))
        return put(item, n, Hand())

    def lose_session(self, item: Item, n: int) -> Item:
        """The notifier loses its session with the database: it begins no write of what it holds."""
        return put(item, n, item.hands[n]._replace(may_write=False))

    def catch_up(self, item: Item) -> Item | None:
        """The standby receives all that is committed."""
        return replicate(item) if item.lagging else None

    def fail_over(self, item: Item) -> Item | None:
        """The standby takes over: the last commits are lost, but no mark, and all sessions end. A crash is less."""
        if item.lagging is None:
            return None
        row = item.lagging.row
        if row and row.holder in (0, 1) and not item.hands[row.holder].is_safe:
            row = row._replace(holder=Holder.STRAY + row.holder)
        # History may lack its last rows, so it is not held to what it tells.
        db = item.lagging._replace(row=row, told=None)
        for n, hand in enumerate(item.hands):
            remembers = Remembers.TELL if hand.remembers == Remembers.YES else hand.remembers
            item = put(item, n, hand._replace(may_write=False, is_safe=False, remembers=remembers))
        return item._replace(db=db, late=age(item.late), ignored=0, lagging=None, standby=Standby.PROMOTED)
