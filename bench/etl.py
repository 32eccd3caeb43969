"""Measures the ETL from an empty backend to a complete catalogue, beside one naive COPY of the same items.

Real processes: SierraDNA on a PostgreSQL of its own, `signum etl` without rests, `signum api`, and our PostgreSQL. In
the same run: looks for changes, a full sync in which nothing has changed, and a print station's reads meanwhile.
"""

import sys
import time
from dataclasses import dataclass

from bench.etl_process import EtlProcess, Sent, start_etl, watch_children
from bench.figures import Figure, p50_p99, percent, quantile
from bench.ground import Ground, prepare_ground
from bench.load import any_of
from bench.sierra_dna import FIRST_BARCODE, FullDna, fill_dna
from bench.stations import reading
from sandbox import processes

ITEMS = 100_000
EDITED = 20_000
PAGE_ITEMS = 80_000
MOST_TIMES_NAIVE, LEAST_PER_SECOND, MOST_MIB = 3, 10_000, 120
LEAST_UNCHANGED_PER_SECOND = 3_000_000 / 180
MOST_READ_MS = 60


@dataclass(frozen=True, slots=True)
class FullSync:
    """A full sync: all seconds, and of them those of reading, of sending, and those in which SierraDNA worked."""

    seconds: float
    reading: float
    sending: float
    worked: float


def measure(quick: bool, items: int | None = None) -> list[Figure]:
    """Measure a first load, looks for changes, a full sync with nothing changed, and reads during it: a row each."""
    items = items or (1_000 if quick else ITEMS)
    edited = min(EDITED, items // 2)
    barcodes = any_of("/itemdata/", FIRST_BARCODE + edited, items - edited)  # those that stay
    with (
        fill_dna(items) as dna,
        prepare_ground(0) as ground,
        ground.start_api(FULL_SYNC_BATCH_SIZE=str(PAGE_ITEMS)) as api,
        watch_children(api.process.pid) as ingest_mib,
    ):
        _tell("SierraDNA is full")
        naive = dna.copy_naively()
        _tell(f"naive COPY: {naive:.1f} s")
        with start_etl(ground, api, dna) as etl:
            first = _full_sync(etl, 0)
            loaded = _first_load(items, first, naive, etl.peak_mib, ingest_mib[0])
            changes = _looks(etl, dna, edited, items, naive)
            with reading(api, barcodes) as idle:
                time.sleep(1 if quick else 20)
            with reading(api, barcodes) as meanwhile:
                unchanged = _sync_again(ground, etl)
    return [loaded, changes, _nothing_changed(items, first, unchanged), _reads(items, idle, meanwhile)]


def _full_sync(etl: EtlProcess, after: int) -> FullSync:
    """Wait for the end of a full sync, the first behind so many batches."""
    began, worked = time.time() if after else etl.began, sum(etl.statement_seconds().values()) if after else 0
    place, last = etl.wait_for(lambda sent: sent.mode == "full" and sent.items < PAGE_ITEMS, after)
    pages = [sent for sent in etl.sent[after : place + 1] if sent.mode == "full"]
    _tell(", ".join(f"{name} {seconds:.1f} s" for name, seconds in etl.statement_seconds().items()))
    return FullSync(
        last.ended - began,
        sum(page.reading_seconds for page in pages),
        sum(page.sending_seconds for page in pages),
        sum(etl.statement_seconds().values()) - worked,
    )


def _looks(etl: EtlProcess, dna: FullDna, edited: int, items: int, naive: float) -> Figure:
    """Two looks for changes: one that finds none, and one that finds what was edited."""
    place, _ = etl.wait_for(lambda sent: sent.mode == "changes")
    place, nothing = etl.wait_for(lambda sent: sent.mode == "changes", place + 1)
    dna.edit(edited)
    _, some = etl.wait_for(lambda sent: sent.items >= edited, place + 1)
    assert (nothing.items, some.written) == (0, edited)
    return Figure(
        what=f"signum etl, a look for changes in {items:,} items, no index on the stamps",
        ours=f"none {_seconds(nothing):.1f} s, {edited:,} items {_seconds(some):.1f} s",
        beside=f"naive COPY of all {naive:.1f} s",
        share=f"{percent(_seconds(nothing) / naive)}, {percent(_seconds(some) / naive)}",
    )


def _seconds(sent: Sent) -> float:
    return sent.reading_seconds + sent.sending_seconds


def _sync_again(ground: Ground, etl: EtlProcess) -> FullSync:
    """A full sync in which nothing has changed."""
    after = len(etl.sent)
    processes.run("cli.main", "sync", "restart", settings=ground.settings)
    again = _full_sync(etl, after)
    assert sum(sent.written for sent in etl.sent[after:]) == 0
    return again


def _first_load(items: int, sync: FullSync, naive: float, etl_mib: float, ingest_mib: float) -> Figure:
    rate = items / sync.seconds
    return Figure(
        what=f"signum etl, first load of {items:,} items",
        ours=f"{sync.seconds:.1f} s, {rate:,.0f} items/s: reading {sync.reading:.1f} s, SierraDNA at work "
        f"{percent(sync.worked / sync.seconds)}, the backend {sync.sending:.1f} s; ETL {etl_mib:.0f} MiB, "
        f"ingest {ingest_mib:.0f} MiB",
        beside=f"one naive COPY of all, thrown away {naive:.1f} s",
        share=f"{sync.seconds / naive:.1f} x",
        goal=f"≥ {LEAST_PER_SECOND:,} items/s, ≤ {MOST_TIMES_NAIVE} x, ETL < {MOST_MIB} MiB",
        reached=rate >= LEAST_PER_SECOND and sync.seconds <= MOST_TIMES_NAIVE * naive and etl_mib < MOST_MIB,
    )


def _nothing_changed(items: int, first: FullSync, sync: FullSync) -> Figure:
    rate = items / sync.sending
    return Figure(
        what=f"signum etl, full sync of {items:,} items of which none has changed",
        ours=f"{sync.seconds:.1f} s, the backend {sync.sending:.1f} s ({rate:,.0f} items/s)",
        beside=f"first load {first.seconds:.1f} s, the backend {first.sending:.1f} s",
        share=f"{sync.seconds / first.seconds:.2f} x, {sync.sending / first.sending:.2f} x",
        goal=f"the backend ≥ {LEAST_UNCHANGED_PER_SECOND:,.0f} items/s: 3 million in 3 minutes",
        reached=rate >= LEAST_UNCHANGED_PER_SECOND,
    )


def _reads(items: int, idle: list[float], meanwhile: list[float]) -> Figure:
    return Figure(
        what=f"GET /itemdata, 20 a second, during that full sync of {items:,} items",
        ours=p50_p99(meanwhile),
        beside=f"before it {p50_p99(idle)}",
        share=", ".join(f"{quantile(meanwhile, share) / quantile(idle, share):.1f} x" for share in (0.5, 0.99)),
        goal=f"p99 < {MOST_READ_MS} ms",
        reached=quantile(meanwhile, 0.99) < MOST_READ_MS,
    )


def _tell(words: str) -> None:
    print(f"  {time.strftime('%H:%M:%S')} {words}", file=sys.stderr, flush=True)
