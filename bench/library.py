"""A busy library after five years: its catalogue and the history of its labels, filled once for all rows of a run."""

import atexit
import contextlib
import functools
from collections.abc import Iterator

import psycopg
import uvloop

from bench.catalogue import fill_history
from bench.ground import SIERRA_ITEMS, Ground, prepare_ground
from db import progress

YEARS = 5
ITEMS, LABELS, QUEUED = 5_000_000, 10_000_000, 1_000_000

_kept = contextlib.ExitStack()
atexit.register(_kept.close)


@functools.cache
def keep_library(items: int, labels: int) -> Ground:
    """The library with so many items and labels, filled at the first call and kept until this process ends."""
    return _kept.enter_context(prepare_library(items, labels))


@contextlib.contextmanager
def prepare_library(items: int, labels: int) -> Iterator[Ground]:
    """A ground with so many items, and so many labels of the last five years; its queue is empty.

    None of the items that Sierra has was ever pushed: their pushes would be proved by reading, as by another Sierra's
    history.
    """
    with prepare_ground(items) as ground:
        with ground.connect() as connection:
            fill_history(connection, items, SIERRA_ITEMS, labels, YEARS)
        uvloop.run(_add_up_days(ground))
        yield ground


async def _add_up_days(ground: Ground) -> None:
    """Have the days added up, as notifiers did in these years."""
    async with await psycopg.AsyncConnection.connect(ground.dsn, autocommit=True) as connection:
        for week in await progress.find_weeks(connection):
            await progress.add_up_week(connection, week)
        await connection.execute("VACUUM (ANALYZE) progress_day")
