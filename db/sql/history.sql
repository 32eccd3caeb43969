-- The outcomes of updates, and reverts.


-- name: history
-- The outcomes of one barcode's updates, newest first.
SELECT
    finished_at, outcome, barcode, item_number, title, call_number_before, call_number_after, reason_code, reason, queued_by,
    queued_at, extract(epoch FROM took)::float8 AS took_seconds, sierra_ms, attempts, finished_by, update_log_id, revert_of,
    shown_at
FROM update_history
WHERE barcode = %(barcode)s
ORDER BY update_log_id DESC
LIMIT %(limit)s;


-- name: not_shown
-- Pushes that SierraDNA does not show, the oldest first.
SELECT
    state, item_number, barcode, title, call_number_before, call_number_pushed, call_number_shown, classification,
    pushed_at, queued_by, item_updated_at, update_log_id, item_record_id
FROM not_shown
ORDER BY update_log_id
LIMIT %(limit)s;


-- name: revert
-- Queue the reverts of pushes, and return each row of history with whether its revert was queued. An item that is queued
-- already stays as it is, also one that a mark is just queueing: ON CONFLICT waits for the mark's end. One that is there
-- only to be looked at again is pushed already, so it becomes the revert, as if it had entered now. Of one item's pushes
-- the newest goes in, for only its call number can still be in Sierra.
WITH named AS (
    SELECT
        l.update_log_id, l.item_record_id, l.item_number, l.barcode, l.outcome, l.call_number_before, l.call_number_after,
        i.item_record_id IS NOT NULL AS in_catalogue
    FROM update_log l
    LEFT JOIN sierra_item i USING (item_record_id)
    WHERE l.update_log_id = ANY (%(ids)s::bigint[])
), queued AS (
    INSERT INTO update_queue (item_record_id, queued_by, revert_of)
    SELECT DISTINCT ON (n.item_record_id) n.item_record_id, %(person)s, n.update_log_id
    FROM named n
    WHERE n.in_catalogue
        AND n.outcome = 'pushed'
        AND n.call_number_before <> n.call_number_after
        AND n.call_number_before ~ '\S'
    ORDER BY n.item_record_id, n.update_log_id DESC
    ON CONFLICT (item_record_id) DO UPDATE
    SET revision = 1,
        queued_at = now(),
        queued_by = excluded.queued_by,
        priority = 1,
        attempts = 0,
        due_at = now(),
        claimed_by = NULL,
        lease_until = NULL,
        last_error = NULL,
        request_id = NULL,
        revert_of = excluded.revert_of,
        unanswered_at = now(),
        pushed_revision = NULL
    WHERE update_queue.pushed_revision = update_queue.revision
        AND (update_queue.lease_until IS NULL OR update_queue.lease_until <= now())
    RETURNING revert_of
)
SELECT
    n.update_log_id, n.item_number, n.barcode, n.outcome, n.call_number_before, n.call_number_after, n.in_catalogue,
    q.revert_of IS NOT NULL AS queued
FROM named n
LEFT JOIN queued q ON q.revert_of = n.update_log_id
ORDER BY n.update_log_id;


-- name: undone
-- The call numbers before and after the pushes that are to be undone. None for a row that is no push, or another item's.
SELECT item_record_id, l.call_number_before, l.call_number_after
FROM unnest(%(ids)s::bigint[], %(item_record_ids)s::bigint[]) AS r (update_log_id, item_record_id)
JOIN update_log l USING (update_log_id, item_record_id)
WHERE l.outcome = 'pushed';


-- name: prune
-- Delete the oldest history, a little at a time: the primary key is in the order of time, so its start is the oldest.
-- ARRAY: as in claim, or the planner would read all of history.
DELETE FROM update_log
WHERE update_log_id = ANY (ARRAY(
    SELECT oldest.update_log_id
    FROM (SELECT update_log_id, finished_at FROM update_log ORDER BY update_log_id LIMIT %(limit)s) AS oldest
    WHERE oldest.finished_at < now() - %(days)s * interval '1 day'
));
