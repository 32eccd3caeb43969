"""Does a print station wait while something else goes on? Reads at a fixed pace: idle, during a drain, a sync."""

import asyncio
from collections.abc import Callable

import uvloop

from bench.catalogue import make_batch
from bench.figures import Figure, p50_p99, quantile
from bench.ground import Api, prepare_ground
from bench.ingest import send
from bench.load import Load, any_of, probe

PER_SECOND = 20.0
DRAINED = 500
PREDECESSOR = {
    "idle": "p50 6 ms, p99 9 ms",
    "draining": "p50 613 ms, p99 4.3 s",
    "during a sync": "p50 22 s, 13 % errors",
}


def measure(quick: bool) -> list[Figure]:
    """A row for each thing that goes on."""
    seconds, rows, items = (1.0, 200, 1_000) if quick else (25.0, 80_000, 100_000)
    batch = make_batch(rows)
    with (
        prepare_ground(items) as ground,
        ground.start_sierra(20) as sierra,
        ground.start_api() as api,
        ground.start_notifier(sierra),
    ):
        paths = any_of("/itemdata/", int(ground.items[0].barcode), items)
        others: dict[str, Callable[[], object]] = {
            "idle": lambda: None,
            "draining": lambda: ground.mark(ground.items[:DRAINED]),
            "during a sync": lambda: [send(api, batch, f"2026-11-02T00:00:0{run}+00:00") for run in range(2)],
        }
        loads = {name: uvloop.run(_probe_during(api, paths, seconds, other)) for name, other in others.items()}
    idle = loads["idle"].milliseconds
    return [
        Figure(
            what=f"GET at {PER_SECOND:.0f}/s, open loop, {name}",
            ours=f"{p50_p99(load.milliseconds)}, {load.errors} errors",
            beside=f"idle {p50_p99(idle)}",
            share=f"predecessor {PREDECESSOR[name]}",
            goal="p99 < 60 ms, no error",
            reached=quantile(load.milliseconds, 0.99) < 60 and load.errors == 0,
        )
        for name, load in loads.items()
    ]


async def _probe_during(api: Api, paths: Callable[[], str], seconds: float, other: Callable[[], object]) -> Load:
    """The probe lasts as long as it says; the other begins with it, and may be over sooner."""
    going_on = asyncio.create_task(asyncio.to_thread(other))
    load = await probe(api.url, api.printer_key, paths, PER_SECOND, seconds)
    await going_on
    return load
