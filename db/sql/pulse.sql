-- How the notifiers are.


-- name: find_pulse
-- A notifier's name begins with its host's. Of several there, one that has stalled is told first.
SELECT
    notifier, state, mode, breaker, reason, waits_for,
    extract(epoch FROM looped_ago)::float8 AS looped_seconds,
    extract(epoch FROM oldest_due_age)::float8 AS oldest_due_seconds
FROM notifier_overview
WHERE starts_with(notifier, %(host)s || ':') AND state NOT IN ('stopped', 'gone')
ORDER BY state = 'stalled' DESC, seen_ago
LIMIT 1;
