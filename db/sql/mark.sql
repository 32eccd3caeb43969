-- The mark, as PUT /itemdata sends it: the print station's key is checked and the item queued in one round trip.
--
-- For reading: `make schema` makes it from db/items.py, db/marks.py and db/models.py, and a test keeps it true.
--
-- `printer` is empty if the key is no valid print station's: then nothing is marked, and name is NULL. An item that is
-- queued already gets the next revision and is due at once, with attempts anew; its lease stays, so a push under way goes
-- on and finds at its end that it was marked again. A rejected one (due_at IS NULL) enters as if it were new. The commit
-- notifies the notifiers, by the table's trigger.


WITH
printer AS (SELECT client.client_name AS name
FROM client
WHERE client.api_key_sha256 = %(api_key_sha256)s AND client.client_type = 'signum-printer'::VARCHAR AND client.revoked_at IS NULL),
marked AS (INSERT INTO update_queue (item_record_id, queued_by, priority, request_id, trace)
SELECT sierra_item.item_record_id AS item_record_id, printer.name AS name, 0::SMALLINT AS anon_1, %(request_id)s::VARCHAR AS anon_2, %(trace)s::VARCHAR AS anon_3
FROM sierra_item JOIN printer ON true
WHERE sierra_item.item_record_id = %(item_record_id)s::BIGINT AND sierra_item.deleted_on IS NULL
ORDER BY sierra_item.item_record_id
ON CONFLICT (item_record_id) DO UPDATE SET
    revision = (update_queue.revision + 1::BIGINT),
    queued_at = CASE WHEN (update_queue.due_at IS NULL OR update_queue.pushed_revision = update_queue.revision) THEN excluded.queued_at ELSE update_queue.queued_at END,
    queued_by = CASE WHEN (update_queue.due_at IS NULL OR update_queue.pushed_revision = update_queue.revision) THEN excluded.queued_by ELSE update_queue.queued_by END,
    priority = least(update_queue.priority, excluded.priority),
    attempts = 0::SMALLINT,
    due_at = now(),
    last_error = NULL::VARCHAR,
    request_id = excluded.request_id,
    trace = excluded.trace,
    revert_of = NULL::BIGINT
RETURNING update_queue.item_record_id)
SELECT (SELECT printer.name FROM printer) AS name, (SELECT array_agg(marked.item_record_id) AS array_agg_1 FROM marked) AS item_record_ids;
