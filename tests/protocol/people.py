"""All that people and the ETL do: each action makes a new state of one, or returns None where it can't happen."""

from tests.protocol.outside import Outside
from tests.protocol.states import (
    NO,
    Due,
    Holder,
    Item,
    Lease,
    Row,
    Unanswered,
    forget_stale,
    replicate,
    store,
)


class People(Outside):
    """All that people and the ETL may do."""

    def __init__(self, classes: int = 3) -> None:
        self.classes = classes

    def sync(self, item: Item) -> Item | None:
        """Bring another class."""
        return item._replace(newest=item.newest + 1) if item.newest < self.classes else None

    def mark(self, item: Item) -> Item:
        """Ask for an update. It is on the standby when it is answered, with all that was committed before it."""
        row = self.after_mark(item.db.row or Row())
        return replicate(item._replace(db=item.db._replace(row=row, owed=item.newest)))

    def after_mark(self, row: Row) -> Row:
        """The row, due now. A lease and unanswered_at stay."""
        return row._replace(due=Due.NOW, was_marked=True, is_look=False, pushed=None, revert_of=None)

    def revert(self, item: Item) -> Item | None:
        """Ask to undo the newest push. An item that is queued stays as it is, unless it is only to be looked at.

        As a mark, it is on the standby when it is answered.
        """
        row, push = item.db.row, item.db.push
        if push is None or push.before == push.after:
            return None
        if row is None:
            return replicate(store(item, Row(revert_of=push)))
        if row.is_look and self.may_claim(row):
            return replicate(forget_stale(store(item, Row(revert_of=push, unanswered=Unanswered.RECENT))))
        return None

    def retry(self, item: Item) -> Item | None:
        """Give a rejected item another chance."""
        row = item.db.row
        return store(item, self.after_retry(row)) if row and row.due == Due.NEVER else None

    def after_retry(self, row: Row) -> Row:
        """The row, due now. A lease and unanswered_at stay; a revert stays one."""
        lease = Lease.LIVING if row.lease == Lease.LIVING else Lease.FREE
        row = row._replace(due=Due.NOW, holder=Holder.NOBODY, lease=lease)
        return row if row.revert_of else row._replace(was_marked=True, is_look=False, pushed=None)

    def dismiss(self, item: Item) -> Item | None:
        """Delete the row unpushed. History says so, if Sierra's text is not known."""
        row = item.db.row
        if row is None or not self.may_dismiss(row):
            return None
        is_known = row.unanswered == NO and row.lease == Lease.FREE
        return forget_stale(store(item, None, told=item.db.told if is_known else None, owed=0))

    def may_dismiss(self, row: Row) -> bool:
        """Tell whether no notifier holds the row, and no unanswered write may still be done."""
        return row.lease in (Lease.FREE, Lease.OVER) and row.unanswered != Unanswered.RECENT

    def may_claim(self, row: Row) -> bool:
        """Tell whether no lease holds the row."""
        return row.lease != Lease.LIVING
