"""Measures the ETL from an empty backend to a complete catalogue, beside one naive COPY of the same items.

Real processes: SierraDNA on a PostgreSQL of its own, `signum etl` without rests, `signum api`, and our PostgreSQL. In
the same run: looks for changes, a full sync and a pass in which nothing has changed, and a print station's reads.
"""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.etl_process import EtlProcess, Sent, start_etl
from bench.figures import Figure, p50_p99, percent, quantile, times
from bench.ground import Ground, prepare_ground
from bench.load import any_of
from bench.proc import children, peak_mib, processor_seconds, watch
from bench.sierra_dna import FIRST_BARCODE, FullDna, fill_dna
from bench.stations import asking
from sandbox import processes

ITEMS = 100_000
EDITED = 20_000
PAGE_ITEMS, PART_ITEMS = 80_000, 20_000
MOST_TIMES_NAIVE, LEAST_PER_SECOND, MOST_MIB = 3, 10_000, 120
LEAST_UNCHANGED_PER_SECOND = 3_000_000 / 180
MOST_READ_MS = 60


@dataclass(frozen=True, slots=True)
class FullSync:
    """A full sync: all seconds, and of them those of reading, of sending, and those in which SierraDNA worked.

    `processor`: seconds of the processor by program, which do not depend on what else the machine does.
    """

    seconds: float
    reading: float
    sending: float
    worked: float
    processor: Mapping[str, float]


def measure(quick: bool, items: int | None = None) -> list[Figure]:
    """Measure a first load, a full sync and a pass with nothing changed, reads meanwhile, and looks: a row each."""
    items = items or (1_000 if quick else ITEMS)
    edited = min(EDITED, items // 2)
    barcodes = any_of("/itemdata/", FIRST_BARCODE, items)
    with (
        fill_dna(items) as dna,
        prepare_ground(0) as ground,
        ground.start_api(FULL_SYNC_BATCH_SIZE=str(PAGE_ITEMS)) as api,
        watch(lambda: max(map(peak_mib, children(api.process.pid)), default=0.0)) as ingest_mib,
    ):
        _tell("SierraDNA is full")
        before = processor_seconds(dna.pid)
        naive = dna.copy_naively()
        naive_processor = processor_seconds(dna.pid) - before
        _tell(f"naive COPY: {naive:.1f} s, processor {naive_processor:.1f} s")
        programs = {"SierraDNA": dna.pid, "api and ingest": api.process.pid, "PostgreSQL": ground.postgres.pid}
        with start_etl(ground, api, dna) as etl:
            programs["ETL"] = etl.pid
            first = _full_sync(etl, programs, lambda: None)
            loaded = _first_load(items, first, (naive, naive_processor), etl.peak_mib, ingest_mib[0])
            with asking(api, "GET", barcodes) as idle:
                time.sleep(1 if quick else 20)
            with asking(api, "GET", barcodes) as meanwhile:
                unchanged = _sync_again(ground, etl, programs)
        with start_etl(ground, api, dna, passes=True) as etl:
            passed = _pass(etl)
            # At last, for each look brings what the one before it brought, as far as the overlap goes back.
            changes = _looks(etl, dna, edited, items, naive)
    again = _nothing_changed(items, first, unchanged)
    return [loaded, again, _reads(items, idle, meanwhile), _passed(items, passed, unchanged), changes]


def _full_sync(etl: EtlProcess, programs: Mapping[str, int], begin: Callable[[], object]) -> FullSync:
    """The next full sync, from its beginning to its end."""
    after, began, worked = len(etl.sent), time.time(), sum(etl.statement_seconds().values())
    before = {name: processor_seconds(pid) for name, pid in programs.items()}
    begin()
    place, last = etl.wait_for(lambda sent: sent.mode == "full" and sent.items < PAGE_ITEMS, after)
    processor = {name: processor_seconds(pid) - before[name] for name, pid in programs.items()}
    pages = [sent for sent in etl.sent[after : place + 1] if sent.mode == "full"]
    statements = etl.statement_seconds()
    _tell(", ".join(f"{name} {seconds:.1f} s" for name, seconds in statements.items()))
    return FullSync(
        last.ended - began,
        sum(page.reading_seconds for page in pages),
        sum(page.sending_seconds for page in pages),
        sum(statements.values()) - worked,
        processor,
    )


def _looks(etl: EtlProcess, dna: FullDna, edited: int, items: int, naive: float) -> Figure:
    """Two looks for changes: one that finds none, and one that finds what was edited."""
    place, _ = etl.wait_for(lambda sent: sent.mode == "changes", len(etl.sent))
    found = etl.statement_seconds()["changed"]
    place, nothing = etl.wait_for(lambda sent: sent.mode == "changes", place + 1)
    look = etl.statement_seconds()["changed"] - found
    dna.edit(edited)
    _, some = etl.wait_for(lambda sent: sent.items >= edited, place + 1)
    assert (nothing.items, some.written) == (0, edited)
    seconds = [look + sent.reading_seconds + sent.sending_seconds for sent in (nothing, some)]
    return Figure(
        what=f"signum etl, a look for changes in {items:,} items, no index on the stamps",
        ours=f"none {seconds[0]:.1f} s, of it SierraDNA {look:.2f} s; {edited:,} items {seconds[1]:.1f} s",
        beside=f"naive COPY of all {naive:.1f} s",
        share=", ".join(percent(each / naive) for each in seconds),
    )


def _sync_again(ground: Ground, etl: EtlProcess, programs: Mapping[str, int]) -> FullSync:
    """A full sync in which nothing has changed."""
    after = len(etl.sent)
    again = _full_sync(etl, programs, lambda: processes.run("cli.main", "sync", "restart", settings=ground.settings))
    assert sum(sent.written for sent in etl.sent[after:]) == 0
    return again


def _pass(etl: EtlProcess) -> list[Sent]:
    """The ranges of a pass over all items."""
    place, _ = etl.wait_for(lambda sent: sent.mode == "pass" and sent.items < PART_ITEMS)
    return [sent for sent in etl.sent[: place + 1] if sent.mode == "pass"]


def _passed(items: int, ranges: Sequence[Sent], unchanged: FullSync) -> Figure:
    assert sum(sent.items for sent in ranges) == items
    backend = sum(sent.sending_seconds for sent in ranges)
    seconds = backend + sum(sent.reading_seconds for sent in ranges)
    return Figure(
        what=f"signum etl, a pass over {items:,} items of which none has changed, {PART_ITEMS:,} at a time",
        ours=f"{seconds:.1f} s, the backend {backend:.1f} s",
        beside=f"that full sync, {PAGE_ITEMS:,} at a time {unchanged.seconds:.1f} s, "
        f"the backend {unchanged.sending:.1f} s",
        share=f"{times(seconds, unchanged.seconds, 2)}, {times(backend, unchanged.sending, 2)}",
    )


def _first_load(items: int, sync: FullSync, naive: tuple[float, float], etl_mib: float, ingest_mib: float) -> Figure:
    rate, (seconds, processor) = items / sync.seconds, naive
    return Figure(
        what=f"signum etl, first load of {items:,} items",
        ours=f"{sync.seconds:.1f} s, {rate:,.0f} items/s: reading {sync.reading:.1f} s, SierraDNA at work "
        f"{percent(sync.worked / sync.seconds)}, the backend {sync.sending:.1f} s; {_processor(items, sync)}; "
        f"memory: ETL {etl_mib:.0f} MiB, ingest {ingest_mib:.0f} MiB",
        beside=f"one naive COPY of all, thrown away {seconds:.1f} s, processor {processor / items * 1e6:.1f} µs/item",
        share=f"{times(sync.seconds, seconds)}, processor of SierraDNA {times(sync.processor['SierraDNA'], processor)}",
        goal=f"≥ {LEAST_PER_SECOND:,} items/s, ≤ {MOST_TIMES_NAIVE} x, ETL < {MOST_MIB} MiB",
        reached=rate >= LEAST_PER_SECOND and sync.seconds <= MOST_TIMES_NAIVE * seconds and etl_mib < MOST_MIB,
    )


def _processor(items: int, sync: FullSync) -> str:
    parts = ", ".join(f"{name} {seconds / items * 1e6:.0f}" for name, seconds in sync.processor.items())
    return f"processor, µs/item: {parts}"


def _nothing_changed(items: int, first: FullSync, sync: FullSync) -> Figure:
    rate = items / sync.sending
    return Figure(
        what=f"signum etl, full sync of {items:,} items of which none has changed",
        ours=f"{sync.seconds:.1f} s, the backend {sync.sending:.1f} s ({rate:,.0f} items/s); {_processor(items, sync)}",
        beside=f"first load {first.seconds:.1f} s, the backend {first.sending:.1f} s",
        share=f"{times(sync.seconds, first.seconds, 2)}, {times(sync.sending, first.sending, 2)}",
        goal=f"the backend ≥ {LEAST_UNCHANGED_PER_SECOND:,.0f} items/s: 3 million in 3 minutes",
        reached=rate >= LEAST_UNCHANGED_PER_SECOND,
    )


def _reads(items: int, idle: list[float], meanwhile: list[float]) -> Figure:
    return Figure(
        what=f"GET /itemdata, 20 a second, during that full sync of {items:,} items",
        ours=p50_p99(meanwhile),
        beside=f"before it {p50_p99(idle)}",
        share=", ".join(times(quantile(meanwhile, share), quantile(idle, share)) for share in (0.5, 0.99)),
        goal=f"p99 < {MOST_READ_MS} ms",
        reached=quantile(meanwhile, 0.99) < MOST_READ_MS,
    )


def _tell(words: str) -> None:
    print(f"  {time.strftime('%H:%M:%S')} {words}", file=sys.stderr, flush=True)
