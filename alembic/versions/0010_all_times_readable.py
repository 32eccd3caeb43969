r"""The checks of 0009 hold for all rows: odd times of history and of the items are mended, and each check is validated.

A migration of its own, for it reads millions of rows: history and items once to mend and once to validate. Neither
keeps anybody waiting: VALIDATE lets others read and write (SHARE UPDATE EXCLUSIVE), only a vacuum comes after it.

Of history, an odd beginning becomes that row's end, and an odd end now. An item's time becomes 1970: whatever batch
comes next is newer.

The way back leaves the checks for what is written from then on.

Revision ID: 0010
Revises: 0009
"""

from alembic import op

revision = "0010"
down_revision = "0009"
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

IS_ODD = r"""
CREATE OR REPLACE FUNCTION pg_temp.is_odd(moment timestamptz) RETURNS boolean LANGUAGE sql IMMUTABLE
AS $$ SELECT moment AT TIME ZONE 'UTC' NOT BETWEEN '0001-01-02' AND '9999-12-30' $$;
"""

MEND = r"""
UPDATE update_log SET
    queued_at = CASE
        WHEN NOT pg_temp.is_odd(queued_at) THEN queued_at
        WHEN pg_temp.is_odd(finished_at) THEN now()
        ELSE finished_at
    END,
    finished_at = CASE WHEN pg_temp.is_odd(finished_at) THEN now() ELSE finished_at END
WHERE pg_temp.is_odd(queued_at) OR pg_temp.is_odd(finished_at);

UPDATE sierra_item SET updated_at = '1970-01-01 00:00:00+00' WHERE pg_temp.is_odd(updated_at);
"""


def upgrade() -> None:
    op.execute(IS_ODD)
    op.execute(MEND)
    for table, columns in TIMES.items():
        validated = (f"VALIDATE CONSTRAINT {table}_{column}_readable" for column in columns)
        op.execute(f"ALTER TABLE {table} {', '.join(validated)}")


def downgrade() -> None:
    for table, columns in TIMES.items():
        added = (
            f"DROP CONSTRAINT {table}_{column}_readable, ADD CONSTRAINT {table}_{column}_readable"
            f" CHECK ({column} AT TIME ZONE 'UTC' BETWEEN '0001-01-02' AND '9999-12-30') NOT VALID"
            for column in columns
        )
        op.execute(f"ALTER TABLE {table} {', '.join(added)}")
