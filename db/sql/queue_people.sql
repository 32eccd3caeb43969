-- The queue as a person steers it: retry, dismiss, pause, resume; and as a person sees it.


-- name: retry
-- A person gives rejected items another chance: they enter anew, behind the print stations. A revert stays one, and
-- so its revision stays 1: no notifier holds the row, and a claim that once did is known by its lease. A lease that the
-- row keeps for a write without an answer stays.
UPDATE update_queue q
SET revision = CASE WHEN q.revision = 1 AND q.revert_of IS NOT NULL THEN 1 ELSE q.revision + 1 END,
    due_at = now(),
    attempts = 0,
    last_error = NULL,
    claimed_by = NULL,
    lease_until = CASE WHEN q.lease_until > now() THEN q.lease_until END,
    priority = greatest(q.priority, 1::smallint),
    queued_at = now(),
    queued_by = %(person)s,
    request_id = NULL,
    trace = NULL
FROM (
    SELECT r.item_record_id
    FROM update_queue r
    JOIN sierra_item i USING (item_record_id)
    WHERE r.due_at IS NULL
        AND (%(item_record_ids)s::bigint[] IS NULL OR r.item_record_id = ANY (%(item_record_ids)s))
        AND (%(item_numbers)s::text[] IS NULL OR i.item_number = ANY (%(item_numbers)s))
        AND (%(barcodes)s::text[] IS NULL OR i.barcode = ANY (%(barcodes)s))
        AND (%(reason)s::text IS NULL OR strpos(r.last_error, %(reason)s) > 0)
        AND (%(reason_code)s::text IS NULL OR r.reason_code = %(reason_code)s)
    ORDER BY r.item_record_id
    FOR UPDATE OF r
) AS chosen
WHERE q.item_record_id = chosen.item_record_id
RETURNING q.item_record_id;


-- name: dismiss
-- A person takes items off the queue unpushed, and the log names the person. What is in flight is left alone: it is
-- off in a moment, and its row keeps a mark made meanwhile from being pushed at the same time. So is what was written
-- without an answer, or may have been under a lease that lapsed, while that write may still be done: without the row, it
-- would be done on top of a newer one. Afterwards the log says that it is not known whether it was done. With `asked_at`
-- so is what was marked after that time: it entered since, or it is due since without a failed try. Asked of the row as it
-- is once it is locked, and by the clock: the mark may have come while this waited for it.
WITH chosen AS (
    SELECT q.item_record_id, i.item_number, i.barcode, i.best_title
    FROM update_queue q
    JOIN sierra_item i USING (item_record_id)
    WHERE (%(item_record_ids)s::bigint[] IS NULL OR q.item_record_id = ANY (%(item_record_ids)s))
        AND (%(item_numbers)s::text[] IS NULL OR i.item_number = ANY (%(item_numbers)s))
        AND (%(barcodes)s::text[] IS NULL OR i.barcode = ANY (%(barcodes)s))
        AND (%(reason)s::text IS NULL OR (q.due_at IS NULL AND strpos(q.last_error, %(reason)s) > 0))
        AND (%(reason_code)s::text IS NULL OR (q.due_at IS NULL AND q.reason_code = %(reason_code)s))
        AND (q.lease_until IS NULL OR q.lease_until <= now())
        AND (greatest(q.unanswered_at, q.lease_until) > now() - %(late_seconds)s * interval '1 second') IS NOT TRUE
        AND (%(asked_at)s::timestamptz IS NULL OR q.queued_at <= %(asked_at)s)
        AND (q.due_at > %(asked_at)s AND q.due_at <= clock_timestamp() AND q.last_error IS NULL) IS NOT TRUE
    ORDER BY q.item_record_id
    FOR UPDATE OF q
), gone AS (
    DELETE FROM update_queue q
    USING chosen c
    WHERE q.item_record_id = c.item_record_id
    RETURNING
        q.item_record_id, c.item_number, c.barcode, c.best_title, q.queued_at, q.queued_by, q.attempts, q.request_id,
        nullif(concat_ws('; ', q.last_error, CASE
            WHEN q.unanswered_at IS NOT NULL OR (q.claimed_by IS NOT NULL AND q.lease_until IS NOT NULL)
            THEN 'it is not known whether a write that had no answer was done'
        END), '') AS error,
        CASE WHEN q.last_error IS NOT NULL THEN q.reason_code END AS reason_code,
        CASE WHEN q.revision = 1 THEN q.revert_of END AS revert_of
)
INSERT INTO update_log (
    item_record_id, item_number, barcode, title, queued_at, queued_by, finished_by, outcome, attempts, error, request_id,
    revert_of, reason_code
)
SELECT
    item_record_id, item_number, barcode, best_title, queued_at, queued_by, %(person)s, 'dismissed', attempts, error,
    request_id, revert_of, reason_code
FROM gone
RETURNING item_record_id;


-- name: pause
-- From now on nothing is claimed, until a time, for some seconds, or until a person says so. It takes the place of a
-- pause that is in force, unless it is to be the only one. No row: there is one, or that time has passed.
UPDATE queue_control
SET paused_at = now(),
    paused_by = %(person)s,
    reason = %(reason)s,
    resume_at = coalesce(%(until)s::timestamptz, now() + %(seconds)s * interval '1 second')
WHERE (%(until)s::timestamptz IS NULL OR %(until)s::timestamptz > now())
    AND (NOT %(is_only)s OR paused_at IS NULL OR resume_at <= now())
RETURNING paused_at, paused_by, reason, resume_at;


-- name: resume
-- End the pause that is in force, and return it; with `paused_at` only the one made then. No row: there is none.
WITH pause AS (
    SELECT id, paused_at, paused_by, reason, resume_at
    FROM queue_control
    WHERE paused_at IS NOT NULL
        AND (resume_at IS NULL OR resume_at > now())
        AND (%(paused_at)s::timestamptz IS NULL OR paused_at = %(paused_at)s)
    FOR UPDATE
)
UPDATE queue_control c
SET paused_at = NULL, paused_by = NULL, reason = NULL, resume_at = NULL
FROM pause p
WHERE c.id = p.id
RETURNING p.paused_at, p.paused_by, p.reason, p.resume_at;


-- name: progress
-- The pause that is in force, else NULL, and for how long the oldest unclaimed item could have been claimed.
SELECT
    paused_at, paused_by, pause_reason, resume_at, extract(epoch FROM oldest_due_age)::float8 AS oldest_due_seconds
FROM queue_progress;


-- name: overview
-- The number of items in each state, and the age of the oldest.
SELECT state, items, extract(epoch FROM oldest_age)::float8 AS oldest_age_seconds, next_try_at FROM queue_overview;


-- name: detail
-- The items of one state, or of all, oldest first.
SELECT
    item_record_id, item_number, barcode, title, classification, state, reason_code, reason, next_try_at,
    extract(epoch FROM age)::float8 AS age_seconds, queued_at, queued_by, priority, attempts, pushed_by, revert_of
FROM queue_detail
WHERE (%(state)s::text IS NULL OR state = %(state)s) AND (%(reason_code)s::text IS NULL OR reason_code = %(reason_code)s)
ORDER BY priority, next_try_at NULLS LAST, item_record_id
LIMIT %(limit)s;
