"""The notifier's metrics: its pushes and its condition. docs/monitoring/README.md has the table.

Pushes are counted where they happen; the condition is read at each scrape. The api has the metrics of the queue.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from notifier.health import State

COUNTED = CollectorRegistry()
STATES: tuple[State, ...] = get_args(State)

_SIERRA_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_MARK_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 300, 3600)
_CLAIM_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5)

OUTCOMES = Counter("signum_outcomes", "What became of claimed items", ["outcome"], registry=COUNTED)
PUSH_SECONDS = Histogram(
    "signum_push_seconds", "From an item's read to the end of its write at Sierra",
    buckets=_SIERRA_SECONDS, registry=COUNTED,
)  # fmt: skip
MARK_TO_SIERRA_SECONDS = Histogram(
    "signum_mark_to_sierra_seconds", "From when an item entered the queue to the end of its write at Sierra",
    buckets=_MARK_SECONDS, registry=COUNTED,
)  # fmt: skip
NOTIFY_TO_CLAIM_SECONDS = Histogram(
    "signum_notify_to_claim_seconds", "From a notification to the end of the claim that followed it",
    buckets=_CLAIM_SECONDS, registry=COUNTED,
)  # fmt: skip

for _outcome in ("pushed", "unchanged", "postponed", "rejected", "released"):
    OUTCOMES.labels(_outcome)


@dataclass(frozen=True, slots=True)
class Condition:
    """A notifier's condition at one moment."""

    mode: str
    breaker: State
    key_is_refused: bool
    token_seconds: float
    items_held: int


class ConditionCollector(Collector):
    """Reads the notifier's condition at each scrape, from another thread: it changes nothing."""

    def __init__(self, snapshot: Callable[[], Condition]) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterator[Metric]:
        """Yield the condition as gauges."""
        now = self._snapshot()
        told = f"1 at the state that the breaker is in: {', '.join(STATES)}"
        breaker = GaugeMetricFamily("signum_breaker_state", told, labels=["state"])
        for state in STATES:
            breaker.add_metric([state], now.breaker == state)
        yield breaker
        for name, help_text, value in (
            ("signum_listening", "1 if NOTIFY is heard, 0 while the queue is polled", now.mode == "listening"),
            ("signum_sierra_key_refused", "1 while Sierra refuses our key or its role, else 0", now.key_is_refused),
            ("signum_sierra_token_seconds", "Until the token for Sierra is renewed; 0 without one", now.token_seconds),
            ("signum_held_items", "Items that are claimed and not yet finished", now.items_held),
        ):
            yield GaugeMetricFamily(name, help_text, value=value)
