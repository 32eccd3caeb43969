-- The sync, as a person looks at it and steers it.


-- name: show_sync
-- Where the sync stands.
SELECT
    sync_mode, advice, batch_under_way, last_synced_id, sync_changes_since, last_sync_run_completed_at,
    extract(epoch FROM last_sync_run_ago)::float8 AS last_sync_run_seconds, full_sync_completed_at,
    full_sync_requested_at, gap_from, gap_until, rejected_rows, initialized_at
FROM sync_overview;


-- name: request_full_sync
-- The next GET /sync hands out SYNC_FULL from 0 and takes the request away.
UPDATE sync_state SET full_sync_requested_at = now() RETURNING full_sync_requested_at;
