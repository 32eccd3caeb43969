-- How the notifiers are.


-- name: find_pulse
-- A notifier's name begins with its host's. Of several there, one in trouble is told first. Where the pause is over and
-- nothing is claimed there is nothing to ask Sierra for: then the last answer may be long ago, and all is well.
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
