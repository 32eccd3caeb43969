"""The queue's protocol once more, in plain Python, to hold the database's statements against.

Time goes by in ticks of half an hour. Leases and delays last an odd number of ticks and the clock advances by even
ones: no end ever meets a now, whatever seconds a test takes. A push is known here by its object, a mark by its number.
"""

from collections import Counter
from collections.abc import Sequence

from db.queue import Claim, Finish
from tests.db.queue_row import LATE_TICKS, LEASE_TICKS, NO_ANSWER, Push, Row

Logged = tuple[int, str, int, str, str, str | None, int | None]


class Model:
    """The queue and its history as they have to be."""

    def __init__(self) -> None:
        self.now = 0
        self.step = 0
        self.rows: dict[int, Row] = {}
        self.log: Counter[Logged] = Counter()
        self.marks: Counter[int] = Counter()
        self.owed: set[int] = set()
        self.undone: dict[int, int | None] = {}
        self.paused = False
        self.resumes: int | None = None

    def mark(self, item: int, by: str, priority: int, *, enters_anew: bool = True) -> None:
        """Enter, or the next revision. A lease stays; what was rejected enters anew, but not by a hand's plain SQL."""
        self.marks[item] += 1
        self.owed.add(item)
        row = self.rows.get(item)
        if row is None:
            self.rows[item] = Row(priority, by, self.now, self.now, self.step)
            return
        if (row.due is None or row.is_pushed) and enters_anew:
            row.queued_at, row.queued_by = self.now, by
        if enters_anew:
            row.priority = min(row.priority, priority)
        row.revision += 1
        row.attempts, row.error, row.revert_of = 0, None, None
        self._due_now(row)

    def revert(self, item: int, update_log_id: int, by: str) -> bool:
        """Enter to be undone. False: it is queued already, and stays as it is; but not what is only to be rechecked."""
        row = self.rows.get(item)
        if row and not (row.is_pushed and (row.lease or 0) <= self.now):
            return False
        self.rows.pop(item, None)
        self.mark(item, by, 1)
        self.rows[item].revert_of = update_log_id
        self.rows[item].unanswered = self.now if row else None
        return True

    def claimable(self) -> list[tuple[int, int, int]]:
        """Priority, time and order of what a claim may take, the first to be taken first."""
        if self.is_paused:
            return []
        free = [row for row in self.rows.values() if row.lease is None or row.lease <= self.now]
        return sorted((row.priority, row.due, row.order) for row in free if row.due is not None and row.due <= self.now)

    def claim(self, notifier: str, claims: Sequence[Claim]) -> list[Push]:
        """These were given to it."""
        pushes = []
        for claim in claims:
            row = self.rows[claim.item_record_id]
            row.attempts = 1 if self._was_rejected(row) else row.attempts + 1
            row.unanswered = self.now if row.has_lapsed else row.unanswered
            row.claimed_by, row.lease = notifier, self.now + LEASE_TICKS
            row.push = Push(claim, notifier, self.marks[claim.item_record_id], row.revert_of, self.now)
            pushes.append(row.push)
        return pushes

    def finish(self, push: Push, outcome: str, unanswered: bool = False) -> Finish | None:
        """None: it is another's."""
        row = self._row_of(push)
        if row is None:
            return None
        item, attempts = push.claim.item_record_id, max(row.attempts, 1)
        if not (outcome == "unchanged" and row.pushed_revision == push.claim.revision):
            self._write_log(item, row, outcome, push.notifier, None, push.revert_of, attempts)
        if unanswered:
            row.unanswered = self.now
        if not self._is_newest(push):
            self._start_anew(row)
            return "marked again"
        self.owed.discard(item)
        if row.unanswered is None or row.unanswered + LATE_TICKS <= push.at:
            del self.rows[item]
            return "finished"
        row.give_back()
        row.priority, row.attempts, row.error, row.pushed_revision = 2, 0, None, row.revision
        row.due, row.order = row.unanswered + LATE_TICKS, self.step
        return "finished"

    def postpone(self, push: Push, ticks: int, reason: str, keep: int | None = None) -> int | None:
        """The ticks until it can be claimed; None: it is another's."""
        row = self._row_of(push)
        if row is None:
            return None
        if not self._is_newest(push):
            self._start_anew(row)
            self._keep(row, keep)
            return keep or 0
        row.give_back()
        self._keep(row, keep)
        row.due, row.order, row.error = self.now + ticks, self.step, reason
        return max(ticks, keep or 0)

    def reject(self, push: Push, reason: str, keep: int | None = None) -> bool | None:
        """True: it waits for a person; None: it is another's; False: marked again, or a revert, and it is too early."""
        row = self._row_of(push)
        if row is None:
            return None
        if not self._is_newest(push):
            self._start_anew(row)
            self._keep(row, keep)
            return False
        row.lease, row.push, row.error = None, None, reason
        self._keep(row, keep)
        late = (row.unanswered or 0) + LATE_TICKS
        if push.revert_of is not None and row.unanswered is not None and late > push.at:
            row.claimed_by, row.due, row.order = None, late, self.step
            return False
        row.due = row.pushed_revision = None
        self._write_log(push.claim.item_record_id, row, "rejected", push.notifier, reason, push.revert_of)
        return True

    def release(self, push: Push, ticks: int, reason: str, keep: int | None = None) -> None:
        """The lease and the attempt are given back; due as before, or later if it was not marked meanwhile."""
        row = self._row_of(push)
        if row is None:
            return
        row.give_back()
        self._keep(row, keep)
        row.attempts = max(row.attempts - 1, 0)
        if ticks and self._is_newest(push):
            row.due, row.order, row.error = self.now + ticks, self.step, reason

    def give_back(self, notifier: str, in_hand: Sequence[int]) -> list[int]:
        """All that it leases goes back, but for what it has in hand."""
        strays = [
            item
            for item, row in self.rows.items()
            if row.claimed_by == notifier
            and row.due is not None
            and (row.lease or 0) > self.now
            and item not in in_hand
        ]
        for row in map(self.rows.__getitem__, strays):
            row.give_back()
            row.attempts = max(row.attempts - 1, 0)
        return strays

    def recheck(self, items: Sequence[int], notifier: str) -> None:
        """A write of theirs may be done late, under a claim that is not known any more."""
        for item in items:
            if item not in self.rows:
                due, undone = self.now + LATE_TICKS, self.undone.get(item)
                self.rows[item] = Row(2, notifier, self.now, due, self.step, pushed_revision=1, revert_of=undone)
            self.rows[item].unanswered = self.now

    def rejected(self, reason: str = "") -> set[int]:
        """The items that were rejected, with this in their reasons."""
        return {item for item, row in self.rows.items() if row.due is None and reason in (row.error or "")}

    def retry(self, items: Sequence[int], person: str, reason: str = "") -> list[int]:
        """Those of them that were rejected enter anew, behind the print stations; a revert is one still."""
        chosen = [item for item in items if item in self.rejected(reason)]
        for item in chosen:
            row = self.rows[item]
            revert_of, revision = row.revert_of, row.revision
            self.mark(item, person, priority=2)
            if revert_of is not None:
                row.revert_of, row.revision = revert_of, revision
            row.priority = max(row.priority, 1)
            row.give_back(row.lease if row.lease is not None and row.lease > self.now else None)
        return chosen

    def make_due(self, item: int) -> None:
        """A hand sets due_at and nothing else."""
        if item in self.rows:
            self._due_now(self.rows[item])

    def dismiss(self, items: Sequence[int], person: str, reason: str | None = None) -> list[int]:
        """Off the queue, unpushed; for a reason, only those that were rejected for it. Not what may be written."""
        named = self.rows.keys() if reason is None else self.rejected(reason)
        found = [item for item in items if item in named and not self.rows[item].may_be_written(self.now)]
        for item in found:
            row = self.rows[item]
            unknown = NO_ANSWER if row.has_lapsed or row.unanswered is not None else None
            error = "; ".join(filter(None, (row.error, unknown))) or None
            self._write_log(item, row, "dismissed", person, error, row.revert_of)
            del self.rows[item]
            self.owed.discard(item)
        return found

    def next_wake(self) -> int | None:
        """Ticks until something comes due or a lease lapses; none while something could be claimed."""
        at = [self._wakes_at(row) for row in self.rows.values() if row.due is not None]
        at.append(self.resumes if self.is_paused else None)
        return min((then - self.now for then in at if then is not None), default=None)

    def _wakes_at(self, row: Row) -> int | None:
        for end in (row.due, row.lease):
            if end is not None and end > self.now:
                return end
        return None if self.is_paused else self.now

    @property
    def is_paused(self) -> bool:
        """True while claims find nothing."""
        return self.paused and (self.resumes is None or self.resumes > self.now)

    def holds(self, push: Push) -> bool:
        """True if the claim is not stale."""
        return self._row_of(push) is not None

    def _row_of(self, push: Push) -> Row | None:
        row = self.rows.get(push.claim.item_record_id)
        return row if row and row.push is push else None

    def _is_newest(self, push: Push) -> bool:
        return push.mark == self.marks[push.claim.item_record_id]

    def _due_now(self, row: Row) -> None:
        row.due, row.order = self.now, self.step

    def _keep(self, row: Row, ticks: int | None) -> None:
        if ticks is not None:
            row.lease, row.unanswered = self.now + ticks, self.now

    def _was_rejected(self, row: Row) -> bool:
        """A rejected row may keep a lease, which ends sooner after `unanswered` than a claim's."""
        if not row.claimed_by:
            return False
        return row.lease is None or (row.unanswered is not None and row.lease < row.unanswered + LEASE_TICKS / 2)

    def _start_anew(self, row: Row) -> None:
        """It is due since its last mark."""
        row.give_back()
        row.attempts, row.error = 0, None

    def _write_log(self, item: int, row: Row, outcome: str, by: str, error: str | None, revert_of: int | None,
                   attempts: int | None = None) -> None:  # fmt: skip
        self.undone |= {item: revert_of} if outcome in ("pushed", "unchanged") else {}
        done = row.attempts if attempts is None else attempts
        self.log[item, outcome, done, row.queued_by, by, error, revert_of] += 1
