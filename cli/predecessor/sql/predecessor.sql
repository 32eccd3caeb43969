-- The import from the predecessor: first the questions to its database, in one snapshot; then the writes to ours.


-- name: use_utc
-- Its times may have no zone: take them for UTC. Written as psycopg reads them.
SET LOCAL timezone TO 'UTC';
SET LOCAL datestyle TO 'ISO';


-- name: count_old_items
-- The items to come, for the progress bar.
SELECT count(*) FROM sierra_item;


-- name: old_items
-- Its items as texts, whatever their columns' types are, and whether each is queued. The JSON comes as it is written:
-- asking PostgreSQL for the string in it would end the whole query at the first \u0000.
SELECT
    coalesce(item_record_id::text, '') AS item_record_id,
    coalesce(item_number::text, '') AS item_number,
    coalesce(barcode::text, '') AS barcode,
    coalesce(bib_record_id::text, '') AS bib_record_id,
    coalesce(bib_number::text, '') AS bib_number,
    coalesce(best_author::text, '') AS best_author,
    coalesce(best_title::text, '') AS best_title,
    coalesce(itype_code_num::text, '') AS itype_code_num,
    coalesce(item_type_name::text, '') AS item_type_name,
    coalesce(material_code::text, '') AS material_code,
    coalesce(material_name::text, '') AS material_name,
    coalesce(classification::text, '') AS classification,
    coalesce(shelfmark_json::text, '') AS shelfmark_json,
    coalesce(in_update_queue, false) AS in_update_queue
FROM sierra_item;


-- name: old_clients
-- Its clients, with their keys in plain text. A missing address was stored as the word None.
SELECT
    id,
    client_name,
    client_type::text,
    api_key,
    internal_hostname,
    nullif(internal_ip_address::text, 'None') AS internal_ip_address,
    last_seen_at::timestamptz
FROM client
ORDER BY id;


-- name: old_position
-- The position of its sync: one row, or none if the sync never started.
SELECT
    nullif(nullif(initialized_at::timestamptz, 'infinity'), '-infinity') AS initialized_at,
    sync_mode::text,
    nullif(nullif(full_sync_completed_at::timestamptz, 'infinity'), '-infinity') AS full_sync_completed_at,
    nullif(nullif(sync_changes_since::timestamptz, 'infinity'), '-infinity') AS sync_changes_since,
    nullif(nullif(last_sync_run_completed_at::timestamptz, 'infinity'), '-infinity') AS last_sync_run_completed_at
FROM backend_state
ORDER BY initialized_at DESC NULLS LAST
LIMIT 1;


-- name: has_items
-- Whether our catalogue has any item.
SELECT EXISTS (SELECT FROM sierra_item) AS has_items;


-- name: add_client
-- Add a client unless its key is ours already (a repeated import, or a key revoked since then) or its name is (the
-- client then has another key now).
WITH added AS (
    INSERT INTO client (
        client_name, client_type, api_key_sha256, api_key_prefix, internal_hostname, internal_ip_address, last_seen_at
    )
    VALUES (
        %(client_name)s, %(client_type)s, %(api_key_sha256)s, %(api_key_prefix)s, %(internal_hostname)s,
        %(internal_ip_address)s, %(last_seen_at)s
    )
    ON CONFLICT DO NOTHING
    RETURNING client_id
)
SELECT
    EXISTS (SELECT FROM added) AS is_added,
    EXISTS (SELECT FROM client WHERE api_key_sha256 = %(api_key_sha256)s) AS is_known;


-- name: queue_items
-- Queue what was queued there, behind the marks that print stations make from now on. An item that is queued here
-- already stays as it is, but a queued revert becomes an update, and so does what is only to be looked at again.
INSERT INTO update_queue (item_record_id, queued_by)
SELECT i.item_record_id, 'import-predecessor'
FROM sierra_item i
WHERE i.item_record_id = ANY (%(item_record_ids)s::bigint[])
ORDER BY i.item_record_id
ON CONFLICT (item_record_id) DO UPDATE SET revision = update_queue.revision + 1, revert_of = NULL, due_at = now()
WHERE update_queue.revert_of IS NOT NULL OR update_queue.pushed_revision = update_queue.revision;


-- name: take_position
-- Continue where its sync stood, with nothing handed out yet; unless a newer batch has come to us.
UPDATE sync_state SET
    initialized_at = coalesce(%(initialized_at)s, initialized_at),
    sync_mode = %(sync_mode)s,
    last_synced_id = %(last_synced_id)s,
    full_sync_items = %(full_sync_items)s,
    full_sync_completed_at = %(full_sync_completed_at)s,
    sync_changes_since = %(sync_changes_since)s,
    last_sync_run_completed_at = %(last_sync_run_completed_at)s,
    offered_mode = NULL,
    offered_batch_size = NULL,
    offered_last_synced_id = NULL,
    offered_timestamp = NULL
WHERE last_sync_run_completed_at IS NULL
    OR last_sync_run_completed_at <= %(last_sync_run_completed_at)s;


-- name: write_act
-- The import is an act of a person's, with the database that it came from: the URL was given without secrets.
INSERT INTO act (person, through, os_user, action, target, number, result)
VALUES (
    %(person)s, 'command', %(os_user)s, 'import-predecessor', jsonb_build_object('from', %(source)s::text), %(number)s,
    %(result)s
);
