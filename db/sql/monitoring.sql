-- The database's metrics, read at each request of Prometheus. The views define their meaning.


-- name: queue
-- The number of items in each state, and for how long the oldest has been due.
SELECT state, items, coalesce(extract(epoch FROM oldest_age), 0)::float8 AS oldest_age_seconds FROM queue_overview;


-- name: rejected
-- The number of rejected items of each kind of reason; `none`: from an older release.
SELECT coalesce(reason_code, 'none') AS reason, count(*) AS items FROM update_queue WHERE due_at IS NULL GROUP BY 1;


-- name: sync
-- The time of the last batch and how far the sync is behind (NULL: none yet), whether changes are missing that no
-- full sync is bringing, the numbers of rows kept aside and of deletions held.
SELECT
    extract(epoch FROM last_sync_run_completed_at)::float8 AS last_batch_at,
    extract(epoch FROM behind)::float8 AS behind_seconds,
    gap_from IS NOT NULL AND NOT gap_closes AS has_gap,
    rejected_rows,
    deletions_held
FROM sync_overview;


-- name: notifiers
-- The number of notifiers in each mode, of those that were seen within 30 s.
SELECT known.mode, count(n.notifier) AS notifiers
FROM unnest(ARRAY['starting', 'listening', 'polling']) AS known (mode)
LEFT JOIN notifier_state n ON n.mode = known.mode AND n.seen_at > now() - interval '30 seconds'
GROUP BY known.mode;


-- name: pause
-- True while a person has paused the pushes.
SELECT EXISTS (
    SELECT FROM queue_control WHERE paused_at IS NOT NULL AND (resume_at IS NULL OR resume_at > now())
) AS is_paused;


-- name: not_shown
-- Items whose push SierraDNA does not show, and which nobody has changed since.
SELECT count(*) FROM not_shown WHERE state = 'not shown';
