"""Measures the backend in a busy library after five years, beside a small one: five million items, a million queued.

Both are open at the same time, and each step is measured in turns. Claims and marks are drawn for sizes between.
"""

from bench.figures import Figure, median
from bench.growth import disk_of
from bench.library import ITEMS, LABELS, QUEUED, keep_library, prepare_library
from bench.plots import plot_size
from bench.steps import CLAIM, MARK, STEPS, queue_items, time_count, time_steps

SMALL = (10_000, 40_000, 100)  # items, labels (in five years: so each desk prints every day, there too), items queued
BETWEEN = ((100_000, 1_000, 20_000), (1_000_000, 1_000, 200_000))  # the same; drawn only
ROUNDS, TIMES = 3, 100
MOST_TIMES_SMALL = 1.5

Spent = dict[str, list[float]]  # milliseconds, by step


def measure(quick: bool) -> list[Figure]:
    """Measure each step of the queue, the api, the commands and the housekeeping, and the disk: a row each."""
    items, labels, queued = (5_000, 10_000, 200) if quick else (ITEMS, LABELS, QUEUED)
    rounds, times = (1, 5) if quick else (ROUNDS, TIMES)
    large = keep_library(items, labels)
    with prepare_library(*SMALL[:2]) as small:
        queue_items(small, SMALL[2])
        queue_items(large, queued)
        spent: tuple[Spent, Spent] = ({}, {})
        for turn in range(rounds):
            for ground, size, seen in ((small, SMALL[0], spent[0]), (large, items, spent[1])):
                for step, milliseconds in time_steps(ground, size, times, turn).items():
                    seen.setdefault(step, []).extend(milliseconds)
        counts = time_count(small), time_count(large)
    if not quick:
        _plot(spent[0], spent[1])
    what = f"five years, {items:,} items, {labels:,} labels, {queued:,} queued:"
    return [
        *(_beside_small(f"{what} {step}", spent[0][step], spent[1][step]) for step in STEPS),
        Figure(
            what=f"{what} count of all items, every ten minutes",
            ours=f"{counts[1]:.1f} s",
            beside=f"{SMALL[0]:,} items {counts[0]:.2f} s",
            share=f"{counts[1] / items * 1e6:.2f} µs per item",
        ),
        disk_of(large, f"{what} disk of items without headings", "sierra_item", items, 1_000, "items"),
        disk_of(large, f"{what} disk of history", "update_log", labels, 100_000, "labels"),
    ]


def _beside_small(what: str, small: list[float], large: list[float]) -> Figure:
    least, most = median(small), median(large)
    return Figure(
        what=what,
        ours=f"p50 {most:.2f} ms",
        beside=f"{SMALL[0]:,} items, {SMALL[1]:,} labels, {SMALL[2]:,} queued: p50 {least:.2f} ms",
        share=f"{most / least:.2f} x",
        goal=f"≤ {MOST_TIMES_SMALL} x",
        reached=most <= MOST_TIMES_SMALL * least,
    )


def _plot(small: Spent, large: Spent) -> None:
    drawn = {SMALL[0]: small, ITEMS: large}
    for items, labels, queued in BETWEEN:
        with prepare_library(items, labels) as ground:
            queue_items(ground, queued)
            drawn[items] = time_steps(ground, items, TIMES, turn=0, steps=(CLAIM, MARK))
    claims, marks = ({items: median(drawn[items][step]) for items in sorted(drawn)} for step in (CLAIM, MARK))
    plot_size(claims, marks)
