"""Measures how fast a full queue reaches Sierra, beside the ideal of the latency that Sierra really gave.

At 0 ms it is beside httpx alone, which makes the same requests and does nothing else; at 20 ms the share of the ideal
that httpx alone reaches is told too. Each row tells the notifier's processor time per item, start and end left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

from bench import httpx_alone
from bench.figures import Figure, median, percent, quantile
from bench.ground import Ground, Simulator, prepare_ground
from bench.plots import plot_drain
from sandbox.catalogue import Item

POOL_SIZES = (4, 10)
PLOTTED_MS, PLOTTED_BESIDES = 20, (1, 2, 7, 16)  # pool sizes
BESIDE_HTTPX_MS = 20
LEAST_OF_HTTPX = 0.9
LEAST_OF_IDEAL = {20: 0.92, 100: 0.85}


@dataclass(frozen=True, slots=True)
class Drained:
    """One drain as Sierra saw it. `longest_wait_ms`: from an item's read to the arrival of its write, at p99.

    `processor_ms`: of the notifier, per item.
    """

    per_second: float
    requests_per_item: float
    latency_ms: float
    longest_wait_ms: float
    processor_ms: float = 0.0

    def ideal(self, pool_size: int) -> float:
        """Items a second with all connections to Sierra always busy."""
        return pool_size / (self.latency_ms / 1000 * (1 + 1 / pool_size))

    def share_of_ideal(self, pool_size: int) -> float:
        """The part of the ideal that was reached."""
        return self.per_second / self.ideal(pool_size)


def measure(quick: bool) -> list[Figure]:
    """Measure drains: a row for each latency and pool size."""
    pool_sizes = POOL_SIZES[:1] if quick else POOL_SIZES
    plotted: dict[int, Drained] = {}
    with prepare_ground(10_000) as ground:
        with ground.start_sierra() as sierra:
            items, runs = ground.items[: 100 if quick else 1_500], 1 if quick else 5
            figures = [_beside_httpx(ground, sierra, items, pool_size, runs) for pool_size in pool_sizes]
        for latency_ms, count, runs in ((20, 1_000, 3), (100, 400, 1)):
            with ground.start_sierra(latency_ms) as sierra:
                items = ground.items[: 100 if quick else count]
                for pool_size in pool_sizes:
                    figure, ours = _beside_ideal(ground, sierra, items, pool_size, 1 if quick else runs)
                    figures.append(figure)
                    if latency_ms == PLOTTED_MS:
                        plotted[pool_size] = ours
                if latency_ms == PLOTTED_MS and not quick:
                    plotted |= {pool_size: drain(ground, sierra, items, pool_size) for pool_size in PLOTTED_BESIDES}
    if not quick:
        rates = {pool_size: plotted[pool_size].per_second for pool_size in sorted(plotted)}
        plot_drain(rates, {pool_size: plotted[pool_size].ideal(pool_size) for pool_size in rates}, PLOTTED_MS)
    return figures


def drain(ground: Ground, sierra: Simulator, items: Sequence[Item], pool_size: int) -> Drained:
    """Mark items, and drain them with a new notifier."""
    ground.forget_history()
    settings = {"SIERRA_API_CLIENT_POOL_SIZE": str(pool_size), "SIERRA_UPDATE_BATCH_SIZE_LIMIT": "0"}
    with ground.start_notifier(sierra, **settings) as notifier:
        sierra.forget()
        before = notifier.cpu_seconds
        ground.mark(items)
        ground.wait_until_drained()
        spent = notifier.cpu_seconds - before
    return replace(seen_by(sierra.journal()), processor_ms=spent / len(items) * 1000)


def seen_by(journal: Sequence[dict[str, Any]]) -> Drained:
    """Read a drain from the journal. Tokens are not counted."""
    requests = [entry for entry in journal if entry["kind"] != "token"]
    puts = [entry for entry in requests if entry["kind"] == "put_item" and entry["status"] == 204]
    read_ns = {
        number: entry["ended_ns"] for entry in requests for number in entry["item_numbers"] if not entry["patch"]
    }
    waits = [(put["arrived_ns"] - read_ns[put["item_numbers"][0]]) / 1e6 for put in puts]
    seconds = (puts[-1]["arrived_ns"] - puts[0]["arrived_ns"]) / 1e9
    latency_ms = fmean(entry["ended_ns"] - entry["arrived_ns"] for entry in requests) / 1e6
    return Drained((len(puts) - 1) / seconds, len(requests) / len(puts), latency_ms, quantile(waits, 0.99))


def _alone(sierra: Simulator, items: Sequence[Item], pool_size: int) -> Drained:
    """The drain of httpx alone, which writes back what the items were made with."""
    sierra.forget()
    httpx_alone.items_per_second(sierra, items, pool_size)
    return seen_by(sierra.journal())


def _beside_ideal(
    ground: Ground, sierra: Simulator, items: Sequence[Item], pool_size: int, runs: int
) -> tuple[Figure, Drained]:
    drains, alone = [], []
    for _ in range(runs):
        drains.append(drain(ground, sierra, items, pool_size))
        if sierra.latency_ms == BESIDE_HTTPX_MS:
            alone.append(_alone(sierra, items, pool_size).share_of_ideal(pool_size))
    ours = sorted(drains, key=lambda each: each.share_of_ideal(pool_size))[runs // 2]
    share, least = ours.share_of_ideal(pool_size), LEAST_OF_IDEAL[int(sierra.latency_ms)]
    most_requests = (1 + 1 / pool_size) * 1.02
    figure = Figure(
        what=f"drain, Sierra at {sierra.latency_ms:.0f} ms, pool {pool_size}",
        ours=f"{ours.per_second:.1f} items/s, {ours.requests_per_item:.3f} requests and {ours.processor_ms:.2f} ms of "
        f"processor per item, write after read p99 {ours.longest_wait_ms:.0f} ms",
        beside=f"ideal {ours.ideal(pool_size):.1f} items/s (latency {ours.latency_ms:.1f} ms)",
        share=percent(share) + (f"; httpx alone {percent(median(alone))}" if alone else ""),
        goal=f"≥ {percent(least)}, ≤ {most_requests:.3f} requests",
        reached=share >= least and ours.requests_per_item <= most_requests,
    )
    return figure, ours


def _beside_httpx(ground: Ground, sierra: Simulator, items: Sequence[Item], pool_size: int, runs: int) -> Figure:
    alone, ours = [], []
    for _ in range(runs):
        alone.append(httpx_alone.items_per_second(sierra, items, pool_size))
        ours.append(drain(ground, sierra, items, pool_size))
    share = median([mine.per_second / theirs for mine, theirs in zip(ours, alone, strict=True)])
    rate = median([mine.per_second for mine in ours])
    requests = median([mine.requests_per_item for mine in ours])
    processor_ms = median([mine.processor_ms for mine in ours])
    return Figure(
        what=f"drain, Sierra at 0 ms, pool {pool_size}",
        ours=f"{rate:.0f} items/s, {requests:.3f} requests and {processor_ms:.2f} ms of processor per item",
        beside=f"httpx alone {median(alone):.0f} items/s",
        share=percent(share),
        goal=f"≥ {percent(LEAST_OF_HTTPX)}",
        reached=share >= LEAST_OF_HTTPX,
    )
