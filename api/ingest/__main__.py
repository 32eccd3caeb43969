"""The ingest process takes in one batch, so that the api's event loop does not wait for it.

`python -m api.ingest` reads frames from stdin and writes one Result to stdout (see api/ingest/protocol.py). The batch
is one transaction: if this process is killed, nothing of the batch is stored.
"""

import gc
import json
import sys
import traceback
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import date, datetime, timedelta
from typing import Any, BinaryIO

import psycopg

from api.ingest.deletions import store_deletions
from api.ingest.gunzip import FileTooLarge, UnreadableFile, gunzip
from api.ingest.ordinary import read_batch
from api.ingest.position import (
    MOST_EARLY_ENDS,
    NoReadableId,
    Position,
    Received,
    advance,
    believable,
    brought_items,
    gap_end,
    is_early_end,
    would_complete,
)
from api.ingest.protocol import BUSY, NO_MEMORY, Interrupted, Job, LastWords, Result, read_file_frames, read_json_frame
from api.ingest.store import store_batch
from api.ingest.tsv import read_records
from db import sync
from db.connections import DATABASE_AWAY, connect, one_line
from db.durability import UNCONFIRMED
from runtime.stderr import write_stderr_in_background


def main() -> None:
    """Take in the batch on stdin, and write its result to stdout. Write nothing if stdin ends before the batch does."""
    # Reference cycles are not made here, and the process lives for seconds: 6 % faster, and not a MB more (measured).
    gc.disable()
    write_stderr_in_background()  # stderr is the api's: a log that is not read must not hold up the batch
    try:
        result = run(sys.stdin.buffer)
    except Interrupted:
        sys.exit(1)
    except MemoryError:
        sys.exit(NO_MEMORY)
    sys.stdout.write(json.dumps(asdict(result)) + "\n")


def run(stdin: BinaryIO) -> Result:
    """Return the batch's result, bugs included. Raises MemoryError, and Interrupted if stdin ends before the batch."""
    try:
        return take_in(read_json_frame(stdin), stdin)
    except FileTooLarge as error:
        return Result("too_large", str(error))
    except (UnreadableFile, NoReadableId) as error:
        return Result("unreadable", str(error))
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
        return Result("unavailable", 'the schema is not up to date: run "signum migrate"')
    except DATABASE_AWAY as error:
        return Result("unavailable", one_line(error))
    except (Interrupted, MemoryError):
        raise
    except Exception:
        # A bug: the route logs it.
        return Result("failed", traceback.format_exc())


def take_in(job: Job, stdin: BinaryIO) -> Result:
    """Take in the batch in one transaction, unless another batch is being taken in."""
    with connect(job["connection"]) as connection:
        if not sync.take_lock(connection):
            return Result("busy", BUSY)
        position = Position(**sync.read_position(connection, job["batch_size"]))
        sync.fill_batch(connection, _rows(stdin, job["unpacked_limit_bytes"]))
        last_words: LastWords = read_json_frame(stdin)
        sent_at = datetime.fromisoformat(last_words["timestamp"])
        timestamp = believable(sent_at, sync.read_clock(connection))
        longest_pause = timedelta(minutes=job["longest_pause_minutes"])
        deletions_until = last_words.get("deletions_until")
        if deletions_until:
            position = replace(position, deletions_since=date.fromisoformat(deletions_until))
        if last_words.get("pass_complete"):
            position = replace(position, passed_at=timestamp)
        result = _merge(connection, position, timestamp, longest_pause, _told(last_words))
        if timestamp != sent_at:
            result.warnings.insert(0, _ahead(sent_at, timestamp))
        return result if sync.commit_in_time(connection) else Result("unconfirmed", UNCONFIRMED)


def _told(last_words: LastWords) -> dict[str, Any]:
    """Return what the sender says of the content of the batch."""
    since, until = last_words.get("changes_since"), last_words.get("changes_until")
    return {
        "changes_since": datetime.fromisoformat(since) if since else None,
        "changes_until": datetime.fromisoformat(until) if until else None,
        "pass_range": (last_words["all_from_id"], last_words["all_to_id"]) if "all_from_id" in last_words else None,
    }


def _merge(
    connection: sync.Transaction,
    position: Position,
    timestamp: datetime,
    longest_pause: timedelta,
    told: dict[str, Any],
) -> Result:
    counts = sync.count_received(connection)
    rows, rejected, brought_deletions = (counts.pop(name) for name in ("rows", "rejected", "deletions"))
    received = Received(**counts, **told)
    known_items = sync.count_items(connection) if would_complete(position, received) else 0
    advanced = advance(position, received, timestamp, longest_pause, known_items)
    reasons = sync.first_reasons(connection) if rejected else []
    has_highest_bibs = received.changes_since or received.pass_range
    bibs: sync.Bibs = "forget" if has_highest_bibs else "note" if advanced.answers_full_sync else "heed"
    any_repeated, any_refused = received.items < rows, rejected > 0
    written = store_batch(connection, timestamp, bibs, any_repeated=any_repeated, any_refused=any_refused)
    deletions = store_deletions(connection, timestamp, received.pass_range, any_brought=brought_deletions > 0)
    shown = sync.note_shown(connection)
    sync.save_position(connection, asdict(advanced))
    warnings = []
    missing_until = gap_end(position, received, timestamp, longest_pause)
    if missing_until:
        why = f"looks back {longest_pause} at most" if received.changes_since is None else "sent none from before then"
        warnings.append(_gap(position, missing_until, why))
    if is_early_end(position, received, known_items):
        warnings.append(_early_end(advanced, brought_items(position, received), known_items))
    if deletions.held:
        warnings.append(deletions.warning)
    return Result("taken", "", rows, rejected, written, reasons, warnings, shown, deletions.deleted, deletions.held)


def _early_end(advanced: Position, brought: int, known: int) -> str:
    if advanced.completes_full_sync:
        return (
            f"the full sync was completed with {brought} items, fewer than half of the {known} here, by the last of "
            f'{MOST_EARLY_ENDS} such batches: if Sierra has more, run "signum sync restart"'
        )
    return (
        f"a batch would have completed the full sync with {brought} items, fewer than half of the {known} here: it was "
        f"taken in, and the full sync goes on ({advanced.early_ends} of {MOST_EARLY_ENDS} in a row)"
    )


def _ahead(sent_at: datetime, timestamp: datetime) -> str:
    return (
        f"the batch was stamped {sent_at}, far ahead of the database's clock, and is stored as of {timestamp}: "
        "set the clock of Sierra's database, or ours"
    )


def _gap(position: Position, missing_until: datetime, why: str) -> str:
    return (
        f"changes in Sierra between {position.offered_timestamp} and {missing_until} did not all come with this batch, "
        f'because the ETL {why}: run "signum sync restart"'
    )


def _rows(stdin: BinaryIO, unpacked_limit_bytes: int) -> Iterator[tuple[Any, ...] | bytes]:
    """Return the file's rows, as the table batch takes them."""
    records = read_records(gunzip(read_file_frames(stdin), unpacked_limit_bytes))
    return read_batch(records)


if __name__ == "__main__":
    main()
