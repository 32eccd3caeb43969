r"""A push is proven when SierraDNA has its call number: `update_log.shown_at` says when the ETL brought that back.

`update_history` has it as its last column. No rewrite, but all of history for a moment, for which outcomes wait: in a
transaction of its own, since those read the items too.

The previous release runs on: it neither reads nor writes the column.

Revision ID: 0016
Revises: 0015
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

UPGRADE = r"""
ALTER TABLE update_log
    ADD COLUMN shown_at timestamptz,
    ADD CONSTRAINT update_log_shown_at_readable CHECK (shown_at AT TIME ZONE 'UTC' BETWEEN '0001-01-02' AND '9999-12-30') NOT VALID;
COMMENT ON COLUMN update_log.shown_at IS 'When the ETL first brought the pushed call number back from Sierra; NULL: it has not';

CREATE OR REPLACE VIEW update_history AS
SELECT
    finished_at,
    outcome,
    barcode,
    item_number,
    title,
    call_number_before,
    call_number_after,
    error AS reason,
    queued_by,
    queued_at,
    CASE WHEN isfinite(queued_at) THEN finished_at - queued_at END AS took,
    sierra_ms,
    attempts,
    finished_by,
    item_record_id,
    request_id,
    update_log_id,
    revert_of,
    shown_at
FROM update_log;
COMMENT ON COLUMN update_history.shown_at IS 'When the ETL first brought the pushed call number back from Sierra; NULL: it has not';
"""

DOWNGRADE = r"""
DROP VIEW update_history;
ALTER TABLE update_log DROP COLUMN shown_at;
CREATE VIEW update_history AS
 SELECT finished_at,
    outcome,
    barcode,
    item_number,
    title,
    call_number_before,
    call_number_after,
    error AS reason,
    queued_by,
    queued_at,
        CASE
            WHEN isfinite(queued_at) THEN (finished_at - queued_at)
            ELSE NULL::interval
        END AS took,
    sierra_ms,
    attempts,
    finished_by,
    item_record_id,
    request_id,
    update_log_id,
    revert_of
   FROM update_log;
COMMENT ON VIEW update_history IS 'What came of each update: call number before and after, who asked, how long it took; of a revert, which push it undid';
COMMENT ON COLUMN update_history.finished_at IS 'When it ended';
COMMENT ON COLUMN update_history.outcome IS 'pushed: written to Sierra; unchanged: was so already; rejected; dismissed by a person';
COMMENT ON COLUMN update_history.barcode IS 'The item''s barcode then';
COMMENT ON COLUMN update_history.item_number IS 'Its record number then';
COMMENT ON COLUMN update_history.title IS 'Its title then';
COMMENT ON COLUMN update_history.call_number_before IS 'Call number read from Sierra';
COMMENT ON COLUMN update_history.call_number_after IS 'Call number in Sierra afterwards';
COMMENT ON COLUMN update_history.reason IS 'Why it was rejected, or what was left out of the update and why';
COMMENT ON COLUMN update_history.queued_by IS 'The client that had marked it, or the database role for plain SQL';
COMMENT ON COLUMN update_history.queued_at IS 'When it had entered the queue';
COMMENT ON COLUMN update_history.took IS 'From entering the queue to its end';
COMMENT ON COLUMN update_history.sierra_ms IS 'Milliseconds from the item''s read to the end of its write at Sierra';
COMMENT ON COLUMN update_history.attempts IS 'Pushes begun until then';
COMMENT ON COLUMN update_history.finished_by IS 'The notifier, or the person who dismissed it';
COMMENT ON COLUMN update_history.item_record_id IS 'The item; it may have left sierra_item since';
COMMENT ON COLUMN update_history.request_id IS 'Id of the HTTP request that had marked it';
COMMENT ON COLUMN update_history.update_log_id IS 'Rising number, by which signum revert names the row';
COMMENT ON COLUMN update_history.revert_of IS 'The row of history whose push was to be undone; NULL: an update';
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
