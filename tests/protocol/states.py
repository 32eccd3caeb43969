"""The states of the queue's protocol: one item, and what two notifiers, Sierra and the database hold of it.

Texts are numbers: 0 is the call number before all else, k the one with the k-th class that the ETL brought. Time is
told by what it ends: a lease, or SIERRA_LATE_WRITE_SECONDS.
"""

from typing import Any, NamedTuple, TypeGuard

NO = "no"
REFUSED = -1  # the text of a revert that can't be


class Holder:
    """The notifier that claimed the row, 0 or 1. GONE was killed, or rejected it; STRAY + n: n has forgotten."""

    NOBODY, GONE, STRAY = -1, 2, 3


class Lease:
    """LIVING without a holder: kept for an unanswered write. OVER: LAPSED, SIERRA_LATE_WRITE_SECONDS ago."""

    FREE, LIVING, LAPSED, OVER = "free", "living", "lapsed", "over"


class Due:
    """LATER: when the unanswered write can't be done any more. NEVER: rejected."""

    NOW, LATER, NEVER = "now", "later", "never"


class Unanswered:
    """unanswered_at. PAST: SIERRA_LATE_WRITE_SECONDS ago; SETTLED: it was so when the row was claimed."""

    RECENT, PAST, SETTLED = "recent", "past", "settled"


class Phase:
    """A notifier's push. SILENT: it has to record that its write had no answer."""

    IDLE, READ, SENT, WRITTEN, IGNORED, SILENT = "idle", "read", "sent", "written", "ignored", "silent"


class Remembers:
    """A notifier's unanswered writes, recorded but not long ago. TELL: the record may be lost."""

    YES, TELL = "yes", "tell"


class Standby:
    """A second database, which may lack the first one's last commits."""

    FOLLOWS, PROMOTED = "follows", "promoted"


class Push(NamedTuple):
    """The texts before and after, as history has them."""

    before: int
    after: int


class Row(NamedTuple):
    """The item's row in update_queue.

    `was_marked`: its revision moved since the claim. `is_look`: it is pushed, and only to be looked at again; `pushed`
    is the text that Sierra had then, None: it is not known.
    """

    due: str = Due.NOW
    holder: int = Holder.NOBODY
    lease: str = Lease.FREE
    was_marked: bool = False
    unanswered: str = NO
    is_look: bool = False
    pushed: int | None = None
    revert_of: Push | None = None


class Hand(NamedTuple):
    """One notifier's hold on the item: the text to write, and the one read. `is_safe`: the standby knows the claim."""

    phase: str = Phase.IDLE
    text: int = 0
    read: int = 0
    may_write: bool = False
    is_safe: bool = False
    remembers: str = NO


class Write(NamedTuple):
    """A write without an answer. `is_young`: sent less than two time-outs ago, under a lease that counts."""

    text: int
    is_young: bool


class Database(NamedTuple):
    """The row; the text that history says Sierra has (None: it is not known), and its newest push.

    `undone`: the push that its newest line undid, if it was a revert's. `owed`: the class that a mark was answered for
    and that is neither pushed nor dismissed, 0 if there is none.
    """

    row: Row | None = None
    told: int | None = 0
    push: Push | None = None
    undone: Push | None = None
    owed: int = 0


class Item(NamedTuple):
    """One item with all that holds it.

    `late`: writes that may be done at any moment. `ignored`: how many writes history believes, in a row, of which
    Sierra only said that they were done; 2 are many. `lagging`: the database as the standby has it, if that is
    different.
    """

    newest: int = 1
    sierra: int = 0
    late: tuple[Write, ...] = ()
    hands: tuple[Hand, Hand] = (Hand(), Hand())
    db: Database = Database()
    ignored: int = 0
    standby: str = NO
    lagging: Database | None = None


def due_at_look(row: Row) -> str:
    """When the unanswered write of the row can't be done any more."""
    return Due.LATER if row.unanswered == Unanswered.RECENT else Due.NOW


def store(item: Item, row: Row | None, **history: Any) -> Item:
    """Commit the row, and what history tells."""
    db = item.db._replace(row=row, **history)
    if item.standby == Standby.FOLLOWS and item.lagging is None and db != item.db:
        return item._replace(db=db, lagging=item.db)
    return item._replace(db=db)


def replicate(item: Item) -> Item:
    """Have all that is committed on the standby."""
    if item.standby != Standby.FOLLOWS:
        return item
    a, b = (hand._replace(is_safe=hand.phase != Phase.IDLE) for hand in item.hands)
    return item._replace(lagging=None, hands=(a, b))


def put(item: Item, n: int, hand: Hand) -> Item:
    """Change what the notifier holds."""
    return item._replace(hands=(hand, item.hands[1]) if n == 0 else (item.hands[0], hand))


def drop(item: Item, n: int) -> Item:
    """Have the notifier hold nothing."""
    return put(item, n, Hand(remembers=item.hands[n].remembers))


def is_held(row: Row | None, n: int) -> TypeGuard[Row]:
    """Tell whether the row is still as the notifier has claimed it."""
    return row is not None and row.holder == n


def forget_stale(item: Item) -> Item:
    """Empty the hands whose claim is theirs no more, unless they may begin a write, have sent it, or must record it.

    The statements do nothing for them. Without this there are ten times as many states, of no other kind.
    """
    for n, hand in enumerate(item.hands):
        is_idle = hand.phase in (Phase.WRITTEN, Phase.IGNORED) or (hand.phase == Phase.READ and not hand.may_write)
        is_known = hand.phase == Phase.SILENT and item.standby == NO  # the claim of a lapsed lease has recorded it
        if (is_idle or is_known) and not is_held(item.db.row, n):
            item = drop(item, n)
    return item


def lose_answer(item: Item, n: int) -> Item:
    """Leave the write under way: it may be done at any moment from now on, more than once, or never."""
    write = Write(item.hands[n].text, is_young=is_held(item.db.row, n))
    return item if write in item.late else item._replace(late=tuple(sorted((*item.late, write))))


def age(late: tuple[Write, ...]) -> tuple[Write, ...]:
    """The writes, two time-outs after the last was sent."""
    return tuple(sorted({write._replace(is_young=False) for write in late}))


def swap(item: Item) -> Item:
    """The same with the notifiers' names exchanged."""
    names = {0: 1, 1: 0, Holder.STRAY: Holder.STRAY + 1, Holder.STRAY + 1: Holder.STRAY}

    def swapped(db: Database) -> Database:
        row = db.row
        return db._replace(row=row._replace(holder=names[row.holder])) if row and row.holder in names else db

    a, b = item.hands
    return item._replace(hands=(b, a), db=swapped(item.db), lagging=item.lagging and swapped(item.lagging))
