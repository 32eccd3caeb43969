"""Measures how large the database becomes: per 1,000 items that the sync brought, per 100,000 labels in history.

Items come by POST /sync with headings of 0.9 kB each, as the ingest row's; labels by the queue's own statements.
"""

import uuid

import psycopg
import uvloop

from bench.catalogue import make_batch
from bench.figures import Figure
from bench.ground import Ground, prepare_ground
from bench.ingest import send
from db import queue
from db.queue import Pushed

ITEMS = 80_000
LABELS = 100_000
AT_ONCE = 500
MARK = """
INSERT INTO update_queue (item_record_id, queued_by, priority, request_id)
SELECT item_record_id, 'desk 1', 0, %(request_id)s
FROM sierra_item
ORDER BY item_record_id
OFFSET %(first)s LIMIT %(many)s
"""
SIZE = "SELECT pg_total_relation_size(%(name)s::regclass) / 1e6, pg_indexes_size(%(name)s::regclass) / 1e6"


def measure(quick: bool) -> list[Figure]:
    """Measure growth: a row for the catalogue, fresh and after all of it has changed, and one for history."""
    items, labels = (1_000, 1_000) if quick else (ITEMS, LABELS)
    with prepare_ground(0) as ground, ground.start_api(FULL_SYNC_BATCH_SIZE=str(items)) as api:
        figures = []
        for version, what in ((1, "as the sync brought them"), (2, "after every one of them changed in one batch")):
            send(api, make_batch(items, version), f"2026-11-0{version}T00:00:00+00:00")
            figures.append(
                disk_of(ground, f"sierra_item, {items:,} items {what}", "sierra_item", items, 1_000, "items")
            )
        uvloop.run(_print_labels(ground, items, labels))
        figures.append(disk_of(ground, f"update_log, {labels:,} labels", "update_log", labels, 100_000, "labels"))
    return figures


def disk_of(ground: Ground, what: str, table: str, rows: int, unit: int, noun: str) -> Figure:
    """The size of a table of so many rows, vacuumed, per `unit` of them."""
    with ground.connect() as connection:
        connection.execute(f"VACUUM (ANALYZE) {table}".encode())
        row = connection.execute(SIZE, {"name": table}).fetchone()
        assert row is not None
        whole, indexes = map(float, row)
    return Figure(
        what=what,
        ours=f"{whole * unit / rows:.2f} MB per {unit:,} {noun}",
        beside=f"of that indexes {indexes * unit / rows:.2f} MB",
        share=f"{whole:,.0f} MB in all",
    )


async def _print_labels(ground: Ground, items: int, labels: int) -> None:
    """Mark, claim and finish so many updates, AT_ONCE at a time."""
    async with await psycopg.AsyncConnection.connect(ground.dsn, autocommit=True) as connection:
        done = 0
        while done < labels:
            mark = {"request_id": uuid.uuid4().hex, "first": done % items, "many": min(AT_ONCE, labels - done)}
            await connection.execute(MARK, mark)
            claims = await queue.claim(connection, "library:1234:9f0c", AT_ONCE, 60)
            pushes = [Pushed(claim, "pushed", "84.2 Jännitys", "84.31 Jännitys", None, 12) for claim in claims]
            done += len(await queue.finish(connection, "library:1234:9f0c", pushes))
