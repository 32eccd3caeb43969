-- Statements of `signum etl doctor`: what a site's SierraDNA is like. All read only, and known to PostgreSQL 9.4.

-- name: server
SELECT current_setting('server_version'), pg_is_in_recovery(), current_setting('TimeZone'),
    (SELECT datcollate FROM pg_database WHERE datname = current_database()),
    now(), pg_last_xact_replay_timestamp(), pg_encoding_to_char(encoding)
FROM pg_database WHERE datname = current_database();

-- name: limits
SELECT current_setting('statement_timeout'), rolconnlimit,
    (SELECT count(*) FROM pg_stat_activity WHERE usename = current_user)
FROM pg_roles WHERE rolname = current_user;

-- name: rights
-- NULL: there is no such view.
SELECT wanted.name, has_table_privilege(view.oid, 'SELECT')
FROM unnest(%(views)s::text[]) AS wanted(name)
LEFT JOIN pg_class AS view ON view.relname = wanted.name AND view.relnamespace = (
    SELECT oid FROM pg_namespace WHERE nspname = 'sierra_view'
);

-- name: indexes
-- Definitions are visible although the tables are not.
SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'iiirecord';

-- name: estimates
SELECT relname, reltuples::bigint FROM pg_class
WHERE relkind = 'r' AND relname = ANY(%(views)s::text[])
    AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'iiirecord');

-- name: campuses
SELECT campus_code, count(*) FROM sierra_view.record_metadata
WHERE record_type_code = 'i' AND deletion_date_gmt IS NULL GROUP BY campus_code ORDER BY 2 DESC;

-- name: doubled_names
SELECT code::text FROM sierra_view.itype_property_myuser GROUP BY code HAVING count(*) > 1
UNION ALL
SELECT code::text FROM sierra_view.material_property_myuser GROUP BY code HAVING count(*) > 1;

-- name: ambiguous_classes
SELECT record_num, min(content), max(content) FROM sierra_view.subfield
JOIN sierra_view.record_metadata ON record_metadata.id = record_id
WHERE record_id = ANY(%(bibs)s::bigint[]) AND marc_tag = '097'
GROUP BY record_num HAVING min(content) <> max(content) ORDER BY record_num LIMIT 10;

-- name: explain_changed
EXPLAIN SELECT id FROM sierra_view.record_metadata
WHERE record_last_updated_gmt >= %(since)s::timestamptz AND record_type_code IN ('b', 'i');

-- name: explain_deleted
EXPLAIN SELECT id, deletion_date_gmt FROM sierra_view.record_metadata
WHERE deletion_date_gmt >= %(since)s::date AND record_type_code = 'i' AND campus_code = %(campus)s
ORDER BY id;
