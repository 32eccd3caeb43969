"""Measures time and memory of the ETL's batch of 80,000 rows, beside a bare COPY of the same rows just before each."""

import csv
import gzip
import io
import time
from collections.abc import Sequence
from dataclasses import dataclass

import httpx

from bench.catalogue import make_batch
from bench.figures import Figure, median
from bench.ground import Api, Ground, prepare_ground
from bench.proc import memory_mib, watch

ROWS = 80_000
RUNS = 3
MOST_TIMES_FLOOR = {"first load": 3.0, "nothing changed": 2.0, "all changed": 4.0}
MOST_MEMORY_MIB = 80


@dataclass(frozen=True, slots=True)
class Sent:
    """One load: its seconds, those of its floor, and the memory that it took besides."""

    seconds: float
    floor: float
    more_mib: float


def measure(quick: bool) -> list[Figure]:
    """Measure a first load, one with nothing changed, and one with all rows changed, each into the same catalogue."""
    rows, runs = (1_000, 1) if quick else (ROWS, RUNS)
    first, second = make_batch(rows), make_batch(rows, version=2)
    loads = (("first load", first, rows), ("nothing changed", first, 0), ("all changed", second, rows))
    sent: dict[str, list[Sent]] = {what: [] for what, _, _ in loads}
    with prepare_ground(0) as ground, ground.start_api(FULL_SYNC_BATCH_SIZE=str(rows)) as api:
        for run in range(runs):
            with ground.connect() as connection:
                connection.execute("TRUNCATE sierra_item CASCADE")
            for hour, (what, batch, written) in enumerate(loads):
                timestamp = f"2026-11-{run + 2:02}T{hour:02}:00:00+00:00"
                sent[what].append(_load(ground, api, batch, timestamp, written))
    return [_figure(what, rows, each) for what, each in sent.items()]


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
        seconds = time.perf_counter() - began
        connection.execute("DROP TABLE bare_copy")
    return seconds


def _load(ground: Ground, api: Api, batch: bytes, timestamp: str, written: int) -> Sent:
    floor, pid = bare_copy(ground, batch), api.process.pid
    before = memory_mib(pid)
    with watch(lambda: memory_mib(pid)) as peak:
        began = time.perf_counter()
        assert send(api, batch, timestamp) == written
        seconds = time.perf_counter() - began
    return Sent(seconds, floor, peak[0] - before)


def _figure(what: str, rows: int, sent: Sequence[Sent]) -> Figure:
    times, most = median([each.seconds / each.floor for each in sent]), MOST_TIMES_FLOOR[what]
    more_mib = max(each.more_mib for each in sent)
    return Figure(
        what=f"POST /sync, {rows:,} rows of 1 kB, {what}",
        ours=f"{median([each.seconds for each in sent]):.1f} s, memory +{more_mib:.0f} MiB",
        beside=f"unpack, csv and bare COPY {median([each.floor for each in sent]):.2f} s",
        share=f"{times:.1f} x",
        goal=f"≤ {most:.0f} x, < {MOST_MEMORY_MIB} MiB",
        reached=times <= most and more_mib < MOST_MEMORY_MIB,
    )
