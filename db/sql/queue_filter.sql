-- The queue's items that meet a person's filter. Each condition that is NULL is left out: sent unprepared, so that the
-- planner sees which.


-- name: choose
-- Their ids, after one and at most so many. Rejected ones are found by their index. With `asked_at` only those that stood
-- there when the person was asked: entered since, or rejected since, they were not among those that were counted.
-- `name` is a barcode or a number, found by an index as in item_story.sql; a part of a title is looked for in every row.
-- The state is that of queue_detail, which would join every row of the queue to its item.
SELECT q.item_record_id
FROM update_queue q
WHERE (%(item_record_ids)s::bigint[] IS NULL OR q.item_record_id = ANY (%(item_record_ids)s))
    AND (%(state)s::text IS DISTINCT FROM 'rejected' OR q.due_at IS NULL)
    AND (
        %(state)s::text IS NULL
        OR %(state)s = 'rejected'
        OR %(state)s = CASE
            WHEN q.due_at IS NULL THEN 'rejected'
            WHEN q.lease_until > now() AND q.claimed_by IS NOT NULL THEN 'in flight'
            WHEN q.pushed_revision = q.revision THEN 'to recheck'
            WHEN q.due_at > now() OR q.lease_until > now() THEN 'postponed'
            ELSE 'waiting'
        END
    )
    AND (%(reason_code)s::text IS NULL OR (q.reason_code = %(reason_code)s AND q.last_error IS NOT NULL))
    AND (%(queued_by)s::text IS NULL OR q.queued_by = %(queued_by)s)
    AND (%(queued_from)s::timestamptz IS NULL OR q.queued_at >= %(queued_from)s)
    AND (%(queued_until)s::timestamptz IS NULL OR q.queued_at < %(queued_until)s)
    AND (
        %(name)s::text IS NULL
        OR q.item_record_id = ANY (ARRAY(
            SELECT i.item_record_id
            FROM sierra_item i
            WHERE i.barcode = %(name)s OR (i.item_record_id = %(item_record_id)s::bigint AND i.item_number = %(name)s)
        ))
    )
    AND (
        %(title)s::text IS NULL
        OR EXISTS (
            SELECT
            FROM sierra_item i
            WHERE i.item_record_id = q.item_record_id AND strpos(lower(i.best_title), lower(%(title)s)) > 0
        )
    )
    AND (%(asked_at)s::timestamptz IS NULL OR q.queued_at <= %(asked_at)s)
    AND (
        %(asked_at)s::timestamptz IS NULL
        OR q.due_at IS NOT NULL
        OR q.item_record_id NOT IN (
            SELECT l.item_record_id
            FROM update_log l
            WHERE l.finished_at > %(asked_at)s AND l.outcome = 'rejected'
        )
    )
    AND (%(after)s::bigint IS NULL OR q.item_record_id > %(after)s)
    AND (%(until)s::bigint IS NULL OR q.item_record_id <= %(until)s)
ORDER BY q.item_record_id
LIMIT %(limit)s;


-- name: look_until
-- The item up to which a look goes that begins behind `after` and sees `others` and this one; none: the queue ends before.
SELECT q.item_record_id
FROM update_queue q
WHERE %(after)s::bigint IS NULL OR q.item_record_id > %(after)s
ORDER BY q.item_record_id
OFFSET %(others)s
LIMIT 1;


-- name: show
-- These items, in the same order.
SELECT
    item_record_id, item_number, barcode, title, classification, state, reason_code, reason, next_try_at, queued_at,
    queued_by, attempts, revert_of
FROM queue_detail
WHERE item_record_id = ANY (%(item_record_ids)s::bigint[])
ORDER BY item_record_id;



-- name: clock
-- The time of the question: that of the transaction in which its items are counted.
SELECT now();
