-- Commits that a failover must not lose.


-- name: commit_durably
-- At least the disk, and the synchronous standby's if the server names one. `remote_apply` is more, and stays.
SELECT set_config('synchronous_commit', 'on', false)
WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply');


-- name: is_waiting
-- Whether the session waits for a synchronous standby. It has committed then, and other sessions don't see it yet.
SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = %(pid)s AND wait_event = 'SyncRep');
