"""The steps of a day in a library of bench/library.py, each by the backend's own statement, and timed."""

import functools
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from typing import Any

import psycopg
import uvloop

from bench.ground import SIERRA_ITEMS, Ground
from db import progress, queue
from db.connections import api_parameters
from db.history import prune_history, read_history
from db.items import find_items, mark_item
from db.requests import Database
from runtime.settings import DatabaseSettings

CLAIMED_AT_ONCE = 4
PRUNED_AT_ONCE = 1_000
PRUNES = 2  # a turn
CLAIM, MARK = f"claim of {CLAIMED_AT_ONCE}", "mark"
READ, HISTORY, OVERVIEW = "read of a barcode", "history of a barcode", "overview of the progress"
PRUNE = f"prune of {PRUNED_AT_ONCE:,} rows of history"
STEPS = (CLAIM, MARK, READ, HISTORY, OVERVIEW, PRUNE)
DESK = sha256(b"desk 1").digest()
QUEUE_ITEMS = "INSERT INTO update_queue (item_record_id) SELECT item_record_id FROM sierra_item ORDER BY 1 LIMIT %s"

Step = Callable[[int], Awaitable[Any]]  # takes its place among the times, from 0 on


def queue_items(ground: Ground, items: int) -> None:
    """Have the first items wait for the notifier."""
    with ground.connect() as connection:
        connection.execute(QUEUE_ITEMS, [items])
        connection.execute("VACUUM (ANALYZE) update_queue")
        connection.execute("CHECKPOINT")


def time_steps(
    ground: Ground, items: int, times: int, turn: int, steps: Sequence[str] = STEPS
) -> dict[str, list[float]]:
    """Return the milliseconds of each step, so many times. No turn marks an item that another one has marked."""
    return uvloop.run(_time_steps(ground, items, times, turn, steps))


async def _time_steps(
    ground: Ground, items: int, times: int, turn: int, steps: Sequence[str]
) -> dict[str, list[float]]:
    settings = DatabaseSettings(**{name.lower(): value for name, value in ground.settings.items()})  # type: ignore[arg-type]
    last, barcode = ground.items[0].record_id + items - 1, int(ground.items[0].barcode)

    def any_barcode() -> str:
        return str(barcode + random.randrange(SIERRA_ITEMS, items))

    async with (
        await psycopg.AsyncConnection.connect(ground.dsn, autocommit=True) as connection,
        Database(api_parameters(settings), pool_size=1) as database,
    ):

        async def mark(place: int) -> bool:
            _, found = await mark_item(database, DESK, last - turn * times - place, None, None) or ("", False)
            return found

        known: dict[str, Step] = {
            CLAIM: lambda _: queue.claim(connection, "bench", CLAIMED_AT_ONCE, 60),
            MARK: mark,
            READ: lambda _: find_items(database, DESK, any_barcode()),
            HISTORY: lambda _: read_history(connection, any_barcode()),
            OVERVIEW: lambda _: progress.read_overview(connection),
            PRUNE: lambda _: prune_history(connection, days=1, limit=PRUNED_AT_ONCE),
        }
        release = functools.partial(queue.release, connection, "bench")
        return {
            name: await _time(known[name], PRUNES if name == PRUNE else times, release if name == CLAIM else None)
            for name in steps
        }


async def _time(step: Step, times: int, undo: Callable[[Any], Awaitable[Any]] | None) -> list[float]:
    """Return the milliseconds of each time; to undo it is not timed. Raise AssertionError where nothing was done."""
    spent = []
    for place in range(times):
        began = time.perf_counter()
        done = await step(place)
        spent.append((time.perf_counter() - began) * 1000)
        assert done
        if undo:
            await undo(done)
    return spent


def time_count(ground: Ground) -> float:
    """Return the seconds of a count of all items for the progress."""
    return uvloop.run(_time_count(ground))


async def _time_count(ground: Ground) -> float:
    async with await psycopg.AsyncConnection.connect(ground.dsn, autocommit=True) as connection:
        began = time.perf_counter()
        counted = await progress.count_items(connection)
        seconds = time.perf_counter() - began
    assert counted, "another count is not ten minutes old"
    return seconds
