r"""The kind of a failure is a word beside its sentence: `reason_code`, of a closed list (docs/queue.md, db/reasons.py).

People and metrics can count, filter and act by it; sentences hold numbers and Sierra's own words. `queue_detail` and
`update_history` have it as their last column, and `reason_overview` counts by it. It is NULL in rows from before. No rewrite,
but both tables for a moment.

A mark clears `last_error` alone, as the previous release's does and people's SQL: the word holds while there is a sentence.

Revision ID: 0024
Revises: 0023
"""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

UPGRADE = r"""
ALTER TABLE update_queue ADD COLUMN reason_code text;
COMMENT ON COLUMN update_queue.reason_code IS 'The kind of last_error, one word of docs/queue.md; holds while there is one. NULL: from an older release';
CREATE INDEX update_queue_reason_code_idx ON update_queue (reason_code, item_record_id) WHERE due_at IS NULL;
COMMENT ON INDEX update_queue_reason_code_idx IS 'The rejected items by reason, for people who act on all of one';
ALTER TABLE update_log ADD COLUMN reason_code text;
COMMENT ON COLUMN update_log.reason_code IS 'The kind of the error of what was rejected or dismissed, one word of docs/queue.md; NULL: none, or from an older release';

CREATE OR REPLACE VIEW queue_detail AS
 SELECT q.item_record_id,
    i.item_number,
    i.barcode,
    i.best_title AS title,
    i.classification,
        CASE
            WHEN (q.due_at IS NULL) THEN 'rejected'::text
            WHEN ((q.lease_until > now()) AND (q.claimed_by IS NOT NULL)) THEN 'in flight'::text
            WHEN (q.pushed_revision = q.revision) THEN 'to recheck'::text
            WHEN ((q.due_at > now()) OR (q.lease_until > now())) THEN 'postponed'::text
            ELSE 'waiting'::text
        END AS state,
        CASE
            WHEN (q.last_error IS NOT NULL) THEN q.last_error
            WHEN (q.pushed_revision = q.revision) THEN 'It was pushed, but a write before had no answer and may be done late: Sierra''s record is read once more'::text
            WHEN ((q.lease_until > now()) AND (q.claimed_by IS NULL)) THEN 'A write had no answer and may still be done: the next one waits for it'::text
            ELSE NULL::text
        END AS reason,
        CASE
            WHEN ((q.lease_until > q.due_at) AND (q.claimed_by IS NULL)) THEN q.lease_until
            ELSE q.due_at
        END AS next_try_at,
        CASE
            WHEN ((q.lease_until > now()) AND (q.claimed_by IS NULL)) THEN NULL::interval
            WHEN ((q.due_at <= now()) AND isfinite(q.due_at)) THEN (now() - q.due_at)
            ELSE NULL::interval
        END AS age,
    q.queued_at,
    q.queued_by,
    q.priority,
    q.attempts,
    q.revision,
        CASE
            WHEN ((q.lease_until > now()) AND (q.due_at IS NOT NULL)) THEN q.claimed_by
            ELSE NULL::text
        END AS pushed_by,
        CASE
            WHEN (q.revision = 1) THEN q.revert_of
            ELSE NULL::bigint
        END AS revert_of,
        CASE
            WHEN (q.last_error IS NOT NULL) THEN q.reason_code
            WHEN ((q.pushed_revision = q.revision) OR ((q.lease_until > now()) AND (q.claimed_by IS NULL))) THEN 'unanswered'::text
            ELSE NULL::text
        END AS reason_code
   FROM (update_queue q
     JOIN sierra_item i USING (item_record_id));
COMMENT ON COLUMN queue_detail.reason_code IS 'The kind of the reason, in one word';
CREATE OR REPLACE VIEW update_history AS
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
    revert_of,
    shown_at,
    reason_code
   FROM update_log;
COMMENT ON COLUMN update_history.reason_code IS 'The kind of the reason for which it was rejected or had failed, in one word; NULL: none, or from an older release';

CREATE VIEW reason_overview AS
SELECT state, reason_code, count(*) AS items, min(queued_at) AS oldest_queued_at, min(reason) AS example
FROM queue_detail
WHERE reason IS NOT NULL
GROUP BY state, reason_code;
COMMENT ON VIEW reason_overview IS 'How many items of the queue have each kind of reason, by state; with one of the reasons';
COMMENT ON COLUMN reason_overview.state IS 'As in queue_detail';
COMMENT ON COLUMN reason_overview.reason_code IS 'The kind of the reason, in one word; NULL: from an older release';
COMMENT ON COLUMN reason_overview.items IS 'How many items that is';
COMMENT ON COLUMN reason_overview.oldest_queued_at IS 'When the first of them had entered';
COMMENT ON COLUMN reason_overview.example IS 'The reason of one of them, in a sentence';
"""

DOWNGRADE = r"""
DROP VIEW reason_overview;
DROP VIEW queue_overview;
DROP VIEW queue_detail;
DROP VIEW update_history;
DROP INDEX update_queue_reason_code_idx;
ALTER TABLE update_queue DROP COLUMN reason_code;
ALTER TABLE update_log DROP COLUMN reason_code;
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
    revert_of,
    shown_at
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
COMMENT ON COLUMN update_history.shown_at IS 'When the ETL first brought the pushed call number back from Sierra; NULL: it has not';
CREATE VIEW queue_detail AS
 SELECT q.item_record_id,
    i.item_number,
    i.barcode,
    i.best_title AS title,
    i.classification,
        CASE
            WHEN (q.due_at IS NULL) THEN 'rejected'::text
            WHEN ((q.lease_until > now()) AND (q.claimed_by IS NOT NULL)) THEN 'in flight'::text
            WHEN (q.pushed_revision = q.revision) THEN 'to recheck'::text
            WHEN ((q.due_at > now()) OR (q.lease_until > now())) THEN 'postponed'::text
            ELSE 'waiting'::text
        END AS state,
        CASE
            WHEN (q.last_error IS NOT NULL) THEN q.last_error
            WHEN (q.pushed_revision = q.revision) THEN 'It was pushed, but a write before had no answer and may be done late: Sierra''s record is read once more'::text
            WHEN ((q.lease_until > now()) AND (q.claimed_by IS NULL)) THEN 'A write had no answer and may still be done: the next one waits for it'::text
            ELSE NULL::text
        END AS reason,
        CASE
            WHEN ((q.lease_until > q.due_at) AND (q.claimed_by IS NULL)) THEN q.lease_until
            ELSE q.due_at
        END AS next_try_at,
        CASE
            WHEN ((q.lease_until > now()) AND (q.claimed_by IS NULL)) THEN NULL::interval
            WHEN ((q.due_at <= now()) AND isfinite(q.due_at)) THEN (now() - q.due_at)
            ELSE NULL::interval
        END AS age,
    q.queued_at,
    q.queued_by,
    q.priority,
    q.attempts,
    q.revision,
        CASE
            WHEN ((q.lease_until > now()) AND (q.due_at IS NOT NULL)) THEN q.claimed_by
            ELSE NULL::text
        END AS pushed_by,
        CASE
            WHEN (q.revision = 1) THEN q.revert_of
            ELSE NULL::bigint
        END AS revert_of
   FROM (update_queue q
     JOIN sierra_item i USING (item_record_id));
COMMENT ON VIEW queue_detail IS 'Each item in the queue: title, barcode, state in words, next try, reason; of a revert, which push it undoes. Age is counted from when it was due';
COMMENT ON COLUMN queue_detail.item_record_id IS 'The item';
COMMENT ON COLUMN queue_detail.item_number IS 'Its record number in Sierra';
COMMENT ON COLUMN queue_detail.barcode IS 'Its barcode';
COMMENT ON COLUMN queue_detail.title IS 'Its title';
COMMENT ON COLUMN queue_detail.classification IS 'The class number that is to be written';
COMMENT ON COLUMN queue_detail.state IS 'waiting, in flight, postponed, to recheck (pushed, but a write before had no answer), or rejected';
COMMENT ON COLUMN queue_detail.reason IS 'Why the last push failed, or why it is looked at again';
COMMENT ON COLUMN queue_detail.next_try_at IS 'When the next push is due. NULL: rejected, due never until a person acts';
COMMENT ON COLUMN queue_detail.age IS 'For how long it has been due; NULL: it is not';
COMMENT ON COLUMN queue_detail.queued_at IS 'When it entered. A mark on a rejected row enters anew';
COMMENT ON COLUMN queue_detail.queued_by IS 'The client that marked it, or the database role for plain SQL';
COMMENT ON COLUMN queue_detail.priority IS '0 print stations, 1 plain SQL and bulk, 2 whenever there is time; lower goes first';
COMMENT ON COLUMN queue_detail.attempts IS 'Pushes begun since its last mark';
COMMENT ON COLUMN queue_detail.revision IS 'How often it was marked since it entered';
COMMENT ON COLUMN queue_detail.pushed_by IS 'The notifier that pushes it now; NULL: none';
COMMENT ON COLUMN queue_detail.revert_of IS 'The row of history whose push is to be undone; NULL: an update';
CREATE VIEW queue_overview AS
 SELECT known.state,
    count(q.item_record_id) AS items,
    max(q.age) AS oldest_age,
    min(q.next_try_at) AS next_try_at,
    ( SELECT concat('by ', p.paused_by, (': '::text || p.pause_reason), (', until '::text || (date_trunc('second'::text, p.resume_at))::text)) AS concat
           FROM queue_progress p
          WHERE (p.paused_at IS NOT NULL)) AS paused
   FROM (unnest(ARRAY['waiting'::text, 'in flight'::text, 'postponed'::text, 'rejected'::text, 'to recheck'::text]) WITH ORDINALITY known(state, "position")
     LEFT JOIN queue_detail q USING (state))
  GROUP BY known.state, known."position"
  ORDER BY known."position";
COMMENT ON VIEW queue_overview IS 'How many items are in each state of the queue, and for how long the oldest has been due; and if pushes are paused, by whom, why and until when';
COMMENT ON COLUMN queue_overview.state IS 'waiting, in flight, postponed, rejected, or to recheck (pushed, but a write before had no answer)';
COMMENT ON COLUMN queue_overview.items IS 'How many items are in that state';
COMMENT ON COLUMN queue_overview.oldest_age IS 'For how long the oldest of them has been due; NULL: none is due';
COMMENT ON COLUMN queue_overview.next_try_at IS 'When the first of them is due';
COMMENT ON COLUMN queue_overview.paused IS 'The pause that is in force: by whom, why and until when; NULL: there is none';
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
