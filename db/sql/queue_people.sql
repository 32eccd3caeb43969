-- The queue as a whole: is it paused, and who pushes?


-- name: pause
-- From now on nothing is claimed, until a time, for some seconds, or until a person says so. It takes the place of a
-- pause that is in force. No row: that time has passed.
UPDATE queue_control
SET paused_at = now(),
    paused_by = %(person)s,
    reason = %(reason)s,
    resume_at = coalesce(%(until)s::timestamptz, now() + %(seconds)s * interval '1 second')
WHERE %(until)s::timestamptz IS NULL OR %(until)s::timestamptz > now()
RETURNING paused_at, paused_by, reason, resume_at;


-- name: resume
-- The end of the pause that is in force, with who had paused, why and since when. No row: there is none.
WITH pause AS (
    SELECT id, paused_at, paused_by, reason, resume_at
    FROM queue_control
    WHERE paused_at IS NOT NULL AND (resume_at IS NULL OR resume_at > now())
    FOR UPDATE
)
UPDATE queue_control c
SET paused_at = NULL, paused_by = NULL, reason = NULL, resume_at = NULL
FROM pause p
WHERE c.id = p.id
RETURNING p.paused_at, p.paused_by, p.reason, p.resume_at;


-- name: progress
-- The pause that is in force, else NULL, and for how long the oldest item that nobody pushes could have been claimed.
SELECT
    paused_at, paused_by, pause_reason, resume_at, extract(epoch FROM oldest_due_age)::float8 AS oldest_due_seconds
FROM queue_progress;


-- name: notifiers
-- Those that have not stopped, as they last said.
SELECT
    notifier, state, mode, breaker, reason, waits_for,
    extract(epoch FROM seen_ago)::float8 AS seen_seconds,
    extract(epoch FROM looped_ago)::float8 AS looped_seconds,
    extract(epoch FROM last_success_ago)::float8 AS last_success_seconds
FROM notifier_overview
WHERE state <> 'stopped'
ORDER BY seen_ago;
