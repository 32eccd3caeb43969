-- The state of the sync: what GET /sync hands out, what a person sees, and a person's request for a full sync.


-- name: hand_out
-- The next batch for the ETL, noted as handed out; a requested full sync begins. While a batch is being taken in nothing
-- is handed out: the state is returned as it is. The statement never waits, not even for the commit of a batch; and it
-- looks for a batch with the row locked, so that one which begins meanwhile waits for it (read_position).
WITH free AS MATERIALIZED (
    SELECT s.id FROM sync_state s FOR UPDATE SKIP LOCKED
), idle AS MATERIALIZED (
    SELECT free.id, (
        SELECT count(*) = 0
        FROM pg_locks l
        JOIN pg_stat_activity a ON a.pid = l.pid
        WHERE l.granted
            AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
            AND (
                (l.locktype, l.classid, l.objid, l.objsubid) = ('advisory', 0, 1398361667, 1)
                OR (l.relation, l.mode) = ('sync_state'::regclass, 'ShareUpdateExclusiveLock')
            )
            AND has_table_privilege(a.usesysid, 'sync_state', 'UPDATE')
    ) AS is_idle
    FROM free
), handed_out AS (
    UPDATE sync_state s SET
        sync_mode = CASE WHEN s.full_sync_requested_at IS NULL THEN s.sync_mode ELSE 'SYNC_FULL' END,
        last_synced_id = CASE WHEN s.full_sync_requested_at IS NULL THEN s.last_synced_id ELSE 0 END,
        full_sync_items = CASE WHEN s.full_sync_requested_at IS NULL THEN s.full_sync_items ELSE 0 END,
        early_ends = CASE WHEN s.full_sync_requested_at IS NULL THEN s.early_ends ELSE 0 END,
        full_sync_moved_at = CASE WHEN s.full_sync_requested_at IS NULL THEN s.full_sync_moved_at ELSE now() END,
        full_sync_requested_at = NULL,
        offered_mode = CASE WHEN s.full_sync_requested_at IS NULL THEN s.sync_mode ELSE 'SYNC_FULL' END,
        offered_batch_size = %(batch_size)s,
        offered_last_synced_id = CASE WHEN s.full_sync_requested_at IS NULL THEN s.last_synced_id ELSE 0 END,
        offered_timestamp = coalesce(s.sync_changes_since, s.initialized_at)
    FROM idle
    WHERE idle.id = s.id AND idle.is_idle
    RETURNING s.sync_mode, s.last_synced_id, s.offered_timestamp, s.deletions_since, s.passed_at
)
SELECT sync_mode, last_synced_id, offered_timestamp AS "timestamp", 'idle' AS sync_status, deletions_since, passed_at
FROM handed_out
UNION ALL
SELECT
    sync_mode, last_synced_id, coalesce(sync_changes_since, initialized_at), 'processing_sync_batch', deletions_since,
    passed_at
FROM sync_state
WHERE NOT EXISTS (SELECT FROM handed_out);


-- name: show_sync
-- The state of the sync.
SELECT
    sync_mode, advice, batch_under_way, last_synced_id, sync_changes_since, last_sync_run_completed_at,
    extract(epoch FROM last_sync_run_ago)::float8 AS last_sync_run_seconds, full_sync_completed_at,
    full_sync_requested_at, gap_from, gap_until, rejected_rows, deletions_held, passed_at, initialized_at,
    gap_closes, extract(epoch FROM behind)::float8 AS behind_seconds
FROM sync_overview;


-- name: request_full_sync
-- The next GET /sync hands out SYNC_FULL from 0 and takes the request away.
UPDATE sync_state SET full_sync_requested_at = now() RETURNING full_sync_requested_at;
