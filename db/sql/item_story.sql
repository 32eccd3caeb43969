-- One item as a person looks it up: what is known of it, and its story.


-- name: find
-- By what is printed on it or by its number: Sierra's key of an item is 105 << 32 (the letter i) and the number, which
-- needs no index of the number. Several items may share a barcode.
SELECT
    item_record_id, item_number, barcode, best_title, best_author, classification, shelfmark, item_call_number,
    item_updated_at, location_name, item_type_name, material_name, deleted_on, deletion_held_on, updated_at, is_relabelled
FROM sierra_item
WHERE barcode = %(name)s OR (item_record_id = %(item_record_id)s::bigint AND item_number = %(name)s)
ORDER BY item_record_id
LIMIT 20;


-- name: queued
-- Its row of the queue. No row: nothing is asked for.
SELECT
    item_record_id, state, reason_code, reason, next_try_at, queued_at, queued_by, attempts, revert_of
FROM queue_detail
WHERE item_record_id = %(item_record_id)s;


-- name: history
-- Its outcomes, the newest first. Found by its barcode, and its pushes by their own index, under an older barcode too.
SELECT
    update_log_id, finished_at, outcome, call_number_before, call_number_after, reason_code, error AS reason, queued_at,
    queued_by, finished_by, sierra_ms, attempts, revert_of, shown_at
FROM update_log
WHERE update_log_id IN (
    SELECT update_log_id FROM update_log WHERE barcode = %(barcode)s AND item_record_id = %(item_record_id)s
    UNION
    SELECT update_log_id FROM update_log WHERE item_record_id = %(item_record_id)s AND outcome = 'pushed'
)
ORDER BY update_log_id DESC
LIMIT 200;
