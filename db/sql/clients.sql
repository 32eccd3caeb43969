-- Clients, as a person manages them. A request's key is checked in the statement that answers the request.
-- A key is never stored, only its SHA-256.


-- name: add
-- A name that was revoked can be given again: it is a new client then. One that is in use is left alone: no
-- row. So is a person's, let in or not: history has both in one column.
-- `excluded.api_key_sha256` would need the right to read the hashes, which an operator hasn't got.
INSERT INTO client AS known (client_name, client_type, api_key_sha256, api_key_prefix)
SELECT %(name)s, %(type)s, %(api_key_sha256)s, %(api_key_prefix)s
WHERE NOT EXISTS (SELECT FROM person WHERE person_name = %(name)s)
ON CONFLICT (client_name) DO UPDATE
SET client_type = excluded.client_type,
    api_key_sha256 = %(api_key_sha256)s,
    api_key_prefix = excluded.api_key_prefix,
    created_at = now(),
    revoked_at = NULL,
    internal_hostname = NULL,
    internal_ip_address = NULL,
    last_seen_at = NULL
WHERE known.revoked_at IS NOT NULL
RETURNING client_type;


-- name: rotate
-- The old key is refused from the commit on. A revoked client stays revoked: no row.
UPDATE client
SET api_key_sha256 = %(api_key_sha256)s, api_key_prefix = %(api_key_prefix)s
WHERE client_name = %(name)s AND revoked_at IS NULL
RETURNING client_type;


-- name: revoke
-- The row stays: history names the client. Revoking twice keeps the first time.
UPDATE client SET revoked_at = coalesce(revoked_at, now()) WHERE client_name = %(name)s RETURNING revoked_at;


-- name: overview
-- The clients, and when each was last seen.
SELECT
    client_name AS name, client_type AS type, state, api_key_prefix, internal_hostname, internal_ip_address,
    extract(epoch FROM last_seen_ago)::float8 AS last_seen_seconds, last_seen_at, created_at, revoked_at
FROM client_overview
ORDER BY client_name;
