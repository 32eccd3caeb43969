-- The roles' rights. Each statement revokes all that a role had on our tables and views and grants what it needs, in one
-- transaction, so that sessions at work do not notice. SECURITY.md has the same as a table.
--
-- Views are read with their owner's rights. LISTEN and NOTIFY need no right: any role may.


-- name: one_at_a_time
-- Two sessions at once would meet in PostgreSQL's catalogue: "tuple concurrently updated". Until the transaction ends.
-- No reader can take this lock, and so none can keep us from it. As a migration, it waits for no standby.
SET LOCAL synchronous_commit = local;
LOCK TABLE public.alembic_version IN SHARE UPDATE EXCLUSIVE MODE;


-- name: find_roles
-- Those of our roles that this server has.
SELECT rolname FROM pg_roles WHERE rolname = ANY (%(names)s) ORDER BY rolname;


-- name: signum_api
-- Print stations and ETL: takes in items, marks them, notes when a client was seen and which pushes Sierra shows. It takes
-- nothing off the queue, and neither makes nor changes keys. Its metrics read the overviews and notifier_state.
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM signum_api;
GRANT SELECT ON alembic_version, not_shown, notifier_state, queue_control, queue_overview, sync_overview TO signum_api;
GRANT SELECT, UPDATE (internal_hostname, internal_ip_address, last_seen_at) ON client TO signum_api;
GRANT SELECT, INSERT, UPDATE ON sierra_item TO signum_api;
GRANT
    SELECT,
    INSERT (item_record_id, queued_by, priority, request_id, trace),
    UPDATE (revision, queued_at, queued_by, priority, attempts, due_at, last_error, request_id, trace, revert_of)
ON update_queue TO signum_api;
GRANT SELECT, UPDATE ON sync_state TO signum_api;
GRANT
    SELECT (update_log_id, item_record_id, outcome, call_number_after, shown_at),
    UPDATE (shown_at)
ON update_log TO signum_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON rejected_row TO signum_api;


-- name: signum_console
-- The console itself: persons and sessions. Pages read as signum_reader and acts are done as signum_operator, which it
-- takes for a transaction each. Names of clients it reads to give none of them to a person.
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM signum_console;
GRANT SELECT ON alembic_version TO signum_console;
GRANT SELECT, INSERT, UPDATE ON person TO signum_console;
GRANT SELECT, INSERT, UPDATE (used_at), DELETE ON console_session TO signum_console;
GRANT SELECT (client_name) ON client TO signum_console;
GRANT INSERT (person, through, os_user, action, target, reason, number, result) ON act TO signum_console;


-- name: console_has_roles
-- Whether it may take them; a superuser's right to all does not count.
SELECT count(*) = 2
FROM pg_auth_members m
JOIN pg_roles taken ON taken.oid = m.roleid
JOIN pg_roles console ON console.oid = m.member
WHERE console.rolname = 'signum_console' AND taken.rolname = ANY (%(names)s);


-- name: join_console_to_roles
-- It does not inherit them: outside of these transactions it can neither read the queue nor act.
ALTER ROLE signum_console NOINHERIT;
GRANT signum_operator, signum_reader TO signum_console;


-- name: signum_notifier
-- Pushes: claims and finishes what others have marked, and writes history, which it may forget but not change. The
-- view is for its health check. Of acts it may only forget old ones. It counts the progress of the relabelling, by desk:
-- so it sees which clients are print stations. It removes items that Sierra deleted long ago.
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM signum_notifier;
GRANT SELECT ON alembic_version, notifier_overview, queue_control TO signum_notifier;
GRANT SELECT, DELETE ON sierra_item TO signum_notifier;
GRANT
    SELECT,
    INSERT (item_record_id, queued_by, priority, due_at, unanswered_at, pushed_revision, revert_of),
    DELETE,
    UPDATE (
        claimed_by, lease_until, attempts, due_at, last_error, reason_code, priority, trace, unanswered_at, pushed_revision,
        pushed_call_number
    )
ON update_queue TO signum_notifier;
GRANT SELECT, INSERT, DELETE ON update_log TO signum_notifier;
GRANT SELECT, INSERT, UPDATE, DELETE ON notifier_state TO signum_notifier;
GRANT SELECT (act_id, acted_at), DELETE ON act TO signum_notifier;
GRANT SELECT (client_name, client_type) ON client TO signum_notifier;
GRANT SELECT, INSERT, DELETE ON progress_count TO signum_notifier;
GRANT SELECT, INSERT, UPDATE ON progress_day TO signum_notifier;


-- name: signum_operator
-- A person or script that acts: all that docs/operations.md does. It sees what a reader sees. History it may only add
-- to, and no call numbers: a revert writes to Sierra what stands there. So it is with acts: their times and roles are the
-- server's.
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM signum_operator;
GRANT SELECT ON
    act, alembic_version, notifier_state, progress_count, progress_day, update_log
TO signum_operator;
GRANT INSERT (person, through, os_user, action, target, reason, number, result) ON act TO signum_operator;
GRANT SELECT ON
    client_overview, not_shown, notifier_overview, progress_overview, queue_detail, queue_overview, queue_progress,
    reason_overview, shared_barcode, sync_overview, unreadable_barcode, update_history
TO signum_operator;
GRANT
    SELECT (
        client_id, client_name, client_type, api_key_prefix, created_at, revoked_at, internal_hostname,
        internal_ip_address, last_seen_at
    ),
    INSERT,
    UPDATE
ON client TO signum_operator;
GRANT SELECT, DELETE ON rejected_row TO signum_operator;
GRANT SELECT, DELETE, UPDATE (deleted_on) ON sierra_item TO signum_operator;
GRANT SELECT, INSERT, UPDATE, DELETE ON update_queue TO signum_operator;
GRANT
    INSERT (
        item_record_id, item_number, barcode, title, queued_at, queued_by, finished_by, outcome, attempts, error,
        request_id, revert_of, reason_code
    )
ON update_log TO signum_operator;
GRANT SELECT, UPDATE ON queue_control TO signum_operator;
GRANT SELECT, UPDATE (full_sync_requested_at) ON sync_state TO signum_operator;
GRANT SELECT (person_name) ON person TO signum_operator;


-- name: signum_reader
-- A person who looks: everything but the hashes of the keys.
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM signum_reader;
GRANT SELECT ON
    act, alembic_version, notifier_state, progress_count, progress_day, queue_control, rejected_row, sierra_item,
    sync_state, update_log, update_queue
TO signum_reader;
GRANT SELECT ON
    client_overview, not_shown, notifier_overview, progress_overview, queue_detail, queue_overview, queue_progress,
    reason_overview, shared_barcode, sync_overview, unreadable_barcode, update_history
TO signum_reader;
GRANT SELECT (
    client_id, client_name, client_type, api_key_prefix, created_at, revoked_at, internal_hostname, internal_ip_address,
    last_seen_at
) ON client TO signum_reader;
