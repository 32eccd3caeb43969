-- The schema's revision, and the lock of its one migrator.


-- name: version
-- The revision that Alembic brought it to.
SELECT version_num FROM alembic_version;


-- name: readiness
-- The same, and whether the session only reads: on a standby, or on a server that is set to read only.
SELECT version_num, current_setting('transaction_read_only')::boolean FROM alembic_version;


-- name: has_version_table
-- Whether the database has been migrated before.
SELECT to_regclass('public.alembic_version') IS NOT NULL;


-- name: make_version_table
-- As Alembic makes it. Two migrators that meet here: one waits for the other, and is told that the table is there.
CREATE TABLE public.alembic_version (
    version_num varchar(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);


-- name: lock_version_table
-- Become the one migrator until the transaction ends. This mode needs more than SELECT on the table, so no reader can
-- take it (any role can take an advisory lock); it lets all others read and write. Tried for 2 s: a vacuum gives way
-- after 1.
SET LOCAL lock_timeout = '2s';
LOCK TABLE public.alembic_version IN SHARE UPDATE EXCLUSIVE MODE;


-- name: no_time_limits
-- A migration takes its time, whatever limits a DBA has set for the role or the database; of these, those that this
-- server has. Only for a lock it does not wait long, and for a standby not at all: one that has a later mark has the
-- migration too, and where a failover has lost it, it is done again.
SELECT set_config(
    s.name,
    CASE s.name WHEN 'lock_timeout' THEN %(lock_timeout)s WHEN 'synchronous_commit' THEN 'local' ELSE '0' END,
    false
)
FROM pg_settings s
WHERE s.name IN (
    'lock_timeout', 'statement_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout',
    'idle_session_timeout', 'synchronous_commit'
);
