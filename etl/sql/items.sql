-- Statements that turn a chunk of item keys into rows. Each asks one view by keys, so that its plan is an index plan
-- whatever the statistics say; what they found is joined by etl/items.py. No table of patrons is read.

-- name: clock
-- On a standby the data is as old as the last transaction that it replayed; NULL: none yet.
SELECT now(), current_date, pg_is_in_recovery(), pg_last_xact_replay_timestamp();

-- name: item_types
-- A code may come twice; the least name is taken, so that it makes no second row and is the same each time.
SELECT code, min(name) FROM sierra_view.itype_property_myuser GROUP BY code;

-- name: materials
SELECT code, min(name) FROM sierra_view.material_property_myuser GROUP BY code;

-- name: locations
SELECT code, min(name) FROM sierra_view.location_myuser GROUP BY code;

-- name: keys_after
-- The primary key's order; below the limit, so that the look behind the last own item ends at once.
SELECT id FROM sierra_view.record_metadata
WHERE id > %(after)s::bigint AND id < %(below)s::bigint
    AND record_type_code = 'i' AND campus_code = %(campus)s AND deletion_date_gmt IS NULL
ORDER BY id LIMIT %(most)s::integer;

-- name: living
-- Those of the keys that are living items of the campus. Stamps that Python can't hold, such as infinity, are none.
SELECT id, record_num,
    CASE WHEN record_last_updated_gmt BETWEEN '0001-01-02 +00' AND '9999-12-31 +00' THEN record_last_updated_gmt END
FROM sierra_view.record_metadata
WHERE id = ANY(%(keys)s::bigint[])
    AND record_type_code = 'i' AND campus_code = %(campus)s AND deletion_date_gmt IS NULL;

-- name: items
SELECT record_id, itype_code_num, location_code FROM sierra_view.item_record
WHERE record_id = ANY(%(keys)s::bigint[]);

-- name: barcodes
SELECT item_record_id, barcode FROM sierra_view.item_record_property WHERE item_record_id = ANY(%(keys)s::bigint[]);

-- name: links
-- Of several bibs the highest is sent.
SELECT item_record_id, max(bib_record_id) FROM sierra_view.bib_record_item_record_link
WHERE item_record_id = ANY(%(keys)s::bigint[]) GROUP BY item_record_id;

-- name: bib_numbers
SELECT id, record_num FROM sierra_view.record_metadata WHERE id = ANY(%(bibs)s::bigint[]);

-- name: bibs
SELECT bib_record_id, best_author, best_title, material_code FROM sierra_view.bib_record_property
WHERE bib_record_id = ANY(%(bibs)s::bigint[]);

-- name: classes
-- The greatest text of every subfield of every 097, by the database's collation, as the deployed ETL has it.
SELECT record_id, max(content), max(content) <> min(content) FROM sierra_view.subfield
WHERE record_id = ANY(%(bibs)s::bigint[]) AND marc_tag = '097' GROUP BY record_id;

-- name: headings
-- The order is part of what is sent: the backend compares bytes. Equal ones keep it by their text.
SELECT record_id, marc_tag, marc_ind1, marc_ind2, field_type_code, tag, content
FROM sierra_view.subfield
WHERE record_id = ANY(%(bibs)s::bigint[]) AND marc_tag = ANY(ARRAY['100', '110', '111', '130', '245'])
ORDER BY record_id, marc_tag, occ_num, varfield_id, display_order, tag, content;

-- name: call_numbers
-- The item's own 099 $a; the first field's.
SELECT record_id, varfield_id, content FROM sierra_view.subfield
WHERE record_id = ANY(%(keys)s::bigint[]) AND marc_tag = '099' AND field_type_code = 'c' AND tag = 'a'
ORDER BY record_id, occ_num, varfield_id, display_order;
