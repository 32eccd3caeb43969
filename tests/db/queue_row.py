"""A row of the queue and a push of it, as the model of the queue has them. Times are ticks."""

from dataclasses import dataclass

from db.queue import Claim

LEASE_TICKS = 3
KEEP_TICKS = 1
LATE_TICKS = 7
NO_ANSWER = "it is not known whether a write that had no answer was done"


@dataclass(eq=False)
class Push:
    """A claim that was given, and the last of its item's marks then. By `claim` the statements know it."""

    claim: Claim
    notifier: str
    mark: int
    revert_of: int | None
    at: int


@dataclass
class Row:
    """An item in the queue. `order` is the step that set `due`: of equal ticks the earlier is first."""

    priority: int
    queued_by: str
    queued_at: int
    due: int | None
    order: int
    revision: int = 1
    attempts: int = 0
    claimed_by: str | None = None
    lease: int | None = None
    error: str | None = None
    push: Push | None = None
    revert_of: int | None = None
    unanswered: int | None = None
    pushed_revision: int | None = None

    def shown(self, now: int) -> tuple[object, ...]:
        """As the test reads it from the database: times from now on."""
        due, lease, unanswered = (None if at is None else at - now for at in (self.due, self.lease, self.unanswered))
        queued = self.queued_at - now
        return (
            self.priority,
            self.queued_by,
            queued,
            due,
            self.revision,
            self.attempts,
            self.claimed_by,
            lease,
            self.error,
            self.revert_of,
            unanswered,
            self.pushed_revision,
        )

    @property
    def is_pushed(self) -> bool:
        """True while it is here only to be looked at again."""
        return self.pushed_revision == self.revision

    @property
    def has_lapsed(self) -> bool:
        """True of one that is not in flight, if its notifier said nothing of its push; also of a rejected one."""
        return self.claimed_by is not None and self.lease is not None

    def may_be_written(self, now: int) -> bool:
        """Now, or late."""
        return any(at is not None and at > now - LATE_TICKS for at in (self.lease, self.unanswered))

    def give_back(self, keep_until: int | None = None) -> None:
        """No notifier pushes it; none may before `keep_until`."""
        self.claimed_by = self.push = None
        self.lease = keep_until
