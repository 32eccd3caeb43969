-- The people of the console, and their sessions. Of key and cookie only the SHA-256 is here.


-- name: find_by_session
-- The person who is signed in. A session ends after 12 h unused, and 7 days after its begin. `is_old` says that used_at
-- should be written: once a minute is enough.
SELECT p.person_id, p.person_name, p.role, p.language, s.used_at < now() - interval '1 minute' AS is_old
FROM console_session s
JOIN person p USING (person_id)
WHERE s.session_sha256 = %(session_sha256)s
    AND s.used_at > now() - interval '12 hours'
    AND s.created_at > now() - interval '7 days'
    AND p.revoked_at IS NULL;


-- name: find_by_name
-- The person that the proxy in front has signed in.
SELECT person_id, person_name, role, language, coalesce(last_seen_at < now() - interval '1 minute', true) AS is_old
FROM person
WHERE person_name = %(name)s AND revoked_at IS NULL;


-- name: sign_in
-- Begins a session of the person with this key: no row if there is none. Sessions that are over go meanwhile.
WITH known AS (
    UPDATE person SET last_seen_at = now()
    WHERE key_sha256 = %(key_sha256)s AND revoked_at IS NULL
    RETURNING person_id, person_name
),
gone AS (
    DELETE FROM console_session
    WHERE used_at < now() - interval '12 hours' OR created_at < now() - interval '7 days'
),
begun AS (
    INSERT INTO console_session (session_sha256, person_id)
    SELECT %(session_sha256)s, person_id FROM known
)
SELECT person_name FROM known;


-- name: see
-- Notes that the person is here, and so does the session if there is one.
WITH used AS (
    UPDATE console_session SET used_at = now() WHERE session_sha256 = %(session_sha256)s
)
UPDATE person SET last_seen_at = now() WHERE person_id = %(person_id)s;


-- name: sign_out
-- Ends the session.
DELETE FROM console_session WHERE session_sha256 = %(session_sha256)s;


-- name: choose_language
-- The language of the person's pages from now on.
UPDATE person SET language = %(language)s WHERE person_id = %(person_id)s;


-- name: add
-- A name that was revoked can be given again, with a new role and key. One that is in use is left alone, and so is a
-- client's, revoked or not: history has both in one column.
INSERT INTO person AS known (person_name, role, key_sha256)
SELECT %(name)s, %(role)s, %(key_sha256)s
WHERE NOT EXISTS (SELECT FROM client WHERE client_name = %(name)s)
ON CONFLICT (person_name) DO UPDATE
SET role = excluded.role, key_sha256 = excluded.key_sha256, created_at = now(), revoked_at = NULL, last_seen_at = NULL
WHERE known.revoked_at IS NOT NULL
RETURNING role;


-- name: rotate
-- The old key opens no new session, and the sessions that it opened end. A revoked person stays revoked: no row.
WITH known AS (
    UPDATE person SET key_sha256 = %(key_sha256)s
    WHERE person_name = %(name)s AND revoked_at IS NULL
    RETURNING person_id, role
),
ended AS (
    DELETE FROM console_session USING known WHERE console_session.person_id = known.person_id
)
SELECT role FROM known;


-- name: revoke
-- The row stays: acts and history have the name. Revoking twice keeps the first time.
WITH known AS (
    UPDATE person SET revoked_at = coalesce(revoked_at, now()) WHERE person_name = %(name)s
    RETURNING person_id, revoked_at
),
ended AS (
    DELETE FROM console_session USING known WHERE console_session.person_id = known.person_id
)
SELECT revoked_at FROM known;


-- name: overview
-- The persons, and when each was last here.
SELECT
    person_name AS name,
    role,
    CASE WHEN revoked_at IS NULL THEN 'valid' ELSE 'revoked' END AS state,
    key_sha256 IS NOT NULL AS has_key,
    last_seen_at,
    created_at,
    revoked_at
FROM person
ORDER BY person_name;
