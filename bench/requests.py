"""Measures the reads and marks that one api process answers, alternating with bare FastAPI and one raw statement.

And dispatch while print stations mark as fast as the api can: an item's way from its mark's answer to Sierra's PUT. All
marks of that load are whole (statement, commit, notification), but of items that another notifier holds. So the queue
does not grow by what Sierra takes longer for than the api, and an item waits for the load, not for those before it.
"""

import contextlib
import multiprocessing
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor

from bench.dispatch import time_dispatch
from bench.figures import Figure, median, p50_p99, percent, quantile
from bench.ground import Api, Ground, Simulator, is_listening, prepare_ground
from bench.load import Load, any_of, press
from sandbox.postgres import free_port

ITEMS = 100_000
CONNECTIONS = 32
LEAST_SHARE = {"GET": 0.65, "PUT": 0.60}
MOST_TIMES_P99 = 1.5  # of GET's
HELD = 1_000
MOST_DISPATCH_MS = 50
HOLD = """
INSERT INTO update_queue (item_record_id, claimed_by, lease_until)
SELECT item_record_id, 'another notifier', now() + interval '1 hour'
FROM sierra_item
WHERE item_record_id >= %s
ORDER BY item_record_id
LIMIT %s
"""


def measure(quick: bool) -> list[Figure]:
    """Measure GET, PUT, and dispatch under a load of PUTs: a row each."""
    seconds, runs = (0.5, 1) if quick else (5.0, 5)
    items = 5_000 if quick else ITEMS
    with prepare_ground(items) as ground, ground.start_api() as api, _start_bare(ground) as bare_url:
        first = ground.items[0]
        reads = any_of("/itemdata/", int(first.barcode), items)
        marks = any_of("/itemdata/", first.record_id, items)
        figures = [
            _beside_bare(api, bare_url, "GET", reads, seconds, runs),
            _beside_bare(api, bare_url, "PUT", marks, seconds, runs),
        ]
    with prepare_ground(items) as ground, ground.start_api() as api, ground.start_sierra() as sierra:
        return [*figures, _dispatch_under_marks(ground, api, sierra, seconds * 5)]


@contextlib.contextmanager
def _start_bare(ground: Ground) -> Iterator[str]:
    with ground.connect() as connection:
        connection.execute("CREATE TABLE bare_mark (id bigserial PRIMARY KEY, item bigint)")
    port = free_port()
    options = ("--port", str(port), "--no-access-log", "--log-level", "warning")
    with ground.start_module("uvicorn", "bench.bare_api:app", *options, BARE_DSN=ground.dsn) as process:
        process.wait_until(lambda: is_listening(port))
        yield f"http://127.0.0.1:{port}"


def _beside_bare(api: Api, bare_url: str, method: str, paths: Callable[[], str], seconds: float, runs: int) -> Figure:
    ours: list[Load] = []
    bare: list[Load] = []
    for _ in range(runs):
        bare.append(press(bare_url, method, "", paths, CONNECTIONS, seconds))
        ours.append(press(api.url, method, api.printer_key, paths, CONNECTIONS, seconds))
    errors = sum(load.errors for load in (*ours, *bare))
    assert errors == 0, f"{errors} answers to {method} were not 200"
    share = median([mine.per_second / theirs.per_second for mine, theirs in zip(ours, bare, strict=True)])
    times_p99 = median([mine.p99 / theirs.p99 for mine, theirs in zip(ours, bare, strict=True)])
    least, of_p99 = LEAST_SHARE[method], method == "GET"
    return Figure(
        what=f"{method} /itemdata, {CONNECTIONS} connections, one process",
        ours=_rate_and_p99(ours),
        beside=f"bare FastAPI {_rate_and_p99(bare)}",
        share=f"{percent(share)}, p99 {times_p99:.1f} x",
        goal=f"≥ {percent(least)}" + (f", p99 ≤ {MOST_TIMES_P99} x" if of_p99 else ""),
        reached=share >= least and (not of_p99 or times_p99 <= MOST_TIMES_P99),
    )


def _rate_and_p99(loads: list[Load]) -> str:
    rate, p99 = median([load.per_second for load in loads]), median([load.p99 for load in loads])
    return f"{rate:,.0f} requests/s, p99 {p99:.0f} ms"


def _dispatch_under_marks(ground: Ground, api: Api, sierra: Simulator, seconds: float) -> Figure:
    first_held = ground.items[-1].record_id + 1
    with ground.connect() as connection:
        connection.execute(HOLD, [first_held, HELD])
    items = iter(ground.items)
    spawned = multiprocessing.get_context("spawn")
    with ground.start_notifier(sierra), ProcessPoolExecutor(1, spawned) as pool:

        def mark_one() -> float:
            time.sleep(random.uniform(0.01, 0.06))
            return time_dispatch(api, sierra, next(items))

        idle = [mark_one() for _ in range(50)]
        marks = any_of("/itemdata/", first_held, HELD)
        load = pool.submit(press, api.url, "PUT", api.printer_key, marks, CONNECTIONS, seconds)
        busy = []
        while not load.done():
            busy.append(mark_one())
    assert load.result().errors == 0, f"{load.result().errors} marks were not answered with 200"
    busy = busy[len(busy) // 10 :]  # the load's process was only starting
    return Figure(
        what=f"dispatch while {CONNECTIONS} connections mark items that another notifier holds",
        ours=f"{p50_p99(busy)}, of {len(busy)}, under {load.result().per_second:,.0f} marks/s",
        beside=f"idle {p50_p99(idle)}",
        share=f"p50 {median(busy) / median(idle):.1f} x",
        goal=f"p99 < {MOST_DISPATCH_MS} ms",
        reached=quantile(busy, 0.99) < MOST_DISPATCH_MS,
    )
