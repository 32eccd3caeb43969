"""A person undoes a push: what it changed is put back by the same queue.

`update_queue.revert_of` names the row of history that is to be put back, and not the texts: these are read when the
item is claimed, so nothing can be put back that no push has changed. It holds for revision 1 alone. Any mark moves the
revision, the one of a DBA's plain SQL and of the previous release's api too, and asks for the newest classification.

Nothing refers to history by a foreign key: history is pruned, and a revert that outlives its row is rejected.

The previous release runs on: it neither reads nor writes the columns. Its notifier takes a revert for a mark, and
pushes the classification; so reverts are for the time when all notifiers are of this release.

The views of 0003 get a column more, at their ends. Ages are NULL where somebody wrote an infinite time, which PostgreSQL
before 17 can't subtract.

The way back takes waiting reverts off the queue, for the previous release would push the opposite of them; and the
views are made anew: run the previous release's `signum migrate` afterwards, which gives the roles their rights again.

Revision ID: 0005
Revises: 0004
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

UPGRADE = r"""
ALTER TABLE update_queue ADD COLUMN revert_of bigint;
COMMENT ON COLUMN update_queue.revert_of IS 'The row of history whose push is to be undone; NULL: an update. Holds for revision 1: a mark asks for an update again';
ALTER TABLE update_log ADD COLUMN revert_of bigint;
COMMENT ON COLUMN update_log.revert_of IS 'The row of history whose push was to be undone; NULL: an update';

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
COMMENT ON VIEW queue_detail IS 'Each item in the queue: title, barcode, state in words, next try, reason; of a revert, which push it undoes. Age is counted from when it was due';

CREATE OR REPLACE VIEW update_history AS
SELECT
    finished_at, outcome, barcode, item_number, title, call_number_before, call_number_after, error AS reason,
    queued_by, queued_at, CASE WHEN isfinite(queued_at) THEN finished_at - queued_at END AS took, sierra_ms, attempts, finished_by, item_record_id,
    request_id, update_log_id, revert_of
FROM update_log;
COMMENT ON VIEW update_history IS 'What came of each update: call number before and after, who asked, how long it took; of a revert, which push it undid';
"""

DOWNGRADE = r"""
DELETE FROM update_queue WHERE revision = 1 AND revert_of IS NOT NULL;
DROP VIEW update_history;
DROP VIEW queue_overview;
DROP VIEW queue_detail;
ALTER TABLE update_log DROP COLUMN revert_of;
ALTER TABLE update_queue DROP COLUMN revert_of;

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

CREATE VIEW update_history AS
SELECT
    finished_at, outcome, barcode, item_number, title, call_number_before, call_number_after, error AS reason,
    queued_by, queued_at, finished_at - queued_at AS took, sierra_ms, attempts, finished_by, item_record_id,
    request_id, update_log_id
FROM update_log;
COMMENT ON VIEW update_history IS 'What came of each update: call number before and after, who asked, how long it took';
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
