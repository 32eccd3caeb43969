"""One batch of the ETL, statement by statement of db/sql/sync.sql, all within one transaction of the caller's.

Synchronous: this runs in a process of its own (api/ingest/__main__.py).
"""

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Literal

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


def fill_batch(connection: Transaction, rows: Iterable[tuple[Any, ...]]) -> None:
    """Copy the rows, good and refused, into the temporary table; columns as in `copy_batch`."""
    connection.execute(SQL["notice_our_end"])
    connection.execute(SQL["create_batch"])
    connection.execute(SQL["create_noted_bibs"])
    with connection.cursor() as cursor, cursor.copy(SQL["copy_batch"]) as copy:
        for row in rows:
            copy.write_row(row)
    connection.execute(SQL["index_batch"])
    connection.execute(SQL["analyze_batch"])


def count_received(connection: Transaction) -> dict[str, Any]:
    """`items`, `lowest_id`, `highest_id`, `rows` and `rejected` of the batch as it was copied."""
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


def read_new_subfields(connection: Transaction) -> Iterator[tuple[Any, ...]]:
    """Line number and `shelfmark_json` of each row whose shelfmark has to be made."""
    with connection.cursor() as cursor, cursor.copy(SQL["copy_new_subfields"]) as copy:
        copy.set_types(["int8", "text"])
        yield from copy.rows()


def fill_shelfmarks(connection: Transaction, shelfmarks: Iterable[tuple[int, str]]) -> None:
    """Store the new shelfmarks in a temporary table, by line number."""
    connection.execute(SQL["create_new_shelfmark"])
    with connection.cursor() as cursor, cursor.copy(SQL["copy_new_shelfmarks"]) as copy:
        for shelfmark in shelfmarks:
            copy.write_row(shelfmark)
    connection.execute(SQL["analyze_new_shelfmark"])


def merge_batch(connection: Transaction, timestamp: datetime, bibs: Bibs = "heed") -> int:
    """Store what is new or changed, and keep aside what was refused. The number of items written."""
    written = connection.execute(SQL["merge_batch"], {"timestamp": timestamp, "bibs": bibs}).rowcount
    written += connection.execute(SQL["revive"], {"timestamp": timestamp}).rowcount
    if bibs == "note":
        connection.execute(SQL["keep_noted_bibs"], {"timestamp": timestamp})
    connection.execute(SQL["forget_refused"], {"timestamp": timestamp})
    connection.execute(SQL["keep_refused"], {"timestamp": timestamp})
    return written


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
