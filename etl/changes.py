"""The items that changed or were deleted since a moment.

A bib's change is one of all its items. What stamps do not tell (transfers, renamed types, an item that loses its bib)
is found by the pass over all items.
"""

from array import array
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from functools import partial
from heapq import merge
from itertools import groupby

from etl.chunks import Chunks
from etl.dna import Snapshot
from etl.items import Row
from runtime.statements import load

SQL = load("etl", "changes")

RUN_KEYS = 100_000
_ITEM, _BIB = ord("i"), ord("b")


def find_changed(chunks: Chunks, since: datetime) -> "array[int]":
    """The sorted keys of items with a stamp from `since` on, or with a bib that has one. No key comes twice."""
    changed = chunks.attempt(lambda snapshot: snapshot.keys("changed", SQL["changed"], {"since": since}))
    items, bibs = (array("q", (key for key in changed if key >> 32 & 0xFFFF == kind)) for kind in (_ITEM, _BIB))
    del changed  # 8 bytes a key, of millions after a reindex
    for some in _slices(bibs, chunks.size):
        items.extend(chunks.attempt(partial(_items_of_bibs, list(some))))
    return _sorted_once(items)


def find_deleted(chunks: Chunks, since: date, campus_code: str) -> list[Row]:
    """Key and day of each item that was deleted on that day or later."""
    parameters = {"since": since, "campus": campus_code}
    return chunks.attempt(lambda snapshot: snapshot.fetch("deleted", SQL["deleted"], parameters))


def _sorted_once(keys: "array[int]") -> "array[int]":
    """Sort the keys in place, run by run, and merge the runs: as Python's integers, all at once, they take 300 MiB."""
    runs = range(0, len(keys), RUN_KEYS)
    for at in runs:
        keys[at : at + RUN_KEYS] = array("q", sorted(keys[at : at + RUN_KEYS]))
    view = memoryview(keys)
    return array("q", (key for key, _ in groupby(merge(*(view[at : at + RUN_KEYS] for at in runs)))))


def _items_of_bibs(bibs: list[int], snapshot: Snapshot) -> "array[int]":
    return snapshot.keys("items_of_bibs", SQL["items_of_bibs"], {"bibs": bibs})


def _slices(keys: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    return (keys[at : at + size] for at in range(0, len(keys), size))
