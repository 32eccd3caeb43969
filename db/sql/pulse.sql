-- Whether notifiers go round.


-- name: find_pulse
-- A notifier's name begins with its host's; it says every 5 s how it is.
SELECT notifier, mode, breaker, reason
FROM notifier_state
WHERE starts_with(notifier, %(host)s || ':') AND mode <> 'stopped' AND seen_at > now() - interval '30 seconds'
ORDER BY seen_at DESC
LIMIT 1;
