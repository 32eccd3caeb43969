"""Hostile files are bounded: twice as much takes about twice as long, and memory does not grow."""

import gzip
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from time import process_time

import pytest

from api.ingest.gunzip import FileTooLarge, UnreadableFile, gunzip
from api.ingest.shelfmark import shelfmark_of
from api.ingest.tsv import read_records

MIB = 1 << 20
SHAPES: dict[str, Callable[[int], str]] = {
    "open brackets": lambda size: "[" * size,
    "open quotes": lambda size: "[{'" + "a" * size,
    "backslashes": lambda size: "[{'tag': '" + "\\" * size,
    "quotes": lambda size: "'" * size,
    "empty objects": lambda size: "[" + "{}, " * (size // 4),
    "half an entry, again and again": lambda size: "[" + "{'marc_tag': '100', 'content': '" * (size // 32),
    "blanks": lambda size: "[" + " " * size + "x",
    "numbers": lambda size: "[" + "1" * size,
}
FILES: dict[str, Callable[[int], bytes]] = {
    "quotes": lambda size: b"a\tb\n" + b'"' * size,
    "an open quote": lambda size: b'a\tb\n"' + b"xxxxxxx\n" * (size // 8),
    "tabs": lambda size: b"a\tb\n" + b"\t" * size,
    "line ends": lambda size: b"a\tb\n" + b"\n" * (size // 16),
    "bare CRs": lambda size: b"a\tb\n" + b"\r" * size,
}


def seconds(work: Callable[[], object]) -> float:
    """The least of three, of this process's own time."""
    times = []
    for _ in range(3):
        began = process_time()
        work()
        times.append(process_time() - began)
    return min(times)


def pieces(data: bytes) -> Iterator[bytes]:
    """As they come from the wire."""
    return (data[start : start + 65536] for start in range(0, len(data), 65536))


def read_all(data: bytes) -> None:
    """All records, or the reason why there are none."""
    with suppress(UnreadableFile):
        for _ in read_records(pieces(data)):
            pass


@pytest.mark.parametrize("shape", SHAPES)
def test_a_hostile_heading_takes_linear_time(shape: str) -> None:
    once, twice = (seconds(partial(shelfmark_of, SHAPES[shape](size))) for size in (30_000, 60_000))
    assert twice < 3.5 * once + 0.02


@pytest.mark.parametrize("shape", FILES)
def test_a_hostile_file_takes_linear_time_and_little_memory(shape: str) -> None:
    once, twice = (seconds(partial(read_all, FILES[shape](size))) for size in (MIB // 4, MIB // 2))
    assert twice < 3.5 * once + 0.05
    data = FILES[shape](4 * MIB)
    tracemalloc.start()
    read_all(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6 * MIB


def test_a_bomb_stops_at_the_limit_and_takes_little_memory() -> None:
    bomb = gzip.compress(b"\0" * (64 * MIB))
    tracemalloc.start()
    with pytest.raises(FileTooLarge):
        for _ in gunzip(pieces(bomb), 32 * MIB):
            pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * MIB
