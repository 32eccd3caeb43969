-- The console's transactions. Each begins with one of these statements, as a role that may do no more than it needs.
--
-- The roles are taken where the session's own is signum_console, or a login that inherits from it. With one role for
-- everything there are none to take. The limits and the role end with the transaction.


-- name: begin_reading
-- A page: it reads as signum_reader does, and can't write.
SELECT
    set_config('transaction_read_only', 'on', true),
    set_config('statement_timeout', %(milliseconds)s, true),
    CASE
        WHEN pg_has_role(session_user, to_regrole('signum_console'), 'USAGE') AND current_setting('is_superuser') = 'off'
        THEN set_config('role', 'signum_reader', true)
    END;


-- name: begin_acting
-- An act on queue, clients or sync: what signum_operator may.
SELECT
    set_config('statement_timeout', %(milliseconds)s, true),
    CASE
        WHEN pg_has_role(session_user, to_regrole('signum_console'), 'USAGE') AND current_setting('is_superuser') = 'off'
        THEN set_config('role', 'signum_operator', true)
    END;


-- name: begin_administering
-- An act on persons and their sessions, which are the console's own.
SELECT set_config('statement_timeout', %(milliseconds)s, true);
