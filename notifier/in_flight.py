"""The claimed items, and how far each is on its way to Sierra. Plain state, no decisions."""

from collections import deque
from dataclasses import dataclass, field

from db.queue import Claim
from notifier.patch import Plan
from runtime.sentry import Step


@dataclass(eq=False, slots=True)
class ClaimedItem:
    """A claimed item on its way. Times are of the monotonic clock; `probe`: a probe, or a sample."""

    claim: Claim
    claimed_at: float
    lease_ends: float
    probe: bool = False
    read_at: float = 0.0
    plan: Plan | None = None
    steps: list[Step] = field(default_factory=list)

    @property
    def number(self) -> str:
        """Its number in Sierra's URLs; "" where it has none that could be one."""
        number = self.claim.item_number or ""
        return number if number.isascii() and number.isdigit() else ""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits on requests at once, claimed items and seconds per request. `dry_run`: nothing is written to Sierra."""

    pool_size: int
    most_items: int
    timeout_seconds: float
    dry_run: bool = False

    @property
    def lease_seconds(self) -> float:
        """Enough for list, single read, wait for a slot, write and a new token, whatever the batch."""
        return 6 * self.timeout_seconds + 10


@dataclass(eq=False, slots=True)
class InFlight:
    """All claimed `items`; those among them that wait for a request, by its kind; and how many are being read."""

    items: set[ClaimedItem] = field(default_factory=set)
    to_read: deque[ClaimedItem] = field(default_factory=deque)
    to_read_singly: deque[ClaimedItem] = field(default_factory=deque)
    to_write: deque[ClaimedItem] = field(default_factory=deque)
    being_read: int = 0

    def take_waiting(self) -> list[ClaimedItem]:
        """Return all that wait for a request, and take them out of their lines."""
        waiting = [*self.to_read, *self.to_read_singly, *self.to_write]
        for line in (self.to_read, self.to_read_singly, self.to_write):
            line.clear()
        return waiting
