-- The whole at one moment, for the verdict and the page Now.


-- name: snapshot
-- Each list is JSON, and ages are seconds. Nothing is counted beyond 10,001: of the queue the first so many of each
-- priority that are due or due later, along their index; of history the newest, along its key, in which the ends stand
-- nearly in the order of their times. The limits are no parameters, for a plan for any limit would sort all rows.
WITH item AS MATERIALIZED (
    SELECT
        CASE
            WHEN q.lease_until > now() AND q.claimed_by IS NOT NULL THEN 'in flight'
            WHEN q.pushed_revision = q.revision THEN 'to recheck'
            WHEN q.lease_until > now() THEN 'unanswered'
            WHEN q.due_at > now() THEN 'postponed'
            ELSE 'waiting'
        END AS state,
        greatest(q.due_at, q.lease_until) AS due_at,
        CASE WHEN q.last_error IS NOT NULL THEN q.reason_code END AS reason_code
    FROM unnest(ARRAY[0, 1, 2]::smallint[]) AS level (priority)
    CROSS JOIN LATERAL (
        (
            SELECT d.due_at, d.lease_until, d.claimed_by, d.pushed_revision, d.revision, d.last_error, d.reason_code
            FROM update_queue d
            WHERE d.priority = level.priority AND d.due_at <= now()
            ORDER BY d.due_at
            LIMIT 10001
        )
        UNION ALL
        (
            SELECT l.due_at, l.lease_until, l.claimed_by, l.pushed_revision, l.revision, l.last_error, l.reason_code
            FROM update_queue l
            WHERE l.priority = level.priority AND l.due_at > now()
            ORDER BY l.due_at
            LIMIT 10001
        )
    ) AS q
), queue AS (
    SELECT
        state,
        CASE WHEN state = 'postponed' THEN reason_code END AS reason_code,
        count(*) AS items,
        extract(epoch FROM now() - min(due_at)) AS oldest_seconds
    FROM item
    GROUP BY 1, 2
), rejected AS (
    SELECT 'rejected' AS state, known.reason_code, found.items, NULL::float8 AS oldest_seconds
    FROM unnest(%(reason_codes)s::text[]) AS known (reason_code)
    CROSS JOIN LATERAL (
        SELECT count(*) AS items
        FROM (
            SELECT FROM update_queue r WHERE r.due_at IS NULL AND r.reason_code = known.reason_code LIMIT 10001
        ) AS one
    ) AS found
    WHERE found.items > 0
    UNION ALL
    SELECT 'rejected', NULL, count(*), NULL
    FROM (SELECT FROM update_queue r WHERE r.due_at IS NULL AND r.reason_code IS NULL LIMIT 10001) AS one
    HAVING count(*) > 0
), ended AS MATERIALIZED (
    SELECT update_log_id, outcome, revert_of, finished_at
    FROM update_log
    ORDER BY update_log_id DESC
    LIMIT 10001
), today AS (
    SELECT
        count(*) FILTER (
            WHERE finished_at >= %(day_began_at)s
                AND outcome IN ('pushed', 'unchanged')
                AND revert_of IS NULL
        ) AS labels,
        coalesce(count(*) = 10001 AND min(finished_at) >= %(day_began_at)s, false) AS are_more,
        count(*) FILTER (WHERE finished_at > now() - interval '10 minutes' AND outcome <> 'dismissed') AS lately
    FROM ended
), push AS (
    SELECT
        h.update_log_id, h.item_number, h.barcode, h.title, h.call_number_before, h.call_number_after, h.queued_by,
        extract(epoch FROM now() - h.finished_at) AS ended_seconds, h.revert_of
    FROM (
        SELECT update_log_id FROM ended WHERE outcome = 'pushed' ORDER BY update_log_id DESC LIMIT 10
    ) AS newest
    JOIN update_log h USING (update_log_id)
    ORDER BY h.update_log_id DESC
), heartbeat AS (
    SELECT
        notifier, mode, breaker, reason, waits_for,
        extract(epoch FROM now() - seen_at) AS seen_seconds,
        extract(epoch FROM now() - looped_at) AS looped_seconds,
        extract(epoch FROM now() - last_success_at) AS success_seconds,
        extract(epoch FROM now() - started_at) AS started_seconds
    FROM notifier_state
    WHERE mode <> 'stopped'
    ORDER BY seen_at DESC
    LIMIT 100
), station AS (
    SELECT client_name, client_type, extract(epoch FROM last_seen_ago) AS seen_seconds
    FROM client_overview
    WHERE revoked_at IS NULL
    ORDER BY last_seen_at DESC NULLS LAST, client_name
    LIMIT 500
), lock AS (
    SELECT l.pid
    FROM pg_locks l
    JOIN pg_stat_activity a USING (pid)
    WHERE NOT l.granted AND l.waitstart < now() - interval '5 seconds' AND a.datname = current_database()
    LIMIT 100
), standby AS (
    SELECT
        count(*) AS standbys,
        count(*) FILTER (WHERE state IS NULL) AS hidden,
        count(*) FILTER (WHERE state = 'streaming' AND sync_state IN ('sync', 'quorum')) AS synchronous
    FROM pg_stat_replication
    WHERE state IS DISTINCT FROM 'backup'
)
SELECT
    now() AS as_of,
    pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean AS only_reads,
    current_setting('synchronous_standby_names') AS named_standbys,
    standby.standbys,
    standby.hidden AS hidden_standbys,
    standby.synchronous AS synchronous_standbys,
    pg_notification_queue_usage() AS notification_queue,
    (
        SELECT coalesce(array_agg(expected.name ORDER BY expected.name), '{}')
        FROM (
            VALUES
                ('update_queue', 'update_queue_notify_insert'),
                ('update_queue', 'update_queue_notify_update'),
                ('queue_control', 'queue_control_notify')
        ) AS expected (relation, name)
        LEFT JOIN pg_trigger t ON t.tgrelid = to_regclass(expected.relation) AND t.tgname = expected.name
        WHERE t.tgenabled IS NULL OR t.tgenabled IN ('D', 'R')
    ) AS silent_triggers,
    (SELECT count(DISTINCT pid) FROM lock) AS lock_waiters,
    (
        SELECT coalesce(array_agg(DISTINCT blocking.pid), '{}')
        FROM lock
        CROSS JOIN LATERAL unnest(pg_blocking_pids(lock.pid)) AS blocking (pid)
        WHERE blocking.pid NOT IN (SELECT pid FROM lock)
    ) AS lock_holders,
    pause.paused_at,
    pause.paused_by,
    pause.reason AS pause_reason,
    pause.resume_at,
    (SELECT coalesce(jsonb_agg(to_jsonb(queue)), '[]') FROM queue) AS queue,
    (SELECT coalesce(jsonb_agg(to_jsonb(rejected) ORDER BY items DESC), '[]') FROM rejected) AS rejected,
    (SELECT coalesce(jsonb_agg(to_jsonb(heartbeat)), '[]') FROM heartbeat) AS notifiers,
    (SELECT coalesce(jsonb_agg(to_jsonb(station)), '[]') FROM station) AS clients,
    (SELECT coalesce(jsonb_agg(to_jsonb(push)), '[]') FROM push) AS pushes,
    today.labels AS labels_today,
    today.are_more AS more_labels_today,
    today.lately AS finished_lately,
    s.sync_mode,
    EXISTS (
        SELECT
        FROM pg_locks l
        WHERE l.locktype = 'advisory' AND l.granted AND (l.classid, l.objid, l.objsubid) = (0, 1398361667, 1)
            AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
    ) AS batch_under_way,
    extract(epoch FROM now() - s.last_sync_run_completed_at)::float8 AS batch_seconds,
    extract(epoch FROM stands.behind)::float8 AS behind_seconds,
    s.gap_from,
    s.gap_until,
    stands.gap_closes,
    s.early_ends,
    (SELECT count(*) FROM (SELECT FROM rejected_row LIMIT 10001) AS one) AS rejected_rows,
    (
        SELECT count(*)
        FROM (SELECT FROM sierra_item WHERE deletion_held_on IS NOT NULL AND deleted_on IS NULL LIMIT 10001) AS one
    ) AS deletions_held
FROM sync_state s
CROSS JOIN (SELECT o.behind, o.gap_closes FROM sync_overview o) AS stands
CROSS JOIN today
CROSS JOIN standby
LEFT JOIN queue_control pause ON pause.paused_at IS NOT NULL AND (pause.resume_at IS NULL OR pause.resume_at > now());


-- name: not_shown
-- Items whose push SierraDNA does not show, and which were not changed since.
SELECT count(*) FROM not_shown WHERE state = 'not shown';
