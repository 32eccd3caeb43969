"""Measures what faults do to a queue: ours, PgQueuer and procrastinate side by side, under the very same fault.

One synchronous pair of PostgreSQL servers, one Sierra. Jobs come at an even pace, each an item that is read and written
there; its journal says which were done, when, and how often. Each queue has two workers, started again when they end.
Sierra takes its time to answer, so that a fault finds jobs under way.
"""

import asyncio
import contextlib
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from subprocess import TimeoutExpired

from bench.chaos_faults import FAULTS, Fault, fail_over, restart
from bench.chaos_queues import QUEUES, Queue
from bench.chaos_run import Run
from bench.figures import Figure, percent
from bench.ground import Ground, Simulator, lay_ground
from bench.plots import plot_chaos
from sandbox.catalogue import Item
from sandbox.processes import Process
from sandbox.standby import Pair, start_pair
from sandbox.wire import Wire

WORKERS = 2
BEFORE_SECONDS, AFTER_SECONDS, PATIENCE_SECONDS = 10.0, 30.0, 150.0
RESTART_SECONDS = 1.0
MOST_PER_SECOND = 12
PUT_SECONDS = 5.0
SIERRA_MS = 100


def measure(quick: bool) -> list[Figure]:
    """Measure each fault: a row each."""
    faults = {"server restarted": (restart, 3.0)} if quick else FAULTS
    queues = QUEUES[:1] if quick else QUEUES
    figures, runs = [], {}
    with start_pair() as pair, _prepare(pair) as ground:
        for name, (fault, seconds) in faults.items():
            runs[name] = _run(pair, ground, queues, fault, seconds)
            figures.append(_figure(name, seconds, runs[name]))
            print(f"  {name}: {figures[-1].ours}; {figures[-1].beside}", file=sys.stderr, flush=True)
    if not quick:
        plot_chaos({name: _drawn(runs[name], seconds) for name, (_, seconds) in faults.items()})
    return figures


@contextlib.contextmanager
def _prepare(pair: Pair) -> Iterator[Ground]:
    """Our tables, and a wire that leads to the primary."""
    with Wire(pair.primary.tcp_host, pair.primary.port) as wire, lay_ground(10_000, pair.first, wire.port) as ground:
        pair.wires = [wire]
        pair.be_synchronous()
        yield ground


def _run(pair: Pair, ground: Ground, queues: Sequence[Queue], fault: Fault, seconds: float) -> list[Run]:
    """Let all queues work under one fault."""
    for queue in queues:
        _empty(ground, queue)
    shares = [ground.items[place :: len(queues)] for place in range(len(queues))]
    runs = [Run(queue.name) for queue in queues]
    with ground.start_sierra(SIERRA_MS) as sierra, _working(ground, sierra, queues) as workers:
        for queue, items in zip(queues, shares, strict=True):
            _warm(queue.dsn(ground), queue, items[0])
        for items in shares:
            sierra.put_arrived_ns(items[0])
        begins = time.monotonic() + BEFORE_SECONDS
        producers = [
            threading.Thread(target=_produce, args=(queue.dsn(ground), queue, items[1:], seconds, run, begins))
            for queue, items, run in zip(queues, shares, runs, strict=True)
        ]
        for producer in producers:
            producer.start()
        time.sleep(max(0.0, begins - time.monotonic()))
        fault(pair, lambda place: _kill(workers, place), seconds)
        for producer in producers:
            producer.join()
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while _look(sierra, runs, begins) and time.monotonic() < give_up_at:
            time.sleep(1)
    if fault is fail_over:
        pair.take_back()
        pair.be_synchronous()
    return runs


def _empty(ground: Ground, queue: Queue) -> None:
    """Have nothing of an earlier run in the queue."""
    with ground.connect() as connection:
        if queue.database == "postgres":
            connection.execute("TRUNCATE update_queue")
            return
        connection.execute(f"DROP DATABASE IF EXISTS {queue.database} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {queue.database}")
    asyncio.run(queue.install(queue.dsn(ground)))


def _warm(dsn: str, queue: Queue, item: Item) -> None:
    async def put() -> None:
        async with queue.open(dsn) as put:
            await put(item)

    asyncio.run(put())


def _produce(dsn: str, queue: Queue, items: Sequence[Item], seconds: float, run: Run, begins: float) -> None:
    """Put in jobs at an even pace. One that is not acknowledged is not tried again: it may be in."""
    total = BEFORE_SECONDS + seconds + AFTER_SECONDS
    pace = min(MOST_PER_SECOND, len(items) / total)
    first, jobs = begins - BEFORE_SECONDS, int(pace * total)

    async def produce() -> None:
        left = list(items[:jobs])
        while left:
            with contextlib.suppress(Exception):  # the server is away: another session
                async with asyncio.timeout(PUT_SECONDS):
                    session = contextlib.AsyncExitStack()
                    put = await session.enter_async_context(queue.open(dsn))
                async with session:
                    while left:
                        await asyncio.sleep(first + (jobs - len(left)) / pace - time.monotonic())
                        item = left.pop(0)
                        run.unsure.add(item.number)
                        async with asyncio.timeout(PUT_SECONDS):
                            await put(item)
                        run.unsure.remove(item.number)
                        run.put[item.number] = time.monotonic() - begins
            await asyncio.sleep(0.2)

    asyncio.run(produce())


def _look(sierra: Simulator, runs: Sequence[Run], begins: float) -> int:
    """Read from Sierra's journal what was done. Return how many jobs are not yet."""
    puts = [entry for entry in sierra.journal(kind="put_item") if entry["status"] == 204]
    for run in runs:
        run.done, run.times = {}, Counter()
        for entry in puts:
            number = int(entry["item_numbers"][0])
            if number in run.put:
                run.times[number] += 1
                run.done.setdefault(number, entry["arrived_ns"] / 1e9 - begins)
    return sum(run.lost for run in runs)


@contextlib.contextmanager
def _working(ground: Ground, sierra: Simulator, queues: Sequence[Queue]) -> Iterator[list[list[Process]]]:
    """The workers of each queue, each started again when it has ended."""
    with contextlib.ExitStack() as stack:
        workers = [[stack.enter_context(queue.worker(ground, sierra)) for _ in range(WORKERS)] for queue in queues]
        over = threading.Event()
        supervisors = [threading.Thread(target=_supervise, args=(one, over)) for some in workers for one in some]
        for supervisor in supervisors:
            supervisor.start()
        try:
            yield workers
        finally:
            over.set()
            for supervisor in supervisors:
                supervisor.join()


def _supervise(worker: Process, over: threading.Event) -> None:
    while not over.is_set():
        with contextlib.suppress(TimeoutExpired):
            worker.wait(0.2)
            over.wait(RESTART_SECONDS)
            worker.start()


def _kill(workers: Sequence[Sequence[Process]], place: int) -> None:
    for some in workers:
        some[place].kill()


def _drawn(runs: Sequence[Run], seconds: float) -> dict[str, tuple[list[float], list[int]]]:
    moments = [float(moment) for moment in range(-int(BEFORE_SECONDS), int(seconds + AFTER_SECONDS + PATIENCE_SECONDS))]
    return {run.queue: (moments, run.waiting(moments)) for run in runs}


def _figure(name: str, seconds: float, runs: Sequence[Run]) -> Figure:
    ours, *peers = runs
    return Figure(
        what=f"chaos: {name}, {seconds:.0f} s",
        ours=_told(ours, seconds),
        beside="; ".join(f"{run.queue} {_told(run, seconds)}" for run in peers),
        share=", ".join(f"{percent(_kept(run, seconds))}" for run in runs),
        goal="none lost, none twice",
        reached=ours.lost == ours.twice == 0,
    )


def _told(run: Run, seconds: float) -> str:
    windows = (-BEFORE_SECONDS, 0.0), (0.0, seconds), (seconds, seconds + AFTER_SECONDS)
    rates = ", ".join(f"{run.rate(*window):.1f}" for window in windows)
    return f"{rates}/s, whole after {run.whole_after(seconds):.0f} s, {run.lost} lost, {run.twice} twice"


def _kept(run: Run, seconds: float) -> float:
    """The share of the jobs put in before the fault's end that were done by then."""
    put = [number for number, at in run.put.items() if at <= seconds]
    return sum(run.done.get(number, seconds + 1) <= seconds for number in put) / max(1, len(put))
