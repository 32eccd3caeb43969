"""Measures time and memory of the ETL's batch of 80,000 rows, beside a bare COPY of the same rows."""

import contextlib
import csv
import gzip
import io
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from bench.catalogue import make_batch
from bench.figures import Figure
from bench.ground import Api, Ground, prepare_ground

ROWS = 80_000
MOST_MEMORY_MIB = 150
PREDECESSOR = {"first load": 43.0, "all changed": 44.0}  # seconds


def measure(quick: bool) -> list[Figure]:
    """Measure a first load, one with nothing changed, and one with all rows changed."""
    rows = 1_000 if quick else ROWS
    first, second = make_batch(rows), make_batch(rows, version=2)
    with prepare_ground(1_000) as ground, ground.start_api(FULL_SYNC_BATCH_SIZE=str(rows)) as api:
        floor = bare_copy(ground, first)
        loads = (
            ("first load", first, "2026-11-02T00:00:00+00:00", rows, 6.0),
            ("nothing changed", first, "2026-11-03T00:00:00+00:00", 0, 4.0),
            ("all changed", second, "2026-11-04T00:00:00+00:00", rows, None),
        )
        return [_load(api, floor, rows, *load) for load in loads]


def send(api: Api, batch: bytes, timestamp: str) -> int:
    """Send one POST /sync. Return the number of items written."""
    answer = httpx.post(
        f"{api.url}/sync",
        headers={"x-api-key": api.etl_key},
        data={"timestamp": timestamp},
        files={"file": ("data.tsv.gz", batch, "application/gzip")},
        timeout=120,
        trust_env=False,
    )
    assert answer.status_code == 200, answer.text
    written: int = answer.json()["written"]
    return written


def bare_copy(ground: Ground, batch: bytes) -> float:
    """Seconds to unpack the file, read it with the csv module and COPY it, unchecked, into a table without indexes."""
    began = time.perf_counter()
    with ground.connect() as connection:
        rows = csv.reader(io.TextIOWrapper(io.BytesIO(gzip.decompress(batch)), newline=""), delimiter="\t")
        columns = ", ".join(f"{name} text" for name in next(rows))
        connection.execute(f"CREATE TABLE bare_copy ({columns})")
        with connection.cursor() as cursor, cursor.copy("COPY bare_copy FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    return time.perf_counter() - began


def _load(
    api: Api, floor: float, rows: int, what: str, batch: bytes, timestamp: str, written: int, goal: float | None
) -> Figure:
    with watch_memory(api.process.pid) as peak:
        before, began = memory_mib(api.process.pid), time.perf_counter()
        assert send(api, batch, timestamp) == written
        seconds = time.perf_counter() - began
    more = peak[0] - before
    old = PREDECESSOR.get(what)
    return Figure(
        what=f"POST /sync, {rows:,} rows of 1 kB, {what}",
        ours=f"{seconds:.1f} s, memory +{more:.0f} MiB",
        beside=f"unpack, csv and bare COPY {floor:.1f} s",
        share=f"{seconds / floor:.1f} x" + (f"; predecessor {old:.0f} s, +325 MB" if old else ""),
        goal=(f"≤ {goal:.0f} s, " if goal else "") + f"< {MOST_MEMORY_MIB} MiB",
        reached=(goal is None or seconds <= goal) and more < MOST_MEMORY_MIB,
    )


@contextlib.contextmanager
def watch_memory(pid: int) -> Iterator[list[float]]:
    """The highest memory_mib until the end of this context, in a list of one."""
    peak, over = [0.0], threading.Event()

    def watch() -> None:
        while not over.wait(0.05):
            peak[0] = max(peak[0], memory_mib(pid))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield peak
    finally:
        over.set()
        watching.join()


def memory_mib(pid: int) -> float:
    """The memory of a process and its children, by /proc. Each shared page counts once."""
    total = 0.0
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            said = dict(line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line)
            if pid in (int(said["Pid"]), int(said["PPid"])) and "VmRSS" in said:
                total += int(said["VmRSS"].split()[0]) / 1024
    return total
