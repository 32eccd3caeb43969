"""Measures claims and marks at 5 million items, a million of them queued, beside smaller catalogues."""

import time
from hashlib import sha256

import psycopg
import uvloop

from bench.figures import Figure, median
from bench.ground import Ground, prepare_ground
from bench.plots import plot_size
from bench.proc import memory_mib
from db import queue
from db.connections import api_parameters
from db.items import mark_item
from db.requests import Database
from runtime.settings import DatabaseSettings
from sandbox.system import add_client

SIZES = ((10_000, 100), (100_000, 20_000), (1_000_000, 200_000), (5_000_000, 1_000_000))
CLAIMED_AT_ONCE = 4
QUEUE_ITEMS = "INSERT INTO update_queue (item_record_id) SELECT item_record_id FROM sierra_item ORDER BY 1 LIMIT %s"


def measure(quick: bool) -> list[Figure]:
    """Measure claims, marks, and the notifier's memory while it works on the largest catalogue."""
    sizes = SIZES[:1] if quick else SIZES
    times = 20 if quick else 300
    claims, marks = {}, {}
    for items, queued in sizes:
        with prepare_ground(items) as ground:
            with ground.connect() as connection:
                connection.execute(QUEUE_ITEMS, [queued])
                connection.execute("VACUUM (ANALYZE) update_queue")
                connection.execute("CHECKPOINT")
            claims[items] = median(uvloop.run(_time_claims(ground, times)))
            marks[items] = median(uvloop.run(_time_marks(ground, items, times)))
            memory = _notifier_memory(ground, seconds=1 if quick else 30)
    if not quick:
        plot_size(claims, marks)
    largest, queued = sizes[-1]
    what = f"at {largest:,} items, {queued:,} queued"
    return [
        _beside_smallest(f"claim of {CLAIMED_AT_ONCE} {what}", claims),
        _beside_smallest(f"mark {what}", marks),
        Figure(
            what=f"memory of the notifier, {what}, while it pushes",
            ours=f"{memory[1]:.0f} MiB",
            beside=f"after its start {memory[0]:.0f} MiB",
            share=f"+{memory[1] - memory[0]:.1f} MiB",
            goal="flat",
            reached=memory[1] - memory[0] < 8,
        ),
    ]


def _beside_smallest(what: str, milliseconds: dict[int, float]) -> Figure:
    (smallest, least), (_, most) = min(milliseconds.items()), max(milliseconds.items())
    return Figure(
        what=what,
        ours=f"p50 {most:.2f} ms",
        beside=f"at {smallest:,} items p50 {least:.2f} ms",
        share=f"{most / least:.2f} x",
        goal="≤ 1.5 x",
        reached=most <= 1.5 * least,
    )


async def _time_claims(ground: Ground, times: int) -> list[float]:
    """Return the milliseconds of each claim; the rows are released untimed."""
    async with await psycopg.AsyncConnection.connect(ground.dsn, autocommit=True) as connection:
        spent = []
        for _ in range(times):
            began = time.perf_counter()
            claims = await queue.claim(connection, "bench", CLAIMED_AT_ONCE, 60)
            spent.append((time.perf_counter() - began) * 1000)
            assert len(claims) == CLAIMED_AT_ONCE
            await queue.release(connection, "bench", claims)
        return spent


async def _time_marks(ground: Ground, items: int, times: int) -> list[float]:
    """Return the milliseconds of each mark of an item that is not queued yet, by the api's own statement."""
    settings = DatabaseSettings(**{name.lower(): value for name, value in ground.settings.items()})  # type: ignore[arg-type]
    key_sha256 = sha256(add_client(ground.settings, "signum-printer").encode()).digest()
    last = ground.items[0].record_id + items - 1
    spent = []
    async with Database(api_parameters(settings), pool_size=1) as database:
        for place in range(times):
            began = time.perf_counter()
            marked = await mark_item(database, key_sha256, last - place, None, None)
            spent.append((time.perf_counter() - began) * 1000)
            assert marked is not None
            assert marked[1], "there is no such item"
    return spent


def _notifier_memory(ground: Ground, seconds: float) -> tuple[float, float]:
    """Return MiB after a first second of pushing, and after `seconds`.

    Print stations' marks are claimed first, and keep the notifier off the other items, which this Sierra does not have.
    """
    with ground.start_sierra(5) as sierra:
        ground.mark(ground.items)
        with ground.start_notifier(sierra) as notifier:
            time.sleep(1)
            first, end = memory_mib(notifier.pid), time.monotonic() + seconds
            while time.monotonic() < end:
                ground.mark(ground.items)
                time.sleep(1)
            return first, memory_mib(notifier.pid)
