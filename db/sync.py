"""One batch of the ETL, statement by statement of db/sql/sync.sql, all within one transaction of the caller's.

Synchronous: this runs in a process of its own (api/ingest/__main__.py).
"""

import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import psycopg
from psycopg import Connection
from psycopg.errors import LockNotAvailable
from psycopg.rows import dict_row

from db import durability
from db.pool import cut
from runtime.statements import load

SQL = load("db", "sync")

Transaction = Connection[Any]

CONFIRM_SECONDS = 10.0  # for what takes long itself: a batch, an import
CANCEL_SECONDS = 2.0

PART_BYTES = 4 << 20  # of subfields: some thousand rows; PostgreSQL's default temp_buffers hold them
COPY_BYTES = 32 << 10  # at a time, as psycopg does with rows
LOWEST_ID = -(1 << 63)


class Part(NamedTuple):
    """A part of the batch: its rows from one item_record_id to another, both of them included."""

    first_id: int
    last_id: int


Subfields = list[tuple[int, str | None]]  # item_record_id and shelfmark_json

# The bibs of an item that has several: a full sync brings all of them and notes them; changes bring only edited ones
# and heed the note; changes of an ETL that always sends the highest bib need no note and forget it.
Bibs = Literal["note", "heed", "forget"]


def take_lock(connection: Transaction) -> bool:
    """Become the one batch until the transaction ends, of which this is the first. False if another one is."""
    row = connection.execute(SQL["take_lock"]).fetchone()
    if row is None or not row[0]:
        return False
    try:
        connection.execute(SQL["take_table"])
    except LockNotAvailable:
        connection.rollback()
        return False
    return True


def read_position(connection: Transaction, batch_size: int) -> dict[str, Any]:
    """The state of the sync and what was handed out, read once a GET /sync under way has ended."""
    with connection.transaction(force_rollback=True), connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(SQL["read_position"], {"batch_size": batch_size})
        return cursor.fetchone() or {}


def read_clock(connection: Transaction) -> datetime:
    """The database's time now, not the transaction's."""
    row = connection.execute(SQL["read_clock"]).fetchone()
    assert row is not None
    clock: datetime = row[0]
    return clock


def fill_batch(connection: Transaction, rows: Iterable[tuple[Any, ...] | bytes]) -> None:
    """Copy the rows, good and refused, into the temporary table: columns as in `copy_batch`, or COPY's text of them."""
    connection.execute(SQL["notice_our_end"])
    connection.execute(SQL["create_batch"])
    connection.execute(SQL["index_batch"])
    connection.execute(SQL["create_noted_bibs"])
    with connection.cursor() as cursor, cursor.copy(SQL["copy_batch"]) as copy:
        lines = bytearray()
        for row in rows:
            if isinstance(row, bytes):
                lines += row
            else:
                copy.write_row(row)
            if len(lines) > COPY_BYTES:
                copy.write(bytes(lines))
                lines.clear()
        copy.write(bytes(lines))
    connection.execute(SQL["analyze_batch"])


def count_received(connection: Transaction) -> dict[str, Any]:
    """`items`, `lowest_id`, `highest_id`, `rows`, `rejected` and `deletions` of the batch as it was copied."""
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(SQL["count_received"])
        return cursor.fetchone() or {}


def count_items(connection: Transaction) -> int:
    """The number of living items."""
    (count,) = connection.execute(SQL["count_items"]).fetchone() or (0,)
    return int(count)


def note_bibs(connection: Transaction) -> None:
    """Note which items of the batch have several bibs, before their further rows are dropped."""
    connection.execute(SQL["note_bibs"])


def drop_further_rows(connection: Transaction) -> None:
    """Leave one row of each item that has several. What is counted is counted before."""
    connection.execute(SQL["drop_further_rows"])


def find_parts(connection: Transaction) -> list[Part]:
    """Divide the batch into parts, by ids."""
    last_ids = [last_id for (last_id,) in connection.execute(SQL["find_parts"], {"part_bytes": PART_BYTES})]
    return [Part(above + 1, last_id) for above, last_id in pairwise([LOWEST_ID - 1, *last_ids])]


def read_new_subfields(connection: Transaction, part: Part) -> Subfields:
    """`item_record_id` and `shelfmark_json` of each row of the part whose shelfmark has to be made."""
    return connection.execute(SQL["read_new_subfields"], part._asdict(), prepare=False).fetchall()


def merge_part(
    connection: Transaction, part: Part, shelfmarks: Mapping[int, str], timestamp: datetime, bibs: Bibs
) -> int:
    """Store what is new or changed of the part, with the new shelfmarks by item. The number of items written."""
    parameters = {
        **part._asdict(),
        "item_record_ids": [*shelfmarks.keys()],
        "shelfmarks": [*shelfmarks.values()],
        "timestamp": timestamp,
        "bibs": bibs,
    }
    return connection.execute(SQL["merge_part"], parameters, prepare=False).rowcount


def revive(connection: Transaction, timestamp: datetime) -> int:
    """Revive the deleted items of which a row came. The number of those that merge_part has not written."""
    return connection.execute(SQL["revive"], {"timestamp": timestamp}).rowcount


def keep_refused(connection: Transaction, timestamp: datetime, bibs: Bibs, *, any_refused: bool) -> None:
    """Keep aside what was refused, and forget what had been refused of the items that are stored now."""
    if any_refused and bibs == "note":
        connection.execute(SQL["keep_noted_bibs"], {"timestamp": timestamp})
    connection.execute(SQL["forget_refused"], {"timestamp": timestamp})
    if any_refused:
        connection.execute(SQL["keep_refused"], {"timestamp": timestamp})


def note_shown(connection: Transaction) -> int:
    """Note the pushes whose call number the batch brings back from Sierra. Return how many they are."""
    return connection.execute(SQL["note_shown"]).rowcount


def drop_batch(connection: Transaction) -> None:
    """Make room for another batch within the same transaction."""
    connection.execute(SQL["drop_batch"])


def first_reasons(connection: Transaction) -> list[str]:
    """The reasons of the first ten refused rows, each a sentence that names its row."""
    rows = connection.execute(SQL["first_reasons"]).fetchall()
    return [f"line {line}{'' if item is None else f', item {item}'}: {reason}" for line, item, reason in rows]


def save_position(connection: Transaction, position: Mapping[str, Any]) -> None:
    """Store the new state of the sync: the batch's last statement."""
    connection.execute(SQL["save_position"], position)


def commit_in_time(connection: Transaction) -> bool:
    """Commit the transaction durably. Return False if no synchronous standby has confirmed it within CONFIRM_SECONDS.

    It is stored all the same then. Raise OperationalError where the server does not even hear that we give up.
    """
    standby = durability.StandbyWatch(connection)
    connection.execute(durability.SQL["commit_durably"])
    giving_up = threading.Timer(CONFIRM_SECONDS, _cancel, (connection,))
    # After a failover a cancel may go the way to the new primary, and not end the wait at the old one. Nor does any
    # time-out of the server's.
    ending = threading.Timer(CONFIRM_SECONDS + CANCEL_SECONDS, cut, (connection,))
    giving_up.start()
    ending.start()
    try:
        connection.commit()
    finally:
        giving_up.cancel()
        ending.cancel()
    return not standby.missed()


def _cancel(connection: Transaction) -> None:
    with suppress(psycopg.Error):
        connection.cancel_safe(timeout=CANCEL_SECONDS)
