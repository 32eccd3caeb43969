-- The database servers as the doctor sees them: which of them take writes, and what a failover would lose.


-- name: server
-- What one server is. The start of its postmaster tells servers apart, for two names may lead to one.
SELECT
    pg_is_in_recovery() AS is_standby,
    current_setting('transaction_read_only') = 'on' AS only_reads,
    pg_postmaster_start_time() AS started_at;


-- name: replication
-- The standbys of this server. A role without pg_read_all_stats sees their names only.
SELECT
    current_setting('synchronous_standby_names') AS named,
    count(pid) AS all_standbys,
    count(pid) FILTER (WHERE state IS NULL) AS hidden,
    count(pid) FILTER (WHERE state = 'streaming' AND sync_state IN ('sync', 'quorum')) AS synchronous,
    coalesce(string_agg(application_name, ', ' ORDER BY application_name), '') AS names,
    pg_size_pretty(max(CASE WHEN NOT pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_current_wal_lsn(), flush_lsn) END))
        AS behind
FROM pg_stat_replication
WHERE state IS DISTINCT FROM 'backup';
