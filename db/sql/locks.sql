-- Sessions that others wait for. Of sessions of other roles, a role that is no member of pg_read_all_stats sees neither
-- the state nor since when: both are NULL then.


-- name: waited_for
-- The sessions that one waits for, with the table whose lock or row it is. Of a row, the waiting session has taken its
-- place in the line: a lock on the tuple.
SELECT
    b.pid, a.usename AS role, a.application_name AS application, a.state,
    extract(epoch FROM now() - a.xact_start)::float8 AS seconds,
    (
        SELECT l.relation::regclass::text
        FROM pg_locks l
        WHERE l.pid = %(pid)s AND l.relation IS NOT NULL AND (NOT l.granted OR l.locktype = 'tuple')
        LIMIT 1
    ) AS relation
FROM (SELECT DISTINCT unnest(pg_blocking_pids(%(pid)s)) AS pid) AS b
LEFT JOIN pg_stat_activity a USING (pid)
ORDER BY a.xact_start, b.pid;


-- name: holding
-- The sessions with a lock on one of our tables, or on `relation` alone, or with an advisory lock: the longest first.
SELECT
    a.pid, a.usename AS role, a.application_name AS application, a.state,
    extract(epoch FROM now() - a.xact_start)::float8 AS seconds, min(c.relname)::text AS relation
FROM pg_locks l
JOIN pg_stat_activity a ON a.pid = l.pid
LEFT JOIN pg_class c ON c.oid = l.relation AND c.relnamespace = 'public'::regnamespace
WHERE l.granted
    AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
    AND l.pid <> pg_backend_pid()
    AND CASE
        WHEN %(relation)s::text IS NULL THEN c.relname IS NOT NULL OR l.locktype = 'advisory'
        ELSE c.relname = %(relation)s AND l.mode <> 'AccessShareLock'
    END
GROUP BY a.pid, a.usename, a.application_name, a.state, a.xact_start
ORDER BY a.xact_start, a.pid
LIMIT 5;


-- name: transactions
-- The transactions of this database that others wait for, and those that have been idle for a minute.
SELECT
    a.pid, a.usename AS role, a.application_name AS application, a.state,
    extract(epoch FROM now() - a.xact_start)::float8 AS seconds, count(w.pid)::int AS waiting
FROM pg_stat_activity a
LEFT JOIN (
    SELECT s.pid, unnest(pg_blocking_pids(s.pid)) AS blocker FROM pg_stat_activity s WHERE s.wait_event_type = 'Lock'
) AS w ON w.blocker = a.pid
WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
GROUP BY a.pid, a.usename, a.application_name, a.state, a.xact_start, a.state_change
HAVING count(w.pid) > 0 OR (a.state LIKE 'idle in transaction%%' AND a.state_change < now() - interval '1 minute')
ORDER BY count(w.pid) DESC, a.xact_start, a.pid
LIMIT 5;


-- name: false_batch
-- Sessions that hold the lock of the sync (db/sql/sync.sql) and are no batch: their role may not store one. Any role
-- may take an advisory lock.
SELECT
    a.pid, a.usename AS role, a.application_name AS application, a.state,
    extract(epoch FROM now() - a.xact_start)::float8 AS seconds
FROM pg_locks l
JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory'
    AND l.granted
    AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
    AND (l.classid, l.objid, l.objsubid) = (0, 1398361667, 1)
    AND NOT has_table_privilege(a.usesysid, 'sync_state', 'UPDATE')
ORDER BY a.pid;
