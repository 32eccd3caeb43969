-- Commits that a failover must not lose.


-- name: commit_durably
-- At least the disk, and the synchronous standby's if the server names one. `remote_apply` is more, and stays. Set where
-- it is so already, too: else the session would follow the server's setting if that became less. A commit that no standby
-- has confirmed is told by a warning alone, which a client_min_messages above that would keep from us.
SELECT
    set_config(
        'synchronous_commit',
        CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END,
        false
    ),
    set_config('client_min_messages', 'warning', false);


-- name: is_waiting
-- Whether the session waits for a synchronous standby: it has committed then, and other sessions don't see it yet. No row:
-- it is a session of another server. Behind a pooler, which tells a client pids of its own, none can be found: false.
SELECT coalesce(wait_event = 'SyncRep', false) FROM pg_stat_activity WHERE pid = %(pid)s AND usename = current_user
UNION ALL
SELECT false WHERE pg_backend_pid() <> %(own_pid)s;
