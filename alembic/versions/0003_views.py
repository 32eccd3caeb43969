"""Create the views that a DBA or a librarian looks at.

States and reasons are spelled out and ages are intervals, so that `SELECT * FROM queue_overview` needs no manual.
`now()` in a view is the reader's, so a lease that has lapsed shows as what it is: waiting.

Revision ID: 0003
Revises: 0002
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

UPGRADE = r"""
CREATE VIEW queue_detail AS
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
    CASE WHEN q.due_at <= now() THEN now() - q.due_at END AS age,
    q.queued_at,
    q.queued_by,
    q.priority,
    q.attempts,
    q.revision,
    CASE WHEN q.lease_until > now() THEN q.claimed_by END AS pushed_by
FROM update_queue q
JOIN sierra_item i USING (item_record_id);
COMMENT ON VIEW queue_detail IS 'Each item in the queue: title, barcode, state in words, next try, reason. Age is counted from when it was due';

CREATE VIEW queue_overview AS
SELECT state, count(q.item_record_id) AS items, max(q.age) AS oldest_age, min(q.next_try_at) AS next_try_at
FROM unnest(ARRAY['waiting', 'in flight', 'postponed', 'rejected']) WITH ORDINALITY AS known (state, position)
LEFT JOIN queue_detail q USING (state)
GROUP BY state, position
ORDER BY position;
COMMENT ON VIEW queue_overview IS 'How many items are in each state of the queue, and for how long the oldest has been due';

CREATE VIEW update_history AS
SELECT
    finished_at, outcome, barcode, item_number, title, call_number_before, call_number_after, error AS reason,
    queued_by, queued_at, finished_at - queued_at AS took, sierra_ms, attempts, finished_by, item_record_id,
    request_id, update_log_id
FROM update_log;
COMMENT ON VIEW update_history IS 'What came of each update: call number before and after, who asked, how long it took';

CREATE VIEW client_overview AS
SELECT
    client_name,
    client_type,
    CASE WHEN revoked_at IS NULL THEN 'valid' ELSE 'revoked' END AS state,
    now() - last_seen_at AS last_seen_ago,
    internal_hostname,
    internal_ip_address,
    api_key_prefix,
    created_at,
    last_seen_at,
    revoked_at
FROM client;
COMMENT ON VIEW client_overview IS 'Who may call the API, from which computer, and when each was last seen';

CREATE VIEW sync_overview AS
SELECT
    s.sync_mode,
    s.last_synced_id,
    s.sync_changes_since,
    s.last_sync_run_completed_at,
    now() - s.last_sync_run_completed_at AS last_sync_run_ago,
    s.full_sync_completed_at,
    s.full_sync_requested_at,
    s.gap_from,
    s.gap_until,
    CASE
        WHEN s.gap_from IS NOT NULL
        THEN 'changes between gap_from and gap_until are missing: run "signum sync restart"'
        WHEN s.full_sync_requested_at IS NOT NULL
        THEN 'a full sync begins when the ETL comes next'
        WHEN s.sync_mode = 'SYNC_FULL'
        THEN 'a full sync is under way'
        ELSE 'changes are taken in'
    END AS advice,
    (SELECT count(*) FROM rejected_row) AS rejected_rows,
    s.initialized_at
FROM sync_state s;
COMMENT ON VIEW sync_overview IS 'Where the sync with Sierra stands, whether changes are missing, and what to do then';
"""

DOWNGRADE = """
DROP VIEW sync_overview;
DROP VIEW client_overview;
DROP VIEW update_history;
DROP VIEW queue_overview;
DROP VIEW queue_detail;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
