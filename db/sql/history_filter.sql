-- History as a person filters it. As in queue_filter.sql a condition that is NULL is left out, sent unprepared.


-- name: choose
-- The ids of its rows, the newest first, before one and at most so many. `asked_at`: as of then.
SELECT l.update_log_id
FROM update_log l
WHERE (%(update_log_ids)s::bigint[] IS NULL OR l.update_log_id = ANY (%(update_log_ids)s))
    AND (%(finished_from)s::timestamptz IS NULL OR l.finished_at >= %(finished_from)s)
    AND (%(finished_until)s::timestamptz IS NULL OR l.finished_at < %(finished_until)s)
    AND (%(outcome)s::text IS NULL OR l.outcome = %(outcome)s)
    AND (%(reason_code)s::text IS NULL OR l.reason_code = %(reason_code)s)
    AND (%(person)s::text IS NULL OR l.queued_by = %(person)s OR l.finished_by = %(person)s)
    AND (%(barcode)s::text IS NULL OR l.barcode = %(barcode)s)
    AND (%(asked_at)s::timestamptz IS NULL OR l.finished_at <= %(asked_at)s)
    AND (%(before)s::bigint IS NULL OR l.update_log_id < %(before)s)
    AND (%(since)s::bigint IS NULL OR l.update_log_id >= %(since)s)
ORDER BY l.update_log_id DESC
LIMIT %(limit)s;


-- name: end_of_days
-- The number behind the last row of so many days that end then; NULL: they have none. Rows are numbered nearly in the
-- order of their times, which the planner does not know: it would look for a day long past from the newest row on. Hence
-- OFFSET 0, which has the days' rows found by their times.
SELECT max(ended.update_log_id) + 1
FROM (
    SELECT update_log_id
    FROM update_log
    WHERE finished_at < %(until)s::timestamptz
        AND finished_at >= %(until)s::timestamptz - %(days)s * interval '1 day'
    OFFSET 0
) AS ended;


-- name: look_since
-- The row down to which a look goes that begins before one and sees `others` and this one, and whether older ones may
-- be of the days wanted; none: history begins later. An hour is more than two rows stand out of the order of their times.
SELECT
    l.update_log_id,
    %(finished_from)s::timestamptz IS NULL OR l.finished_at >= %(finished_from)s::timestamptz - interval '1 hour'
FROM update_log l
WHERE %(before)s::bigint IS NULL OR l.update_log_id < %(before)s
ORDER BY l.update_log_id DESC
OFFSET %(others)s
LIMIT 1;


-- name: show
-- These rows, in the same order.
SELECT
    update_log_id, finished_at, outcome, barcode, item_number, title, call_number_before, call_number_after, reason_code,
    reason, queued_by, queued_at, extract(epoch FROM took)::float8 AS took_seconds, sierra_ms, attempts, finished_by,
    revert_of, shown_at
FROM update_history
WHERE update_log_id = ANY (%(update_log_ids)s::bigint[])
ORDER BY update_log_id DESC;


-- name: preview_reverts
-- What would come of having these pushes undone, by kind. As in `revert` (history.sql): of one item's pushes the newest
-- goes in. `changed` will be refused, for staff changed the call number since, as far as the ETL has told.
WITH named AS (
    SELECT
        l.item_record_id, l.outcome, l.call_number_before, l.call_number_after, l.finished_at,
        row_number() OVER (
            PARTITION BY
                l.item_record_id,
                l.outcome = 'pushed' AND l.call_number_before <> l.call_number_after AND l.call_number_before ~ '\S'
            ORDER BY l.update_log_id DESC
        ) AS place
    FROM update_log l
    WHERE l.update_log_id = ANY (%(update_log_ids)s::bigint[])
), judged AS (
    SELECT CASE
        WHEN n.outcome <> 'pushed' THEN 'no push'
        WHEN n.call_number_before IS NOT DISTINCT FROM n.call_number_after THEN 'nothing to undo'
        WHEN n.call_number_before IS NULL OR n.call_number_before !~ '\S' THEN 'no call number before'
        WHEN n.place > 1 THEN 'older push'
        WHEN i.item_record_id IS NULL THEN 'not in the catalogue'
        WHEN EXISTS (
            SELECT
            FROM update_queue q
            WHERE q.item_record_id = n.item_record_id
                AND (q.pushed_revision IS DISTINCT FROM q.revision OR q.lease_until > now())
        ) THEN 'queued'
        WHEN i.item_updated_at > n.finished_at AND i.item_call_number IS DISTINCT FROM n.call_number_after THEN 'changed'
        ELSE 'to undo'
    END AS kind
    FROM named n
    LEFT JOIN sierra_item i USING (item_record_id)
)
SELECT kind, count(*) AS pushes FROM judged GROUP BY kind ORDER BY kind;
