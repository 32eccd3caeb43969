"""Measures the reads and marks that one api process answers, alternating with bare FastAPI and one raw statement."""

import contextlib
from collections.abc import Callable, Iterator

from bench.figures import Figure, median, percent, quantile
from bench.ground import Api, Ground, is_listening, prepare_ground
from bench.load import Load, any_of, press
from sandbox.postgres import free_port

ITEMS = 100_000
CONNECTIONS = 32
PREDECESSOR = {"GET": 168.0, "PUT": 148.0}  # requests/s
GOALS = {"GET": 7.0, "PUT": 6.0}  # times that


def measure(quick: bool) -> list[Figure]:
    """Measure GET and PUT: a row each."""
    seconds, runs = (0.5, 1) if quick else (5.0, 5)
    items = 1_000 if quick else ITEMS
    with prepare_ground(items) as ground, ground.start_api() as api, _start_bare(ground) as bare_url:
        first = ground.items[0]
        reads = any_of("/itemdata/", int(first.barcode), items)
        marks = any_of("/itemdata/", first.record_id, items)
        return [
            _beside_bare(api, bare_url, "GET", reads, seconds, runs),
            _beside_bare(api, bare_url, "PUT", marks, seconds, runs),
        ]


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
    rate = median([load.per_second for load in ours])
    share = median([mine.per_second / theirs.per_second for mine, theirs in zip(ours, bare, strict=True)])
    p99 = median([quantile(load.milliseconds, 0.99) for load in ours])
    return Figure(
        what=f"{method} /itemdata, {CONNECTIONS} connections, one process",
        ours=f"{rate:,.0f} requests/s, p99 {p99:.0f} ms",
        beside=f"bare FastAPI {median([load.per_second for load in bare]):,.0f} requests/s",
        share=f"{percent(share)}; {rate / PREDECESSOR[method]:.1f} x the predecessor",
        goal=f"≥ 40 %, ≥ {GOALS[method]:.0f} x" + (", p99 < 80 ms" if method == "GET" else ""),
        reached=share >= 0.4 and rate >= GOALS[method] * PREDECESSOR[method] and (method == "PUT" or p99 < 80),
    )
