r"""The columns of the views say what they are, as those of the tables do: a DBA reads it in `\d+ queue_detail`.

Nothing else changes. The way back takes the comments away.

Revision ID: 0011
Revises: 0010
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

COMMENTS = {
    "client_overview": {
        "client_name": "Name, as it stands in update_queue.queued_by",
        "client_type": "etl: may sync; signum-printer: may read and mark items",
        "state": "valid, or revoked",
        "last_seen_ago": "How long ago it was last heard of; NULL: never",
        "internal_hostname": "Host name that the client last told",
        "internal_ip_address": "Address that the client last told",
        "api_key_prefix": "First characters of its API key, to recognise it by",
        "created_at": "When the client was added",
        "last_seen_at": "When it was last heard of",
        "revoked_at": "Since when its key is refused; NULL: valid",
    },
    "notifier_overview": {
        "notifier": "Host name, process id and a random word; as in update_queue.claimed_by",
        "state": "listening or polling: well; paused; waiting for Sierra, or for a person; stalled; gone; starting; stopped",
        "mode": "starting, listening (woken by NOTIFY), polling (can't hear, sweeps only), stopped",
        "breaker": "closed: pushing; open: waiting; probing: trying one item",
        "reason": "Why it does not push, or why it polls",
        "seen_ago": "How long ago it last said how it is; it does so every 5 s",
        "looped_ago": "How long ago its loop last came round: looked at the queue, or moved an item on",
        "last_success_ago": "How long ago Sierra last answered it well",
        "oldest_due_age": "For how long the oldest item that no notifier pushes could have been claimed; NULL: there is none",
        "started_at": "When the process began",
        "waits_for": "What must come before it pushes again: answer, Sierra or person; NULL: nothing",
    },
    "queue_detail": {
        "item_record_id": "The item",
        "item_number": "Its record number in Sierra",
        "barcode": "Its barcode",
        "title": "Its title",
        "classification": "The class number that is to be written",
        "state": "waiting, in flight, postponed, or rejected",
        "reason": "Why the last push failed",
        "next_try_at": "When the next push is due. NULL: rejected, due never until a person acts",
        "age": "For how long it has been due; NULL: it is not",
        "queued_at": "When it entered. A mark on a rejected row enters anew",
        "queued_by": "The client that marked it, or the database role for plain SQL",
        "priority": "0 print stations, 1 plain SQL and bulk, 2 whenever there is time; lower goes first",
        "attempts": "Pushes begun since its last mark",
        "revision": "How often it was marked since it entered",
        "pushed_by": "The notifier that pushes it now; NULL: none",
        "revert_of": "The row of history whose push is to be undone; NULL: an update",
    },
    "queue_overview": {
        "state": "waiting, in flight, postponed, or rejected",
        "items": "How many items are in that state",
        "oldest_age": "For how long the oldest of them has been due; NULL: none is due",
        "next_try_at": "When the first of them is due",
        "paused": "The pause that is in force: by whom, why and until when; NULL: there is none",
    },
    "queue_progress": {
        "paused_at": "Since when nothing is claimed; NULL: not paused",
        "paused_by": "The person who paused it",
        "pause_reason": "Why it is paused",
        "resume_at": "When it goes on by itself; NULL: when a person says so",
        "oldest_due_at": "Since when the oldest item that no notifier pushes could have been claimed; NULL: there is none",
        "oldest_due_age": "For how long that is",
    },
    "sync_overview": {
        "sync_mode": "SYNC_FULL: all items, in id order; SYNC_CHANGES: what changed",
        "last_synced_id": "Cursor of the full sync: items up to this item_record_id are here",
        "sync_changes_since": "From when on the ETL is asked for changes (Sierra's clock)",
        "last_sync_run_completed_at": "When the last batch was taken in",
        "last_sync_run_ago": "How long ago that was",
        "full_sync_completed_at": "When the last full sync was complete",
        "full_sync_requested_at": "A full sync was asked for and begins with the next GET /sync; NULL: none was",
        "gap_from": "Changes in Sierra since then did not reach us …; NULL: none are missing",
        "gap_until": "… up to then",
        "advice": "What is going on, or what to do",
        "rejected_rows": "How many rows of the ETL are kept aside in rejected_row",
        "initialized_at": "When this database was made",
        "batch_under_way": "Whether a batch is being taken in just now",
    },
    "update_history": {
        "finished_at": "When it ended",
        "outcome": "pushed: written to Sierra; unchanged: was so already; rejected; dismissed by a person",
        "barcode": "The item's barcode then",
        "item_number": "Its record number then",
        "title": "Its title then",
        "call_number_before": "Call number read from Sierra",
        "call_number_after": "Call number in Sierra afterwards",
        "reason": "Why it was rejected, or what was left out of the update and why",
        "queued_by": "The client that had marked it, or the database role for plain SQL",
        "queued_at": "When it had entered the queue",
        "took": "From entering the queue to its end",
        "sierra_ms": "Milliseconds from the item's read to the end of its write at Sierra",
        "attempts": "Pushes begun until then",
        "finished_by": "The notifier, or the person who dismissed it",
        "item_record_id": "The item; it may have left sierra_item since",
        "request_id": "Id of the HTTP request that had marked it",
        "update_log_id": "Rising number, by which signum revert names the row",
        "revert_of": "The row of history whose push was to be undone; NULL: an update",
    },
}


def upgrade() -> None:
    for view, columns in COMMENTS.items():
        for column, comment in columns.items():
            quoted = comment.replace("'", "''")
            op.execute(f"COMMENT ON COLUMN {view}.{column} IS '{quoted}'")


def downgrade() -> None:
    for view, columns in COMMENTS.items():
        for column in columns:
            op.execute(f"COMMENT ON COLUMN {view}.{column} IS NULL")
