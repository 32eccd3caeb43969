"""The claimed items, and how far each is on its way to Sierra. Plain state, no decisions."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from db.queue import Claim, Pushed
from db.reasons import Reason
from notifier.patch import Plan
from notifier.sierra.errors import ItemError
from runtime.sentry import Step


@dataclass(eq=False, slots=True)
class ClaimedItem:
    """A claimed item on its way. Times are of the monotonic clock; `sent_at`: that of its last request at Sierra.

    `probe`: a probe or a sample, until it is settled. `is_lost`: its claim may not be known to the database any more,
    so it is not written. `is_being_written`: its write is under way. `unproven`: it was written, and its record is
    read again, for Sierra may not have kept it. `is_settled`: its outcome is known, and is being written to the queue.
    """

    claim: Claim
    claimed_at: float
    lease_ends: float
    probe: bool = False
    sent_at: float = 0.0
    read_at: float = 0.0
    plan: Plan | None = None
    is_lost: bool = False
    is_being_written: bool = False
    unproven: Pushed | None = None
    is_settled: bool = False
    steps: list[Step] = field(default_factory=list)

    @property
    def number(self) -> str:
        """Its number in Sierra's URLs; "" where it has none that could be one."""
        number = self.claim.item_number or ""
        return number if number.isascii() and number.isdigit() else ""


@dataclass(frozen=True, slots=True)
class Failed:
    """The failure is the item's own: postpone it or reject it, as the error says."""

    item: ClaimedItem
    error: ItemError


@dataclass(frozen=True, slots=True)
class Released:
    """The items are given back with their attempts: due as before, or `delay_seconds` later and for a reason."""

    items: Sequence[ClaimedItem]
    delay_seconds: float = 0.0
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits on requests and items at once, seconds per request, attempts per item.

    `dry_run`: nothing is written to Sierra.
    """

    pool_size: int
    most_items: int
    timeout_seconds: float
    max_attempts: int
    dry_run: bool = False

    @property
    def lease_seconds(self) -> float:
        """Enough for list, single read, wait for a slot, write, a late one and a new token, whatever the batch."""
        return 7 * self.timeout_seconds + 10


@dataclass(frozen=True, slots=True)
class Allowance:
    """The items that may be claimed, as far as Sierra's health goes. `limit` None: all that there is room for."""

    limit: int | None
    newest_first: bool = False
    read_alone: bool = False


@dataclass(eq=False, slots=True)
class InFlight:
    """All claimed `items`; those among them that wait for a request, by its kind; and the requests under way.

    `requests`: the task of each, with the items that it reads; none where it writes.
    """

    items: set[ClaimedItem] = field(default_factory=set)
    to_read: deque[ClaimedItem] = field(default_factory=deque)
    to_read_singly: deque[ClaimedItem] = field(default_factory=deque)
    to_write: deque[ClaimedItem] = field(default_factory=deque)
    requests: dict[asyncio.Task[None], Sequence[ClaimedItem]] = field(default_factory=dict)
    lost_at: float = -1.0

    @property
    def unsettled(self) -> int:
        """The number of items whose outcome is not known yet."""
        return sum(not item.is_settled for item in self.items)

    @property
    def being_read(self) -> int:
        """The number of items that are being read."""
        return sum(map(len, self.requests.values()))

    @property
    def awaits_answers(self) -> bool:
        """Tell whether a request is under way, or waits for its turn."""
        return bool(self.requests or self.to_read or self.to_read_singly or self.to_write)

    def lose_claims(self) -> None:
        """Note that a session was lost: after a failover the database need not know a claim of before."""
        self.lost_at = time.monotonic()
        for item in self.items:
            item.is_lost = True

    def take_waiting(self, only_lost: bool = False) -> list[ClaimedItem]:
        """Return all that wait for a request, or those whose claims may be lost, and take them out of their lines."""
        taken: list[ClaimedItem] = []
        for line in (self.to_read, self.to_read_singly, self.to_write):
            waiting = list(line)
            line.clear()
            line.extend(item for item in waiting if only_lost and not item.is_lost)
            taken.extend(item for item in waiting if item.is_lost or not only_lost)
        return taken
