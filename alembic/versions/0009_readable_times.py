r"""Times that Python's calendar has not are refused: `infinity`, `-infinity`, the years before 1 and after 9999.

A person may write such a time by hand, and each reader had to expect it: PostgreSQL before 17 can't subtract it, later
ones answer with an infinite age, and Python can't load it. One odd row kept everybody from looking at the queue. Now
there can be none: each column of a time has a check, `TABLE_COLUMN_readable`, by the calendar of UTC with a day left at
either end, so that each time has a local one in every zone. (Told without a zone, for pg_dump writes the check alike
everywhere then.)

Each table is a transaction of its own that has all of the table for a moment: it adds the checks for what is written
from now on (NOT VALID: nothing is read) and mends what is there, or a claim would fail at the first odd row that it
takes. The two large tables, history and the items, are mended by 0010, which keeps nobody waiting. Their odd rows
hinder nobody until then: history is never updated, and a batch sets a good time. Interrupted, it can be run again.
What a batch writes is had only once no batch is under way, as in 0006: or print stations would wait behind us, while we
wait for the batch.

What an odd time becomes keeps what it said. Due long ago: due now. Due never: rejected, that is due never until a
person acts. A lease without an end is none. A pause that was over is over, one without an end waits for a person. A gap
stays one. A notifier's row is taken away, for it says anew how it is within 5 s.

The previous release runs on: it writes none of these times.

Revision ID: 0009
Revises: 0008
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TIMES = {
    "client": ["created_at", "revoked_at", "last_seen_at"],
    "notifier_state": ["started_at", "seen_at", "last_success_at", "looped_at"],
    "queue_control": ["paused_at", "resume_at"],
    "rejected_row": ["batch_timestamp", "first_at", "last_at"],
    "sierra_item": ["updated_at"],
    "sync_state": [
        "initialized_at", "full_sync_completed_at", "sync_changes_since", "last_sync_run_completed_at",
        "full_sync_requested_at", "offered_timestamp", "gap_from", "gap_until",
    ],
    "update_log": ["queued_at", "finished_at"],
    "update_queue": ["queued_at", "due_at", "lease_until"],
}  # fmt: skip

WRITTEN_BY_BATCHES = ("rejected_row", "sierra_item", "sync_state")

NO_BATCH = r"""
SET LOCAL lock_timeout = '120s';
SELECT pg_advisory_xact_lock(1398361667);
SET LOCAL lock_timeout = '3s';
"""

IS_ODD = r"""
CREATE OR REPLACE FUNCTION pg_temp.is_odd(moment timestamptz) RETURNS boolean LANGUAGE sql IMMUTABLE
AS $$ SELECT moment AT TIME ZONE 'UTC' NOT BETWEEN '0001-01-02' AND '9999-12-30' $$;
"""

MEND = {
    "client": r"""
UPDATE client SET
    created_at = CASE WHEN pg_temp.is_odd(created_at) THEN now() ELSE created_at END,
    revoked_at = CASE WHEN pg_temp.is_odd(revoked_at) THEN now() ELSE revoked_at END,
    last_seen_at = CASE WHEN pg_temp.is_odd(last_seen_at) THEN NULL ELSE last_seen_at END
WHERE pg_temp.is_odd(created_at) OR pg_temp.is_odd(revoked_at) OR pg_temp.is_odd(last_seen_at);
""",
    "notifier_state": r"""
DELETE FROM notifier_state
WHERE pg_temp.is_odd(started_at) OR pg_temp.is_odd(seen_at)
    OR pg_temp.is_odd(last_success_at) OR pg_temp.is_odd(looped_at);
""",
    "queue_control": r"""
UPDATE queue_control SET
    paused_at = CASE
        WHEN pg_temp.is_odd(resume_at) AND resume_at < now() THEN NULL
        WHEN pg_temp.is_odd(paused_at) THEN now()
        ELSE paused_at
    END,
    resume_at = CASE WHEN pg_temp.is_odd(resume_at) THEN NULL ELSE resume_at END
WHERE pg_temp.is_odd(paused_at) OR pg_temp.is_odd(resume_at);
""",
    "rejected_row": r"""
UPDATE rejected_row SET
    batch_timestamp = CASE WHEN pg_temp.is_odd(batch_timestamp) THEN now() ELSE batch_timestamp END,
    first_at = CASE WHEN pg_temp.is_odd(first_at) THEN now() ELSE first_at END,
    last_at = CASE WHEN pg_temp.is_odd(last_at) THEN now() ELSE last_at END
WHERE pg_temp.is_odd(batch_timestamp) OR pg_temp.is_odd(first_at) OR pg_temp.is_odd(last_at);
""",
    "sync_state": r"""
UPDATE sync_state SET
    initialized_at = CASE WHEN pg_temp.is_odd(initialized_at) THEN now() ELSE initialized_at END,
    full_sync_completed_at = CASE WHEN pg_temp.is_odd(full_sync_completed_at) THEN NULL ELSE full_sync_completed_at END,
    sync_changes_since = CASE WHEN pg_temp.is_odd(sync_changes_since) THEN NULL ELSE sync_changes_since END,
    last_sync_run_completed_at =
        CASE WHEN pg_temp.is_odd(last_sync_run_completed_at) THEN NULL ELSE last_sync_run_completed_at END,
    full_sync_requested_at =
        CASE WHEN pg_temp.is_odd(full_sync_requested_at) THEN now() ELSE full_sync_requested_at END,
    offered_timestamp = CASE WHEN pg_temp.is_odd(offered_timestamp) THEN NULL ELSE offered_timestamp END,
    gap_from = CASE WHEN pg_temp.is_odd(gap_from) THEN '1970-01-01 00:00:00+00' ELSE gap_from END,
    gap_until = CASE WHEN pg_temp.is_odd(gap_until) THEN now() ELSE gap_until END;
""",
    "update_queue": r"""
UPDATE update_queue SET
    queued_at = CASE WHEN pg_temp.is_odd(queued_at) THEN now() ELSE queued_at END,
    due_at = CASE WHEN pg_temp.is_odd(due_at) THEN CASE WHEN due_at < now() THEN now() END ELSE due_at END,
    last_error = CASE
        WHEN pg_temp.is_odd(due_at) AND due_at > now() THEN concat_ws(' ', last_error, 'It had been made due never')
        ELSE last_error
    END,
    claimed_by = CASE WHEN pg_temp.is_odd(lease_until) THEN NULL ELSE claimed_by END,
    lease_until = CASE WHEN pg_temp.is_odd(lease_until) THEN NULL ELSE lease_until END
WHERE pg_temp.is_odd(queued_at) OR pg_temp.is_odd(due_at) OR pg_temp.is_odd(lease_until);
""",
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(IS_ODD)
        for table, columns in TIMES.items():
            alone = NO_BATCH if table in WRITTEN_BY_BATCHES else ""
            op.execute(f"BEGIN; {alone} {_add_checks(table, columns)}; {MEND.get(table, '')} COMMIT;")


def _add_checks(table: str, columns: list[str]) -> str:
    added = (
        f"DROP CONSTRAINT IF EXISTS {table}_{column}_readable, ADD CONSTRAINT {table}_{column}_readable"
        f" CHECK ({column} AT TIME ZONE 'UTC' BETWEEN '0001-01-02' AND '9999-12-30') NOT VALID"
        for column in columns
    )
    return f"ALTER TABLE {table} {', '.join(added)}"


def downgrade() -> None:
    for table, columns in TIMES.items():
        dropped = (f"DROP CONSTRAINT {table}_{column}_readable" for column in columns)
        op.execute(f"ALTER TABLE {table} {', '.join(dropped)}")
