"""Plain SQL of a person's, beside the queue's own statements, for the test of the queue's model.

The clock is advanced by moving the rows' times.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import psycopg

from db.queue import Connection

TICK_SECONDS = 1800
ADVANCE = (
    "UPDATE update_queue SET due_at = due_at - past, lease_until = lease_until - past, queued_at = queued_at - past, "
    "unanswered_at = unanswered_at - past "
    "FROM (SELECT %s::interval AS past) AS step",
    "UPDATE queue_control SET resume_at = resume_at - %s::interval",
)
ROWS = f"""
    SELECT item_record_id, priority, queued_by, round(extract(epoch FROM queued_at - now()) / {TICK_SECONDS})::int,
        round(extract(epoch FROM due_at - now()) / {TICK_SECONDS})::int, revision, attempts, claimed_by,
        round(extract(epoch FROM lease_until - now()) / {TICK_SECONDS})::int, last_error,
        CASE WHEN revision = 1 THEN revert_of END,
        round(extract(epoch FROM unanswered_at - now()) / {TICK_SECONDS})::int, pushed_revision
    FROM update_queue
"""
LOG = """
    SELECT item_record_id, outcome, attempts, queued_by, finished_by, error, revert_of FROM update_log
    WHERE finished_by <> 'n0'
"""
EARLIER = """
    INSERT INTO update_log (item_record_id, queued_at, queued_by, finished_by, outcome, attempts, call_number_before,
        call_number_after)
    SELECT item_record_id, now(), 'desk 1', 'n0', 'pushed', 1, '84.2', '84.31' FROM sierra_item
"""
PUSHED = "SELECT max(update_log_id) FROM update_log WHERE item_record_id = %s AND outcome = 'pushed'"
MARK_BY_HAND = """
    INSERT INTO update_queue (item_record_id, priority) VALUES (%s, %s) ON CONFLICT (item_record_id) DO UPDATE
    SET revision = update_queue.revision + 1, due_at = now(), attempts = 0, last_error = NULL
"""
PAUSE = "UPDATE queue_control SET paused_at = now(), resume_at = now() + %s * interval '1 second'"
RESUME = "UPDATE queue_control SET paused_at = NULL, resume_at = NULL"


@dataclass
class Session:
    """Two connections to one database: the one of db/queue.py, and a person's."""

    run: Callable[[Coroutine[Any, Any, Any]], Any]
    connection: Connection
    person: psycopg.Connection[Any]
    role: str
