"""State for people: is it well, and if nothing is pushed, why?

A heartbeat alone shows that a process lives, not that it gets on. So a notifier also says when its loop last came round
(`looped_at`), and the view `queue_progress` says for how long an item could have been claimed by anybody: if both are
long ago, it has stalled, whatever else it says. `notifier_overview` spells that out, and is what `signum notifier
--check` asks.

A change of `queue_control` rings the notifiers, by the same function as a mark does: a pause is met at once, the end of
one too, and a new `resume_at` is noted, also where a DBA wrote it by plain SQL.

The views of 0003 get a column more, at their ends, so that the previous release finds what it knows.

Revision ID: 0004
Revises: 0003
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

UPGRADE = r"""
ALTER TABLE notifier_state ADD COLUMN looped_at timestamptz;
COMMENT ON TABLE notifier_state IS 'What each notifier process last said of itself. See the view notifier_overview';
COMMENT ON COLUMN notifier_state.seen_at IS 'When it last said so; every 5 s';
COMMENT ON COLUMN notifier_state.looped_at IS 'When its loop last came round: looked at the queue, or moved an item on';

CREATE TRIGGER queue_control_notify AFTER UPDATE ON queue_control
    FOR EACH STATEMENT
    EXECUTE FUNCTION update_queue_notify();
COMMENT ON TRIGGER queue_control_notify ON queue_control IS 'Rings at a pause, its end, and a new resume_at';

CREATE VIEW queue_progress AS
SELECT
    c.paused_at,
    c.paused_by,
    c.reason AS pause_reason,
    c.resume_at,
    due.oldest_due_at,
    now() - due.oldest_due_at AS oldest_due_age
FROM (
    SELECT min(greatest(u.due_at, u.lease_until)) AS oldest_due_at
    FROM (VALUES (0::smallint), (1), (2)) AS level (priority)
    CROSS JOIN LATERAL (
        SELECT q.due_at, q.lease_until
        FROM update_queue q
        WHERE q.priority = level.priority
            AND q.due_at <= now()
            AND (q.lease_until IS NULL OR q.lease_until <= now())
        ORDER BY q.due_at
        LIMIT 1
    ) AS u
) AS due
LEFT JOIN queue_control c ON c.paused_at IS NOT NULL AND (c.resume_at IS NULL OR c.resume_at > now());
COMMENT ON VIEW queue_progress IS 'One row. The pause that is in force, else NULL; and since when the oldest item that nobody pushes could have been claimed';

CREATE VIEW notifier_overview AS
SELECT
    n.notifier,
    CASE
        WHEN n.mode = 'stopped' THEN 'stopped'
        WHEN n.seen_at < now() - interval '30 seconds' THEN 'gone'
        WHEN p.paused_at IS NOT NULL THEN 'paused'
        WHEN n.breaker = 'open' THEN 'waiting for Sierra'
        WHEN n.looped_at < now() - interval '2 minutes' AND p.oldest_due_age > interval '2 minutes' THEN 'stalled'
        WHEN n.breaker = 'probing' THEN 'waiting for Sierra'
        ELSE n.mode
    END AS state,
    n.mode,
    n.breaker,
    CASE WHEN p.paused_at IS NOT NULL THEN coalesce(p.pause_reason, 'paused') ELSE n.reason END AS reason,
    now() - n.seen_at AS seen_ago,
    now() - n.looped_at AS looped_ago,
    now() - n.last_success_at AS last_success_ago,
    p.oldest_due_age,
    n.started_at
FROM notifier_state n
CROSS JOIN queue_progress p;
COMMENT ON VIEW notifier_overview IS 'How each notifier is. stalled: an item could have been claimed for 2 minutes, and its loop has not come round in that time; gone: not heard of for 30 s';

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
FROM unnest(ARRAY['waiting', 'in flight', 'postponed', 'rejected']) WITH ORDINALITY AS known (state, position)
LEFT JOIN queue_detail q USING (state)
GROUP BY state, position
ORDER BY position;
COMMENT ON VIEW queue_overview IS 'How many items are in each state of the queue, and for how long the oldest has been due; and if pushes are paused, by whom, why and until when';

CREATE OR REPLACE VIEW sync_overview AS
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
    s.initialized_at,
    EXISTS (
        SELECT
        FROM pg_locks l
        WHERE l.locktype = 'advisory'
            AND l.granted
            AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
            AND (l.classid, l.objid, l.objsubid) = (0, 1398361667, 1)
    ) AS batch_under_way
FROM sync_state s;
COMMENT ON VIEW sync_overview IS 'Where the sync with Sierra stands, whether a batch is being taken in just now, whether changes are missing, and what to do then';
"""

DOWNGRADE = r"""
DROP VIEW sync_overview;
DROP VIEW queue_overview;
DROP VIEW notifier_overview;
DROP VIEW queue_progress;
DROP TRIGGER queue_control_notify ON queue_control;
ALTER TABLE notifier_state DROP COLUMN looped_at;
COMMENT ON TABLE notifier_state IS 'How each notifier process is; seen_at stands still when its loop does';
COMMENT ON COLUMN notifier_state.seen_at IS 'When its loop last came round';

CREATE VIEW queue_overview AS
SELECT state, count(q.item_record_id) AS items, max(q.age) AS oldest_age, min(q.next_try_at) AS next_try_at
FROM unnest(ARRAY['waiting', 'in flight', 'postponed', 'rejected']) WITH ORDINALITY AS known (state, position)
LEFT JOIN queue_detail q USING (state)
GROUP BY state, position
ORDER BY position;
COMMENT ON VIEW queue_overview IS 'How many items are in each state of the queue, and for how long the oldest has been due';

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


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
