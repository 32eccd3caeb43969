"""Measures what a million finished updates leave in update_queue: dead rows and size, with autovacuum as it comes."""

import time

import psycopg
import uvloop

from bench.figures import Figure, percent
from bench.ground import Ground, prepare_ground
from bench.plots import plot_history
from db import queue
from db.queue import Pushed

UPDATES = 1_000_000
AT_ONCE = 500
PER_SECOND = 5_000  # ten times what a Sierra that answers at once lets us do
MOST_MIB = 200
MOST_LEFT = 0.05
MARK = """
INSERT INTO update_queue (item_record_id)
SELECT item_record_id FROM sierra_item WHERE item_record_id >= %s ORDER BY 1 LIMIT %s
"""
SEEN = """
SELECT n_dead_tup, pg_total_relation_size('update_queue') / 1048576.0, autovacuum_count
FROM pg_stat_user_tables WHERE relname = 'update_queue'
"""


def measure(quick: bool) -> list[Figure]:
    """Measure history: one row."""
    updates = 2_000 if quick else UPDATES
    with prepare_ground(20_000) as ground:
        finished, dead, megabytes, vacuums = uvloop.run(_live_through(ground, updates))
    if not quick:
        plot_history(finished, dead, megabytes)
    most, left = max(dead), min(dead[len(dead) // 2 :])
    return [
        Figure(
            what=f"update_queue over {updates:,} finished updates at {PER_SECOND:,}/s",
            ours=f"at most {most:,} dead rows, {max(megabytes):.0f} MiB",
            beside=f"in the second half an autovacuum left {left:,}",
            share=f"{vacuums} autovacuums",
            goal=f"bounded: < {MOST_MIB} MiB, and autovacuum leaves < {percent(MOST_LEFT)} of the dead rows",
            reached=max(megabytes) < MOST_MIB and left < MOST_LEFT * most,
        )
    ]


async def _live_through(ground: Ground, updates: int) -> tuple[list[int], list[int], list[float], int]:
    """Mark, claim and finish at an even pace, and look at the table each half second."""
    finished, dead, megabytes, vacuums, done = [0], [0], [0.0], 0, 0
    began = looked_at = time.monotonic()
    first = ground.items[0].record_id
    async with (
        await psycopg.AsyncConnection.connect(ground.dsn, autocommit=True) as connection,
        await psycopg.AsyncConnection.connect(ground.dsn, autocommit=True) as watching,
    ):
        while done < updates:
            await connection.execute(MARK, [first + done % 20_000, AT_ONCE])
            claims = await queue.claim(connection, "bench", AT_ONCE, 60)
            pushes = [Pushed(claim, "pushed", "84.2", "84.31", None, 1) for claim in claims]
            done += len(await queue.finish(connection, "bench", pushes))
            time.sleep(max(0.0, began + done / PER_SECOND - time.monotonic()))  # noqa: ASYNC251  no other task is here
            if time.monotonic() - looked_at > 0.5:
                looked_at = time.monotonic()
                row = await (await watching.execute(SEEN)).fetchone()
                assert row is not None
                finished.append(done)
                dead.append(row[0])
                megabytes.append(float(row[1]))
                vacuums = row[2]
    return finished, dead, megabytes, vacuums
