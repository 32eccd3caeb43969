-- One batch of the ETL, in the order of its life.
--
-- One batch at a time holds the advisory lock 1398361667 ("SYNC" in ASCII) until its transaction ends, and a lock on
-- sync_state. The first is what the view shows and what the previous release takes, but any role may hold it; the second
-- takes the right to update the table. So a session without that right is never taken for a batch. The queue is never
-- touched, so no batch notifies, and no mark waits for one.


-- name: take_lock
-- Become the one batch. Never waits: the second one gets false.
SELECT pg_try_advisory_xact_lock(1398361667) OR NOT EXISTS (
    SELECT
    FROM pg_locks l
    JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE l.locktype = 'advisory'
        AND l.granted
        AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
        AND (l.classid, l.objid, l.objsubid) = (0, 1398361667, 1)
        AND has_table_privilege(a.usesysid, 'sync_state', 'UPDATE')
) AS taken;


-- name: take_table
-- The lock that counts. Others read and update the table meanwhile. Only where a session without rights holds the first
-- one can two batches meet here; and a vacuum, which gives way after a second.
SET LOCAL lock_timeout = '2s';
LOCK TABLE sync_state IN SHARE UPDATE EXCLUSIVE MODE;
SET LOCAL lock_timeout = DEFAULT;


-- name: read_position
-- The state of the sync and what the last GET /sync handed out (before the first: what it would have). The row's lock
-- waits for a GET under way, which does not know of us yet; the caller gives it back at once, and later ones see us.
SELECT
    sync_mode,
    last_synced_id,
    sync_changes_since,
    gap_from,
    gap_until,
    full_sync_items,
    early_ends,
    all_changes_until,
    deletions_since,
    passed_at,
    coalesce(offered_mode, sync_mode) AS offered_mode,
    coalesce(offered_batch_size, %(batch_size)s) AS offered_batch_size,
    coalesce(offered_last_synced_id, last_synced_id) AS offered_last_synced_id,
    coalesce(offered_timestamp, sync_changes_since) AS offered_timestamp
FROM sync_state
FOR UPDATE;


-- name: read_clock
-- The time by which a batch's own is judged.
SELECT clock_timestamp();


-- name: notice_our_end
-- The process that takes the batch in is killed when its time is up. PostgreSQL must not finish the statement then, with
-- the lock held. It notices by the socket, everywhere but on Windows.
SELECT set_config('client_connection_check_interval', '1s', true) WHERE version() !~* 'visual c|msvc|mingw';


-- name: create_batch
-- The batch as received, good rows and refused ones: counting, choosing and keeping aside are then one statement each.
-- The four columns behind shelfmark_json are NULL where the file lacks the column, and empty where the item has none.
CREATE TEMPORARY TABLE batch (
    line_number bigint NOT NULL,
    item_record_id bigint,
    item_number text,
    barcode text,
    bib_record_id bigint,
    bib_number text,
    best_author text,
    best_title text,
    itype_code_num integer,
    item_type_name text,
    material_code text,
    material_name text,
    classification text,
    shelfmark_json text,
    item_call_number text,
    item_updated_at text,
    location_code text,
    location_name text,
    deleted_on date,
    is_relabelled boolean,
    reason_code text,
    reason text,
    line text
) ON COMMIT DROP;


-- name: index_batch
-- Made before the rows, for while they come PostgreSQL has the time. Without it a statement that begins with the items
-- whose deletion PostgreSQL has no statistics of yet (some per cent of them, after a person allowed that) reads the whole
-- batch for each of them.
CREATE INDEX ON batch (item_record_id);


-- name: create_noted_bibs
-- The bibs of each item that has several; empty unless the batch notes them.
CREATE TEMPORARY TABLE noted_bibs (item_record_id bigint NOT NULL, bib_record_ids bigint[] NOT NULL) ON COMMIT DROP;


-- name: copy_batch
-- Fill it. The order of the columns is that of api.ingest.rows: line number, Item, Refusal.
COPY batch (
    line_number, item_record_id, item_number, barcode, bib_record_id, bib_number, best_author, best_title,
    itype_code_num, item_type_name, material_code, material_name, classification, shelfmark_json,
    item_call_number, item_updated_at, location_code, location_name, deleted_on, is_relabelled,
    reason_code, reason, line
) FROM STDIN;


-- name: analyze_batch
-- Autovacuum does not analyze temporary tables, and without statistics the joins below are planned for a handful of
-- rows. Of 3,000 rows, not 30,000: they are all counts of one kind, and the joins are bounded by a part's ids.
SET LOCAL default_statistics_target = 10;
ANALYZE batch (item_record_id, bib_record_id, line_number, reason_code, deleted_on);
SET LOCAL default_statistics_target = DEFAULT;


-- name: count_received
-- Items received, refused ones included; a row whose id can't be read is an item of its own.
SELECT
    count(DISTINCT item_record_id) + count(*) FILTER (WHERE item_record_id IS NULL) AS items,
    min(item_record_id) AS lowest_id,
    max(item_record_id) AS highest_id,
    count(*) AS rows,
    count(reason_code) AS rejected,
    count(deleted_on) AS deletions
FROM batch;


-- name: count_items
-- The number of living items. Asked once in a full sync, at its end, and where many are deleted: a second for some
-- millions.
SELECT count(*) FROM sierra_item WHERE deleted_on IS NULL;


-- name: note_bibs
-- All rows of an item are in one batch of a full sync. A refused one counts: the item has that bib all the same. Grouped
-- once: a join with the items that have several costs twice as much.
INSERT INTO noted_bibs (item_record_id, bib_record_ids)
SELECT item_record_id, array_agg(DISTINCT bib_record_id ORDER BY bib_record_id)
FROM batch
WHERE bib_record_id IS NOT NULL
GROUP BY item_record_id
HAVING min(bib_record_id) < max(bib_record_id);


-- name: drop_further_rows
-- Of an item's several rows the one with the highest bib_record_id stays; of equal ones the last. A deletion comes after
-- all others. A window, not a join: a batch may repeat one item in every row.
DELETE FROM batch b
USING (
    SELECT
        line_number,
        row_number() OVER (
            PARTITION BY item_record_id
            ORDER BY deleted_on IS NOT NULL, bib_record_id DESC NULLS LAST, line_number DESC
        ) AS place
    FROM batch
    WHERE reason_code IS NULL
) AS ranked
WHERE ranked.line_number = b.line_number AND ranked.place > 1;


-- name: find_parts
-- The batch is stored in parts, in the order of ids, each with some MiB of subfields. The two statements of a part have
-- both ends of its range on both sides of their join: so PostgreSQL walks down two indexes, sorts no wide rows, and reads
-- no more of the catalogue than that range, however many items it has. The highest id of each part.
SELECT max(measured.item_record_id) AS last_id
FROM (
    SELECT
        item_record_id,
        sum(coalesce(octet_length(shelfmark_json), 0)) OVER (ORDER BY item_record_id) / %(part_bytes)s AS part
    FROM batch
    WHERE reason_code IS NULL
) AS measured
GROUP BY measured.part
ORDER BY last_id;


-- name: read_new_subfields
-- The subfields that are not what is stored, byte for byte: of the others the shelfmark is known. (So a release that
-- makes shelfmarks otherwise has to forget sierra_item.shelfmark_json, by its migration: '' is what no batch brings.)
SELECT b.item_record_id, b.shelfmark_json
FROM batch b
LEFT JOIN sierra_item s
    ON s.item_record_id = b.item_record_id AND s.item_record_id BETWEEN %(first_id)s AND %(last_id)s
WHERE b.item_record_id BETWEEN %(first_id)s AND %(last_id)s
    AND b.reason_code IS NULL
    AND b.deleted_on IS NULL
    AND (s.item_record_id IS NULL OR s.shelfmark_json IS DISTINCT FROM b.shelfmark_json);


-- name: merge_part
-- Store what is new or changed of a part, with the shelfmarks that were made. An unchanged row is not even locked: hence
-- the join, and not ON CONFLICT alone, which repeats the condition for a row that another session has written since. A
-- strictly older batch overwrites nothing. item_record_id is not SET: with it the update would take a lock that the marks
-- of the queue wait for.
--
-- The deployed ETL's changes bring the highest bib of those that were edited. Where that is not the highest of all, its
-- class must not get onto the label: a row of a lower bib of those noted changes nothing.
--
-- What the file has no column for stays. item_updated_at alone is no change: each loan moves it. Whether an item is
-- relabelled is not known any more where its class is another one, and the file does not say its call number.
INSERT INTO sierra_item AS stored (
    item_record_id, item_number, barcode, bib_record_id, bib_number, best_author, best_title, itype_code_num,
    item_type_name, material_code, material_name, classification, shelfmark_json, shelfmark, updated_at, bib_record_ids,
    item_call_number, item_updated_at, location_code, location_name, is_relabelled
)
SELECT
    b.item_record_id, b.item_number, b.barcode, b.bib_record_id, b.bib_number, b.best_author, b.best_title,
    b.itype_code_num, b.item_type_name, b.material_code, b.material_name, b.classification, b.shelfmark_json,
    coalesce(n.shelfmark, s.shelfmark), %(timestamp)s, known.bib_record_ids,
    known.item_call_number, known.item_updated_at, known.location_code, known.location_name, known.is_relabelled
FROM batch b
LEFT JOIN sierra_item s
    ON s.item_record_id = b.item_record_id AND s.item_record_id BETWEEN %(first_id)s AND %(last_id)s
LEFT JOIN unnest(%(item_record_ids)s::bigint[], %(shelfmarks)s::text[]) AS n (item_record_id, shelfmark)
    ON n.item_record_id = b.item_record_id
LEFT JOIN noted_bibs m ON m.item_record_id = b.item_record_id
CROSS JOIN LATERAL (
    SELECT
        CASE %(bibs)s::text WHEN 'note' THEN m.bib_record_ids WHEN 'heed' THEN s.bib_record_ids END AS bib_record_ids,
        CASE WHEN b.item_call_number IS NULL THEN s.item_call_number ELSE nullif(b.item_call_number, '') END
            AS item_call_number,
        CASE WHEN b.item_updated_at IS NULL THEN s.item_updated_at ELSE nullif(b.item_updated_at, '')::timestamptz END
            AS item_updated_at,
        CASE WHEN b.location_code IS NULL THEN s.location_code ELSE nullif(b.location_code, '') END AS location_code,
        CASE WHEN b.location_name IS NULL THEN s.location_name ELSE nullif(b.location_name, '') END AS location_name,
        CASE
            WHEN b.item_call_number IS NOT NULL THEN b.is_relabelled
            WHEN b.classification IS NOT DISTINCT FROM s.classification THEN s.is_relabelled
        END AS is_relabelled
) AS known
WHERE b.item_record_id BETWEEN %(first_id)s AND %(last_id)s
    AND b.reason_code IS NULL
    AND b.deleted_on IS NULL
    AND (
        s.item_record_id IS NULL
        OR s.updated_at <= %(timestamp)s
        AND (
            b.bib_record_id < s.bib_record_id
            AND ARRAY[b.bib_record_id, s.bib_record_id] <@ known.bib_record_ids
        ) IS NOT TRUE
        AND (
            s.item_number, s.barcode, s.bib_record_id, s.bib_number, s.best_author, s.best_title, s.itype_code_num,
            s.item_type_name, s.material_code, s.material_name, s.classification, s.shelfmark_json, s.bib_record_ids,
            s.item_call_number, s.location_code, s.location_name, s.is_relabelled
        ) IS DISTINCT FROM (
            b.item_number, b.barcode, b.bib_record_id, b.bib_number, b.best_author, b.best_title, b.itype_code_num,
            b.item_type_name, b.material_code, b.material_name, b.classification, b.shelfmark_json, known.bib_record_ids,
            known.item_call_number, known.location_code, known.location_name, known.is_relabelled
        )
    )
ORDER BY b.item_record_id
ON CONFLICT (item_record_id) DO UPDATE SET
    item_number = excluded.item_number,
    barcode = excluded.barcode,
    bib_record_id = excluded.bib_record_id,
    bib_number = excluded.bib_number,
    best_author = excluded.best_author,
    best_title = excluded.best_title,
    itype_code_num = excluded.itype_code_num,
    item_type_name = excluded.item_type_name,
    material_code = excluded.material_code,
    material_name = excluded.material_name,
    classification = excluded.classification,
    shelfmark_json = excluded.shelfmark_json,
    shelfmark = excluded.shelfmark,
    updated_at = excluded.updated_at,
    bib_record_ids = excluded.bib_record_ids,
    item_call_number = excluded.item_call_number,
    item_updated_at = excluded.item_updated_at,
    location_code = excluded.location_code,
    location_name = excluded.location_name,
    is_relabelled = excluded.is_relabelled,
    deleted_on = NULL,
    deletion_held_on = NULL
WHERE stored.updated_at <= excluded.updated_at
    AND (
        excluded.bib_record_id < stored.bib_record_id
        AND ARRAY[excluded.bib_record_id, stored.bib_record_id] <@ excluded.bib_record_ids
    ) IS NOT TRUE
    AND (
        stored.item_number, stored.barcode, stored.bib_record_id, stored.bib_number, stored.best_author,
        stored.best_title, stored.itype_code_num, stored.item_type_name, stored.material_code, stored.material_name,
        stored.classification, stored.shelfmark_json, stored.bib_record_ids, stored.item_call_number,
        stored.location_code, stored.location_name, stored.is_relabelled
    ) IS DISTINCT FROM (
        excluded.item_number, excluded.barcode, excluded.bib_record_id, excluded.bib_number, excluded.best_author,
        excluded.best_title, excluded.itype_code_num, excluded.item_type_name, excluded.material_code,
        excluded.material_name, excluded.classification, excluded.shelfmark_json, excluded.bib_record_ids,
        excluded.item_call_number, excluded.location_code, excluded.location_name, excluded.is_relabelled
    );


-- name: revive
-- An item of which a row came lives, also if nothing else in it changed; merge_part has revived the others.
UPDATE sierra_item s SET deleted_on = NULL, deletion_held_on = NULL, updated_at = %(timestamp)s
FROM batch b
WHERE s.item_record_id = b.item_record_id
    AND b.reason_code IS NULL
    AND b.deleted_on IS NULL
    AND (s.deleted_on IS NOT NULL OR s.deletion_held_on IS NOT NULL)
    AND s.updated_at <= %(timestamp)s;


-- name: note_shown
-- Sierra shows what was pushed: of an item's pushes with the call number that the batch brings, the newest is told so,
-- once, whatever the clocks say. By the index on pushes, newest first: it reads no others.
UPDATE update_log l SET shown_at = clock_timestamp()
FROM batch b
CROSS JOIN LATERAL (
    SELECT p.update_log_id
    FROM update_log p
    WHERE p.item_record_id = b.item_record_id
        AND p.outcome = 'pushed'
        AND p.call_number_after = b.item_call_number
    ORDER BY p.update_log_id DESC
    LIMIT 1
) AS newest
WHERE b.reason_code IS NULL
    AND b.item_call_number <> ''
    AND l.update_log_id = newest.update_log_id
    AND l.shown_at IS NULL;


-- name: keep_noted_bibs
-- The note of an item that took no row of a full sync, for one was refused: changes heed the bibs that it has now all
-- the same. Of the other items merge_part has stored it.
UPDATE sierra_item s SET bib_record_ids = known.bib_record_ids
FROM (
    SELECT DISTINCT b.item_record_id, n.bib_record_ids
    FROM batch b
    LEFT JOIN noted_bibs n ON n.item_record_id = b.item_record_id
    WHERE b.reason_code IS NOT NULL
) AS known
WHERE s.item_record_id = known.item_record_id
    AND s.updated_at <= %(timestamp)s
    AND s.bib_record_ids IS DISTINCT FROM known.bib_record_ids;


-- name: forget_refused
-- What had been refused of an item is gone once the item is stored, unless a newer batch refused it. An item that did
-- not take the row, for it was of a lower bib, keeps it: the higher one's may be what was refused.
DELETE FROM rejected_row r
USING batch b
WHERE r.item_record_id = b.item_record_id
    AND b.reason_code IS NULL
    AND r.batch_timestamp <= %(timestamp)s
    AND EXISTS (
        SELECT
        FROM sierra_item s
        WHERE s.item_record_id = b.item_record_id AND s.bib_record_id IS NOT DISTINCT FROM b.bib_record_id
    );


-- name: keep_refused
-- Keep refused rows aside, one per item (or line, where its id can't be read) and kind of reason.
INSERT INTO rejected_row AS kept (row_key, reason_code, item_record_id, batch_timestamp, line, reason)
SELECT DISTINCT ON (refused.row_key, refused.reason_code)
    refused.row_key, refused.reason_code, refused.item_record_id, %(timestamp)s, refused.line, refused.reason
FROM (
    SELECT
        coalesce(b.item_record_id::text, encode(sha256(convert_to(b.line, 'UTF8')), 'hex')) AS row_key,
        b.reason_code, b.item_record_id, b.line, b.reason, b.line_number
    FROM batch b
    WHERE b.reason_code IS NOT NULL
) AS refused
ORDER BY refused.row_key, refused.reason_code, refused.line_number DESC
ON CONFLICT (row_key, reason_code) DO UPDATE SET
    batch_timestamp = excluded.batch_timestamp,
    line = excluded.line,
    reason = excluded.reason,
    last_at = excluded.last_at,
    times = kept.times + 1;


-- name: first_reasons
-- The first refused rows, for the answer.
SELECT line_number, item_record_id, reason FROM batch WHERE reason_code IS NOT NULL ORDER BY line_number LIMIT 10;


-- name: drop_batch
-- Needed only to take in several batches in one transaction: at its end the tables are gone by themselves.
DROP TABLE batch, noted_bibs;
DROP TABLE IF EXISTS new_deletion;


-- name: save_position
-- Store the new state of the sync. The last statement: a GET /sync meets the row's lock no longer than the commit takes.
UPDATE sync_state SET
    sync_mode = %(sync_mode)s,
    last_synced_id = %(last_synced_id)s,
    sync_changes_since = %(sync_changes_since)s,
    gap_from = %(gap_from)s,
    gap_until = %(gap_until)s,
    full_sync_items = %(full_sync_items)s,
    early_ends = %(early_ends)s,
    all_changes_until = %(all_changes_until)s,
    deletions_since = %(deletions_since)s,
    passed_at = %(passed_at)s,
    full_sync_moved_at = CASE WHEN last_synced_id = %(last_synced_id)s THEN full_sync_moved_at ELSE clock_timestamp() END,
    full_sync_completed_at = CASE WHEN %(completes_full_sync)s THEN clock_timestamp() ELSE full_sync_completed_at END,
    last_sync_run_completed_at = clock_timestamp();
