"""Which items do we hold, and how far are they? The belt between the queue and Sierra: plain state, no decisions."""

from collections import deque
from dataclasses import dataclass, field

from db.queue import Claim
from notifier.patch import Plan
from runtime.sentry import Step


@dataclass(eq=False, slots=True)
class Held:
    """A claimed item on its way. Times are of the monotonic clock; `probe`: it tries whether Sierra is well."""

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
    """How much at once: requests in flight, items held, seconds a request may take, and whether to write at all."""

    pool_size: int
    most_held: int
    timeout_seconds: float
    dry_run: bool = False

    @property
    def lease_seconds(self) -> float:
        """Enough for list, single read, wait for a place, write and a new token, whatever the batch."""
        return 6 * self.timeout_seconds + 10


@dataclass(eq=False, slots=True)
class Belt:
    """Items wait to be read (together, or one by one), are being read, wait to be written. `held` has them all."""

    held: set[Held] = field(default_factory=set)
    to_read: deque[Held] = field(default_factory=deque)
    to_read_singly: deque[Held] = field(default_factory=deque)
    to_write: deque[Held] = field(default_factory=deque)
    being_read: int = 0

    def take_waiting(self) -> list[Held]:
        """All for which no request is under way; they wait no more."""
        waiting = [*self.to_read, *self.to_read_singly, *self.to_write]
        for line in (self.to_read, self.to_read_singly, self.to_write):
            line.clear()
        return waiting
