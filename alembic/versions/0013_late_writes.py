r"""A write that had no answer may be done late, on top of a newer one: its row remembers it, and is looked at again.

`update_queue.unanswered_at` is set by the notifier when a write had no answer, and by the claim of a row whose lease had
lapsed, for nobody knows whether its write was sent. Until SIERRA_LATE_WRITE_SECONDS have passed since, a push that is
done leaves the row in the queue: `pushed_revision` is the revision that it pushed. A mark touches neither: it moves the
revision, and so the row asks for an update again, also by the marks of the previous release and by plain SQL.

Such rows are a state of their own in the views, `to recheck`. A lease without a holder is the one that a row keeps after
an unanswered write: nobody pushes it, so it is no longer `in flight`.

The previous release's notifier runs on: it deletes the rows that it finishes, and so does not look again. Its claims
wait for kept leases as for any.

The way back takes the rows off the queue that are only to be looked at again, for they are pushed.

Revision ID: 0013
Revises: 0012
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

COLUMNS = r"""
ALTER TABLE update_queue
    ADD COLUMN unanswered_at timestamptz,
    ADD COLUMN pushed_revision bigint,
    ADD CONSTRAINT update_queue_unanswered_at_readable
        CHECK (unanswered_at AT TIME ZONE 'UTC' BETWEEN '0001-01-02' AND '9999-12-30');
COMMENT ON COLUMN update_queue.lease_until IS 'Until when it is claimed; lapses by itself, then any claim may. Without claimed_by: until when no claim may, for a write had no answer';
COMMENT ON COLUMN update_queue.unanswered_at IS 'Since when a write to Sierra has had no answer, and may still be done; NULL: none has, or it was long ago';
COMMENT ON COLUMN update_queue.pushed_revision IS 'The revision that was pushed when a write before had had no answer. While it is the newest, the row is here only to be looked at again';
"""

DETAIL = r"""
CREATE OR REPLACE VIEW queue_detail AS
SELECT
    q.item_record_id,
    i.item_number,
    i.barcode,
    i.best_title AS title,
    i.classification,
    CASE
        WHEN q.due_at IS NULL THEN 'rejected'
        WHEN q.lease_until > now() AND q.claimed_by IS NOT NULL THEN 'in flight'
        WHEN q.pushed_revision = q.revision THEN 'to recheck'
        WHEN q.due_at > now() OR q.lease_until > now() THEN 'postponed'
        ELSE 'waiting'
    END AS state,
    CASE
        WHEN q.last_error IS NOT NULL THEN q.last_error
        WHEN q.pushed_revision = q.revision
            THEN 'It was pushed, but a write before had no answer and may be done late: Sierra''s record is read once more'
        WHEN q.lease_until > now() AND q.claimed_by IS NULL
            THEN 'A write had no answer and may still be done: the next one waits for it'
    END AS reason,
    CASE
        WHEN q.lease_until > q.due_at AND q.claimed_by IS NULL THEN q.lease_until
        ELSE q.due_at
    END AS next_try_at,
    CASE
        WHEN q.lease_until > now() AND q.claimed_by IS NULL THEN NULL
        WHEN q.due_at <= now() AND isfinite(q.due_at) THEN now() - q.due_at
    END AS age,
    q.queued_at,
    q.queued_by,
    q.priority,
    q.attempts,
    q.revision,
    CASE WHEN q.lease_until > now() AND q.due_at IS NOT NULL THEN q.claimed_by END AS pushed_by,
    CASE WHEN q.revision = 1 THEN q.revert_of END AS revert_of
FROM update_queue q
JOIN sierra_item i USING (item_record_id);
COMMENT ON COLUMN queue_detail.state IS 'waiting, in flight, postponed, to recheck (pushed, but a write before had no answer), or rejected';
COMMENT ON COLUMN queue_detail.reason IS 'Why the last push failed, or why it is looked at again';
"""

DETAIL_BEFORE = r"""
CREATE OR REPLACE VIEW queue_detail AS
SELECT
    q.item_record_id,
    i.item_number,
    i.barcode,
    i.best_title AS title,
    i.classification,
    CASE
        WHEN q.due_at IS NULL THEN 'rejected'
        WHEN q.lease_until > now() THEN 'in flight'
        WHEN q.due_at > now() THEN 'postponed'
        ELSE 'waiting'
    END AS state,
    q.last_error AS reason,
    q.due_at AS next_try_at,
    CASE WHEN q.due_at <= now() AND isfinite(q.due_at) THEN now() - q.due_at END AS age,
    q.queued_at,
    q.queued_by,
    q.priority,
    q.attempts,
    q.revision,
    CASE WHEN q.lease_until > now() THEN q.claimed_by END AS pushed_by,
    CASE WHEN q.revision = 1 THEN q.revert_of END AS revert_of
FROM update_queue q
JOIN sierra_item i USING (item_record_id);
COMMENT ON COLUMN queue_detail.state IS 'waiting, in flight, postponed, or rejected';
COMMENT ON COLUMN queue_detail.reason IS 'Why the last push failed';
"""

OVERVIEW = r"""
CREATE OR REPLACE VIEW queue_overview AS
SELECT
    state,
    count(q.item_record_id) AS items,
    max(q.age) AS oldest_age,
    min(q.next_try_at) AS next_try_at,
    (
        SELECT concat('by ', p.paused_by, ': ' || p.pause_reason, ', until ' || date_trunc('second', p.resume_at)::text)
        FROM queue_progress p
        WHERE p.paused_at IS NOT NULL
    ) AS paused
FROM unnest(ARRAY[{states}]) WITH ORDINALITY AS known (state, position)
LEFT JOIN queue_detail q USING (state)
GROUP BY state, position
ORDER BY position;
COMMENT ON COLUMN queue_overview.state IS '{comment}';
"""


def upgrade() -> None:
    op.execute(COLUMNS)
    op.execute(DETAIL)
    op.execute(
        OVERVIEW.format(
            states="'waiting', 'in flight', 'postponed', 'rejected', 'to recheck'",
            comment="waiting, in flight, postponed, rejected, or to recheck (pushed, but a write before had no answer)",
        )
    )


def downgrade() -> None:
    op.execute("DELETE FROM update_queue WHERE pushed_revision = revision AND due_at IS NOT NULL")
    op.execute(
        OVERVIEW.format(
            states="'waiting', 'in flight', 'postponed', 'rejected'",
            comment="waiting, in flight, postponed, or rejected",
        )
    )
    op.execute(DETAIL_BEFORE)
    op.execute(
        "COMMENT ON COLUMN update_queue.lease_until IS 'Until when it is claimed; lapses by itself, then any claim may'"
    )
    op.execute("ALTER TABLE update_queue DROP COLUMN pushed_revision, DROP COLUMN unanswered_at")
