-- Items that were deleted in Sierra. A batch of the ETL brings the day of each, in its temporary table (sync.sql).


-- name: find_deleted
-- Those of the deletions that are new: of items that are here, that live, and of which nothing newer came. An item of
-- which another row was refused in the same batch may live. CREATE TABLE: what is found is counted before it is done.
CREATE TEMPORARY TABLE new_deletion ON COMMIT DROP AS
SELECT b.item_record_id, b.deleted_on
FROM batch b
JOIN sierra_item s ON s.item_record_id = b.item_record_id
WHERE b.reason_code IS NULL
    AND b.deleted_on IS NOT NULL
    AND s.deleted_on IS NULL
    AND s.deletion_held_on IS NULL
    AND s.updated_at <= %(timestamp)s
    AND NOT EXISTS (SELECT FROM batch r WHERE r.item_record_id = b.item_record_id AND r.reason_code IS NOT NULL);


-- name: find_absent
-- A pass: the living items of its range that the file lacks, and that have not changed since it was read. A row that was
-- refused is there; where the id of one can't be read it may be any of them, so that nothing is found absent.
INSERT INTO new_deletion (item_record_id, deleted_on)
SELECT s.item_record_id, %(day)s
FROM sierra_item s
WHERE s.item_record_id > %(above)s
    AND s.item_record_id <= %(to)s
    AND s.deleted_on IS NULL
    AND s.deletion_held_on IS NULL
    AND s.updated_at <= %(timestamp)s
    AND NOT EXISTS (SELECT FROM batch b WHERE b.item_record_id = s.item_record_id)
    AND NOT EXISTS (SELECT FROM batch b WHERE b.item_record_id IS NULL);


-- name: has_item_within
-- A file without any is what a login sends that may not see the items any more.
SELECT EXISTS (
    SELECT FROM batch b WHERE b.item_record_id > %(above)s AND b.item_record_id <= %(to)s AND b.deleted_on IS NULL
);


-- name: count_deletions
-- The new ones, and those of the last 24 hours before. One that a person allowed does not count.
SELECT
    (SELECT count(*) FROM new_deletion) AS found,
    (
        SELECT count(*)
        FROM sierra_item s
        WHERE s.deleted_on IS NOT NULL
            AND s.deletion_held_on IS NULL
            AND s.updated_at > %(timestamp)s::timestamptz - interval '24 hours'
    ) AS recent;


-- name: delete_items
-- Nothing is removed: a living row revives the item. Held, they wait for a person.
UPDATE sierra_item s SET
    deleted_on = CASE WHEN NOT %(held)s THEN d.deleted_on END,
    deletion_held_on = CASE WHEN %(held)s THEN d.deleted_on END,
    updated_at = %(timestamp)s
FROM new_deletion d
WHERE s.item_record_id = d.item_record_id;


-- name: allow_deletions
-- A person says that the deletions that are held are right. With `ids_sum`, the sum of the ids that the person was shown,
-- only if no other items are held by now, which their number would not tell. What a batch holds meanwhile stays held.
UPDATE sierra_item
SET deleted_on = deletion_held_on
WHERE deletion_held_on IS NOT NULL
    AND deleted_on IS NULL
    AND (
        %(ids_sum)s::text IS NULL
        OR %(ids_sum)s = (
            SELECT sum(h.item_record_id)::text
            FROM sierra_item h
            WHERE h.deletion_held_on IS NOT NULL AND h.deleted_on IS NULL
        )
    );


-- name: dismiss_rejected
-- What was rejected of items that Sierra deleted long ago is taken off the queue, as a person would: else the item could
-- not be removed. What still waits is left to be pushed, which rejects it. A day is the most that a late write takes.
WITH chosen AS (
    SELECT q.item_record_id, i.item_number, i.barcode, i.best_title
    FROM sierra_item i
    JOIN update_queue q USING (item_record_id)
    WHERE i.deleted_on < current_date - %(days)s::integer
        AND q.due_at IS NULL
        AND (greatest(q.unanswered_at, q.lease_until) > now() - interval '1 day') IS NOT TRUE
    ORDER BY q.item_record_id
    LIMIT %(limit)s
    FOR UPDATE OF q SKIP LOCKED
), gone AS (
    DELETE FROM update_queue q
    USING chosen c
    WHERE q.item_record_id = c.item_record_id
    RETURNING
        q.item_record_id, c.item_number, c.barcode, c.best_title, q.queued_at, q.queued_by, q.attempts, q.request_id,
        concat_ws('; ', q.last_error, 'deleted in Sierra') AS error,
        CASE WHEN q.revision = 1 THEN q.revert_of END AS revert_of,
        CASE WHEN q.last_error IS NOT NULL THEN q.reason_code END AS reason_code
)
INSERT INTO update_log (
    item_record_id, item_number, barcode, title, queued_at, queued_by, finished_by, outcome, attempts, error, request_id,
    revert_of, reason_code
)
SELECT
    item_record_id, item_number, barcode, best_title, queued_at, queued_by, %(notifier)s, 'dismissed', attempts, error,
    request_id, revert_of, reason_code
FROM gone;


-- name: remove_items
-- The items that Sierra deleted long ago, by the index of deleted ones. One in the queue stays. The date is asked twice:
-- a batch may revive an item while this waits for it.
DELETE FROM sierra_item
WHERE deleted_on < current_date - %(days)s::integer
    AND item_record_id = ANY (ARRAY(
        SELECT i.item_record_id
        FROM sierra_item i
        WHERE i.deleted_on < current_date - %(days)s::integer
            AND NOT EXISTS (SELECT FROM update_queue q WHERE q.item_record_id = i.item_record_id)
        LIMIT %(limit)s
    ));
