-- The connection by which a console hears that its pages have something new to show.


-- name: begin
-- As a reader: see console.sql. It stays so until the connection ends.
SELECT CASE
    WHEN pg_has_role(session_user, to_regrole('signum_console'), 'USAGE') AND current_setting('is_superuser') = 'off'
    THEN set_config('role', 'signum_reader', false)
END;


-- name: listen
-- A mark rings, as it does at the notifier.
LISTEN update_queue;


-- name: newest
-- What has been pushed, rejected or dismissed adds to history, and rings nothing.
SELECT max(update_log_id) FROM update_log;
