-- The notifiers' heartbeats.


-- name: heartbeat
-- The state of this notifier, and when its loop last came round.
INSERT INTO notifier_state AS n (notifier, mode, breaker, reason, waits_for, last_success_at, looped_at)
VALUES (
    %(notifier)s, %(mode)s, %(breaker)s, %(reason)s, %(waits_for)s, CASE WHEN %(succeeded)s THEN now() END,
    now() - %(looped_seconds_ago)s * interval '1 second'
)
ON CONFLICT (notifier) DO UPDATE
SET seen_at = now(),
    mode = excluded.mode,
    breaker = excluded.breaker,
    reason = excluded.reason,
    waits_for = excluded.waits_for,
    last_success_at = coalesce(excluded.last_success_at, n.last_success_at),
    looped_at = excluded.looped_at;


-- name: find
-- A notifier's name begins with its host's. Of several on the host, one in trouble comes first. Where the pause is
-- over and nothing is claimed there is nothing to ask Sierra for: then the last answer may be long ago, and all is
-- well.
SELECT
    notifier, state, mode, breaker, reason, waits_for,
    extract(epoch FROM looped_ago)::float8 AS looped_seconds,
    extract(epoch FROM oldest_due_age)::float8 AS oldest_due_seconds,
    state = 'waiting for Sierra'
        AND waits_for IS NOT DISTINCT FROM 'answer'
        AND coalesce(last_success_ago, now() - started_at) > interval '2 minutes'
        AND (
            breaker = 'open'
            OR EXISTS (SELECT FROM update_queue q WHERE q.claimed_by = n.notifier AND q.lease_until > now())
        ) AS gets_no_answer
FROM notifier_overview n
WHERE starts_with(notifier, %(host)s || ':') AND state NOT IN ('stopped', 'gone')
ORDER BY state = 'stalled' DESC, gets_no_answer DESC, seen_ago
LIMIT 1;


-- name: list
-- The notifiers that have not stopped, with their last heartbeat.
SELECT
    notifier, state, mode, breaker, reason, waits_for,
    extract(epoch FROM seen_ago)::float8 AS seen_seconds,
    extract(epoch FROM looped_ago)::float8 AS looped_seconds,
    extract(epoch FROM last_success_ago)::float8 AS last_success_seconds
FROM notifier_overview
WHERE state <> 'stopped'
ORDER BY seen_ago;


-- name: forget
-- Delete the notifiers that have not been seen for a day.
DELETE FROM notifier_state WHERE seen_at < now() - interval '1 day';
