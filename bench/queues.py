"""Measures the queue alone, with pushes that do nothing, beside PgQueuer and procrastinate, each at its best.

One process each, a job at a time: ours claims, finishes with the lock and writes the log; the peers as they come.
"""

import logging
import time
from collections.abc import Awaitable, Callable

import psycopg
import uvloop

from bench.figures import Figure, median
from bench.ground import Ground, prepare_ground
from db import queue
from db.queue import Pushed

JOBS = 20_000
JOBS_OF_PROCRASTINATE = 2_000  # it fetches them one by one: 20,000 have the same rate, and take minutes
BATCHES = {"signum": (100, 500, 2_000), "PgQueuer": (200, 1_000, 4_000), "procrastinate": (10, 50)}
MARK_ALL = "INSERT INTO update_queue (item_record_id) SELECT item_record_id FROM sierra_item ORDER BY 1 LIMIT %s"

Drain = Callable[[Ground, int, int], Awaitable[float]]


def measure(quick: bool) -> list[Figure]:
    """Measure all three queues, each at its best: one row."""
    jobs, runs = (200, 1) if quick else (JOBS, 3)
    logging.getLogger("procrastinate").setLevel(logging.ERROR)
    logging.getLogger("pgqueuer").setLevel(logging.ERROR)
    with prepare_ground(JOBS) as ground:
        drains: dict[str, Drain] = {"signum": _drain_ours}
        if not quick:
            from bench.peers import drain_pgqueuer, drain_procrastinate

            drains |= {"PgQueuer": drain_pgqueuer, "procrastinate": drain_procrastinate}
        seen: dict[str, dict[int, list[float]]] = {name: {} for name in drains}
        for _ in range(runs):
            for name, drain in drains.items():
                several = min(jobs, JOBS_OF_PROCRASTINATE) if name == "procrastinate" else jobs
                for batch in BATCHES[name]:
                    rate = several / uvloop.run(_timed(drain(ground, several, batch)))
                    seen[name].setdefault(batch, []).append(rate)
    best = {name: max((median(rates), batch) for batch, rates in by.items()) for name, by in seen.items()}
    peers = {name: rate for name, (rate, _) in best.items() if name != "signum"}
    ours, batch = best["signum"]
    return [
        Figure(
            what=f"queue alone, {jobs:,} updates that do nothing, one process",
            ours=f"{ours:,.0f}/s (batch {batch})",
            beside=", ".join(f"{name} {rate:,.0f}/s (batch {best[name][1]})" for name, rate in peers.items()),
            share=", ".join(f"{ours / rate:.1f} x" for rate in peers.values()),
            goal="ahead of both",
            reached=all(ours > rate for rate in peers.values()),
        )
    ]


async def _timed(work: Awaitable[float]) -> float:
    return await work


async def _drain_ours(ground: Ground, jobs: int, batch: int) -> float:
    """Drain our queue. Return the seconds from the first claim to the last finish."""
    async with await psycopg.AsyncConnection.connect(ground.dsn, autocommit=True) as connection:
        await connection.execute("SET synchronous_commit = off")  # as the notifier's connections
        await connection.execute(MARK_ALL, [jobs])
        began, done = time.perf_counter(), 0
        while claims := await queue.claim(connection, "bench", batch, 60):
            pushes = [Pushed(claim, "pushed", "84.2", "84.31", None, 1) for claim in claims]
            done += len(await queue.finish(connection, "bench", pushes))
        seconds = time.perf_counter() - began
    assert done == jobs, f"{done} of {jobs} were finished"
    return seconds
