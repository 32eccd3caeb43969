"""Sierra's health by a clock that a test moves, claimed items without a database, and what is settled in one word."""

from collections.abc import Iterable
from datetime import UTC, datetime

import pytest

from db.queue import Claim
from notifier.health import PROBE_BACK_SECONDS, Settled, SierraHealth
from notifier.in_flight import ClaimedItem, Failed
from notifier.sierra.errors import ItemError, ItemRejected, SierraUnavailable

NOW = datetime(2026, 11, 26, tzinfo=UTC)
BUSY = SierraUnavailable("Sierra is busy")
REFUSED = ItemRejected("refused", "Sierra refused it", ambiguous="400")


class Clock:
    """Time that moves when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Health(SierraHealth):
    """Sierra's health by a clock that is moved by hand, and without luck: each pause has its whole length."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.states: list[str] = []
        super().__init__(self.clock, lambda: 1.0, lambda: self.states.append(self.state))

    def item(self, number: int, attempts: int = 1, probe: bool = False) -> ClaimedItem:
        """An item whose request is sent a moment later than all before; its answer comes a moment after that."""
        self.clock.now += 0.002
        return claimed(number, self.clock.now - 0.001, attempts, probe)

    def refuse(self, *items: int, error: ItemError = REFUSED, writing: bool = False) -> Settled:
        """Have these fail by that error. What the last one settles."""
        return [self.failed(self.item(number), error, writing) for number in items][-1]

    def open(self) -> None:
        """Have Sierra be unwell as a whole."""
        self.unavailable([self.item(900), self.item(901)], BUSY, writing=False)

    def look(self) -> str:
        """The state; as a call, for mypy takes a property for what it was before."""
        return self.state

    def end_pause(self) -> None:
        """Let the pause go by."""
        self.clock.now += self.seconds_left


@pytest.fixture
def health() -> Health:
    return Health()


def claimed(number: int, sent_at: float, attempts: int = 1, probe: bool = False) -> ClaimedItem:
    """An item as claimed, with a request at Sierra that was sent at that time."""
    text = str(number)
    claim = Claim(number, 1, NOW, attempts, None, None, NOW, text, text, "84.31", NOW, None, is_recheck=False)
    return ClaimedItem(claim, sent_at, sent_at + 70, probe, sent_at)


def told(settled: Settled) -> dict[int, str]:
    """The end of each item: `rejected` or `postponed` by its own fault, or given back, `due` or at the `back`."""
    words: dict[int, str] = {}
    for one in settled:
        if isinstance(one, Failed):
            words[one.item.claim.item_record_id] = "rejected" if isinstance(one.error, ItemRejected) else "postponed"
        else:
            words |= dict.fromkeys(numbers(one.items), {0.0: "due", PROBE_BACK_SECONDS: "back"}[one.delay_seconds])
    return words


def numbers(items: Iterable[ClaimedItem]) -> list[int]:
    """Their item_record_ids."""
    return [item.claim.item_record_id for item in items]
