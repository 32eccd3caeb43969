"""How long until a process is ready, with the database up? Beside a Python that imports the same libraries."""

import subprocess
import sys
import time
from collections.abc import Callable

from bench.figures import Figure, median
from bench.ground import Ground, prepare_ground
from sandbox.postgres import free_port
from sandbox.system import is_ready

LIBRARIES = {"api": "fastapi, uvicorn, sqlmodel, psycopg, typer", "notifier": "httpx, psycopg_pool, sqlalchemy, typer"}


def measure(quick: bool) -> list[Figure]:
    """A row for each process."""
    with prepare_ground(100) as ground:
        ways = {"api": _start_api, "notifier": _start_notifier}
        return [_figure(ground, name, way, runs=1 if quick else 5) for name, way in ways.items()]


def _figure(ground: Ground, name: str, way: Callable[[Ground], float], runs: int) -> Figure:
    ours, imports = [], []
    for _ in range(runs):
        ours.append(way(ground))
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", f"import {LIBRARIES[name]}"], check=True)
        imports.append(time.perf_counter() - began)
    return Figure(
        what=f"start of {name}, from its command until it is ready",
        ours=f"{median(ours):.2f} s",
        beside=f"importing its libraries {median(imports):.2f} s",
        share=f"{median(ours) / median(imports):.1f} x",
        goal="< 2 s",
        reached=median(ours) < 2,
    )


def _start_api(ground: Ground) -> float:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    began = time.perf_counter()
    with ground.start_module("cli.main", "api", API_PORT=str(port)) as process:
        process.wait_until(lambda: is_ready(url))
        return time.perf_counter() - began


def _start_notifier(ground: Ground) -> float:
    with ground.start_sierra() as sierra:
        began = time.perf_counter()
        with ground.start_notifier(sierra):
            return time.perf_counter() - began
