-- Statements that find what changed or was deleted. Stamps are compared as bare columns: an expression around them would
-- keep PostgreSQL from using an index on them, where a site has one.

-- name: changed
-- Items and bibs in one look: where the stamp has no index it reads the whole table, and once is enough.
SELECT id FROM sierra_view.record_metadata
WHERE record_last_updated_gmt >= %(since)s::timestamptz AND record_type_code IN ('b', 'i');

-- name: items_of_bibs
SELECT item_record_id FROM sierra_view.bib_record_item_record_link WHERE bib_record_id = ANY(%(bibs)s::bigint[]);

-- name: deleted
-- A deletion moves no stamp; its day is one of SierraDNA's own calendar, and never later than Python can hold.
SELECT id, least(deletion_date_gmt, '9999-12-31') FROM sierra_view.record_metadata
WHERE deletion_date_gmt >= %(since)s::date AND record_type_code = 'i' AND campus_code = %(campus)s
ORDER BY id;
