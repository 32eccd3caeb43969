"""Measures whether api and notifier stay as small as they are while a print station reads and marks, item after item.

All marks are pushed. `python -m bench memory --minutes 60` has an hour of it, some 225,000 requests.
"""

import random
import time
from collections.abc import Mapping

from bench.figures import Figure
from bench.ground import SIERRA_ITEMS, Simulator, prepare_ground
from bench.load import any_of
from bench.proc import memory_mib
from bench.stations import asking

MINUTES = 2.0
READS_A_SECOND, MARKS_A_SECOND = 50, 20
MOST_MIB = {"api": 90, "notifier": 75}
MOST_GROWTH_MIB = 3
EVERY_SECONDS = 2.0

Mib = dict[str, float]  # by process


def measure(quick: bool, minutes: float = MINUTES) -> list[Figure]:
    """Measure the memory of api and notifier: a row each."""
    minutes = 0.05 if quick else minutes
    with (
        prepare_ground(10_000) as ground,
        ground.start_sierra() as sierra,
        ground.start_api() as api,
        ground.start_notifier(sierra) as notifier,
    ):
        reads = any_of("/itemdata/", int(ground.items[0].barcode), SIERRA_ITEMS)
        marks = [f"/itemdata/{item.record_id}" for item in ground.items]
        pids = {"api": api.process.pid, "notifier": notifier.pid}
        started = _look(pids)
        with (
            asking(api, "GET", reads, READS_A_SECOND) as read,
            asking(api, "PUT", lambda: random.choice(marks), MARKS_A_SECOND) as marked,
        ):
            warm = _watch(pids, sierra, minutes * 6)
            most = _watch(pids, sierra, minutes * 54)
        ground.wait_until_drained()
    load = f"{minutes:g} minutes of {len(read) + len(marked):,} requests, {len(marked):,} of them marks"
    return [_figure(name, load, started[name], warm[name], most[name]) for name in pids]


def _watch(pids: Mapping[str, int], sierra: Simulator, seconds: float) -> Mib:
    """The most memory of each process in this time. Sierra's journal is emptied meanwhile, or it would grow."""
    end, most = time.monotonic() + seconds, _look(pids)
    while time.monotonic() < end:
        time.sleep(min(EVERY_SECONDS, seconds))
        most = {name: max(most[name], mib) for name, mib in _look(pids).items()}
        sierra.forget()
    return most


def _look(pids: Mapping[str, int]) -> Mib:
    return {name: memory_mib(pid) for name, pid in pids.items()}


def _figure(name: str, load: str, started: float, warm: float, most: float) -> Figure:
    return Figure(
        what=f"memory of the {name} process, {load}",
        ours=f"{max(warm, most):.0f} MiB",
        beside=f"before the load {started:.0f} MiB, in its first tenth {warm:.0f} MiB",
        share=f"{most - warm:+.1f} MiB after that tenth",
        goal=f"≤ {MOST_MIB[name]} MiB, flat: < {MOST_GROWTH_MIB} MiB more",
        reached=max(warm, most) <= MOST_MIB[name] and most - warm < MOST_GROWTH_MIB,
    )
