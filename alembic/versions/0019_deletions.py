r"""An item that Sierra has deleted is kept with the date, and no print station gets it. Too many at once wait for a person.

`deleted_on` takes an item out of `GET /itemdata`, of new marks, of `shared_barcode`, `unreadable_barcode` and `not_shown`;
a living row brings it back. (`shared_barcode` still finds its barcodes in the index, and then looks which items live.)
`deletion_held_on` has the date of a deletion that came among too many at once: it is done when a person allows it.
`sync_overview` counts those. `sync_state.deletions_since` is handed out to the ETL.

The new columns need no rewrite, but all of sierra_item for a moment: as in 0006 the sync's lock is taken first. 0020 makes
their index. The previous release runs on: it finds deleted items as before, and revives none.

Revision ID: 0019
Revises: 0018
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

UPGRADE = r"""
SET LOCAL lock_timeout = '120s';
SELECT pg_advisory_xact_lock(1398361667);
SET LOCAL lock_timeout = '3s';

ALTER TABLE sierra_item ADD COLUMN deleted_on date, ADD COLUMN deletion_held_on date;
COMMENT ON COLUMN sierra_item.deleted_on IS 'When Sierra deleted the item, which no print station gets then; NULL: it lives. A living row revives it';
COMMENT ON COLUMN sierra_item.deletion_held_on IS 'When Sierra deleted it, if that came among too many at once: a person must allow it; kept afterwards';
ALTER TABLE sync_state ADD COLUMN deletions_since date;
COMMENT ON COLUMN sync_state.deletions_since IS 'Until which day all deletions have come; NULL: none have';

CREATE OR REPLACE VIEW shared_barcode AS
 SELECT d.barcode,
    i.items,
    i.item_numbers,
    i.titles,
    i.item_record_ids
   FROM (( SELECT s.barcode
           FROM sierra_item s
          WHERE (s.barcode IS NOT NULL)
          GROUP BY s.barcode
         HAVING (count(*) > 1)) d
     CROSS JOIN LATERAL ( SELECT count(*) AS items,
            array_agg(s.item_number ORDER BY s.item_record_id) AS item_numbers,
            array_agg(s.best_title ORDER BY s.item_record_id) AS titles,
            array_agg(s.item_record_id ORDER BY s.item_record_id) AS item_record_ids
           FROM sierra_item s
          WHERE ((s.barcode = d.barcode) AND (s.deleted_on IS NULL))) i)
  WHERE (i.items > 1);
CREATE OR REPLACE VIEW unreadable_barcode AS
 SELECT item_record_id,
    item_number,
    barcode,
        CASE
            WHEN (length(barcode) < 10) THEN 'has fewer than 10 characters'::text
            WHEN (length(barcode) > 30) THEN 'has more than 30 characters'::text
            ELSE 'holds a blank or another character that is neither letter, digit, _ nor a full stop'::text
        END AS reason,
    best_title AS title,
    updated_at
   FROM sierra_item
  WHERE (deleted_on IS NULL) AND ((barcode ~ '[^\w.]'::text) OR ((length(barcode) < 10) OR (length(barcode) > 30)));
CREATE OR REPLACE VIEW not_shown AS
 SELECT
        CASE
            WHEN (((l.revert_of IS NULL) AND (starts_with(l.call_number_after, i.classification) IS NOT TRUE)) OR ((i.item_updated_at > l.finished_at) AND (i.item_call_number IS DISTINCT FROM l.call_number_before))) THEN 'changed in Sierra since'::text
            ELSE 'not shown'::text
        END AS state,
    l.item_number,
    l.barcode,
    l.title,
    l.call_number_before,
    l.call_number_after AS call_number_pushed,
    i.item_call_number AS call_number_shown,
    i.classification,
    l.finished_at AS pushed_at,
    l.queued_by,
    i.item_updated_at,
    l.item_record_id,
    l.update_log_id
   FROM ((sync_state s
     CROSS JOIN LATERAL ( SELECT DISTINCT ON (h.item_record_id) h.item_record_id,
            h.update_log_id,
            h.outcome,
            h.shown_at,
            h.finished_at,
            h.revert_of,
            h.item_number,
            h.barcode,
            h.title,
            h.call_number_before,
            h.call_number_after,
            h.queued_by
           FROM update_log h
          WHERE (h.finished_at > (now() - '30 days'::interval))
          ORDER BY h.item_record_id, h.update_log_id DESC) l)
     JOIN sierra_item i ON ((i.item_record_id = l.item_record_id)))
  WHERE ((i.deleted_on IS NULL) AND (s.gap_from IS NULL) AND (l.outcome = 'pushed'::text) AND (l.shown_at IS NULL) AND (l.finished_at < (s.all_changes_until - '01:00:00'::interval)) AND (l.call_number_after <> COALESCE(i.item_call_number, ''::text)) AND (num_nonnulls(i.item_call_number, i.item_updated_at, i.location_code) > 0) AND (NOT (EXISTS ( SELECT
           FROM update_queue q
          WHERE (q.item_record_id = l.item_record_id)))));
CREATE OR REPLACE VIEW sync_overview AS
 SELECT sync_mode,
    last_synced_id,
    sync_changes_since,
    last_sync_run_completed_at,
    (now() - last_sync_run_completed_at) AS last_sync_run_ago,
    full_sync_completed_at,
    full_sync_requested_at,
    gap_from,
    gap_until,
        CASE
            WHEN (gap_from IS NOT NULL) THEN 'changes between gap_from and gap_until are missing: run "signum sync restart"'::text
            WHEN (full_sync_requested_at IS NOT NULL) THEN 'a full sync begins when the ETL comes next'::text
            WHEN (sync_mode = 'SYNC_FULL'::text) THEN 'a full sync is under way'::text
            WHEN (EXISTS ( SELECT
               FROM sierra_item i
              WHERE ((i.deletion_held_on IS NOT NULL) AND (i.deleted_on IS NULL)))) THEN 'deletions are held: look at them, and if they are right run "signum sync allow-deletions"'::text
            ELSE 'changes are taken in'::text
        END AS advice,
    ( SELECT count(*) AS count
           FROM rejected_row) AS rejected_rows,
    initialized_at,
    (EXISTS ( SELECT
           FROM pg_locks l
          WHERE ((l.locktype = 'advisory'::text) AND l.granted AND (l.database = ( SELECT d.oid
                   FROM pg_database d
                  WHERE (d.datname = current_database()))) AND ((l.classid = (0)::oid) AND (l.objid = (1398361667)::oid) AND (l.objsubid = 1))))) AS batch_under_way,
    ( SELECT count(*) AS count
           FROM sierra_item i
          WHERE ((i.deletion_held_on IS NOT NULL) AND (i.deleted_on IS NULL))) AS deletions_held
   FROM sync_state s;
COMMENT ON COLUMN sync_overview.deletions_held IS 'How many items wait for a person to allow their deletion';
"""

DOWNGRADE = r"""
DROP VIEW sync_overview;
CREATE OR REPLACE VIEW shared_barcode AS
 SELECT d.barcode,
    i.items,
    i.item_numbers,
    i.titles,
    i.item_record_ids
   FROM (( SELECT s.barcode
           FROM sierra_item s
          WHERE (s.barcode IS NOT NULL)
          GROUP BY s.barcode
         HAVING (count(*) > 1)) d
     CROSS JOIN LATERAL ( SELECT count(*) AS items,
            array_agg(s.item_number ORDER BY s.item_record_id) AS item_numbers,
            array_agg(s.best_title ORDER BY s.item_record_id) AS titles,
            array_agg(s.item_record_id ORDER BY s.item_record_id) AS item_record_ids
           FROM sierra_item s
          WHERE (s.barcode = d.barcode)) i);
CREATE OR REPLACE VIEW unreadable_barcode AS
 SELECT item_record_id,
    item_number,
    barcode,
        CASE
            WHEN (length(barcode) < 10) THEN 'has fewer than 10 characters'::text
            WHEN (length(barcode) > 30) THEN 'has more than 30 characters'::text
            ELSE 'holds a blank or another character that is neither letter, digit, _ nor a full stop'::text
        END AS reason,
    best_title AS title,
    updated_at
   FROM sierra_item
  WHERE ((barcode ~ '[^\w.]'::text) OR ((length(barcode) < 10) OR (length(barcode) > 30)));
CREATE OR REPLACE VIEW not_shown AS
 SELECT
        CASE
            WHEN (((l.revert_of IS NULL) AND (starts_with(l.call_number_after, i.classification) IS NOT TRUE)) OR ((i.item_updated_at > l.finished_at) AND (i.item_call_number IS DISTINCT FROM l.call_number_before))) THEN 'changed in Sierra since'::text
            ELSE 'not shown'::text
        END AS state,
    l.item_number,
    l.barcode,
    l.title,
    l.call_number_before,
    l.call_number_after AS call_number_pushed,
    i.item_call_number AS call_number_shown,
    i.classification,
    l.finished_at AS pushed_at,
    l.queued_by,
    i.item_updated_at,
    l.item_record_id,
    l.update_log_id
   FROM ((sync_state s
     CROSS JOIN LATERAL ( SELECT DISTINCT ON (h.item_record_id) h.item_record_id,
            h.update_log_id,
            h.outcome,
            h.shown_at,
            h.finished_at,
            h.revert_of,
            h.item_number,
            h.barcode,
            h.title,
            h.call_number_before,
            h.call_number_after,
            h.queued_by
           FROM update_log h
          WHERE (h.finished_at > (now() - '30 days'::interval))
          ORDER BY h.item_record_id, h.update_log_id DESC) l)
     JOIN sierra_item i ON ((i.item_record_id = l.item_record_id)))
  WHERE ((s.gap_from IS NULL) AND (l.outcome = 'pushed'::text) AND (l.shown_at IS NULL) AND (l.finished_at < (s.all_changes_until - '01:00:00'::interval)) AND (l.call_number_after <> COALESCE(i.item_call_number, ''::text)) AND (num_nonnulls(i.item_call_number, i.item_updated_at, i.location_code) > 0) AND (NOT (EXISTS ( SELECT
           FROM update_queue q
          WHERE (q.item_record_id = l.item_record_id)))));
CREATE VIEW sync_overview AS
 SELECT sync_mode,
    last_synced_id,
    sync_changes_since,
    last_sync_run_completed_at,
    (now() - last_sync_run_completed_at) AS last_sync_run_ago,
    full_sync_completed_at,
    full_sync_requested_at,
    gap_from,
    gap_until,
        CASE
            WHEN (gap_from IS NOT NULL) THEN 'changes between gap_from and gap_until are missing: run "signum sync restart"'::text
            WHEN (full_sync_requested_at IS NOT NULL) THEN 'a full sync begins when the ETL comes next'::text
            WHEN (sync_mode = 'SYNC_FULL'::text) THEN 'a full sync is under way'::text
            ELSE 'changes are taken in'::text
        END AS advice,
    ( SELECT count(*) AS count
           FROM rejected_row) AS rejected_rows,
    initialized_at,
    (EXISTS ( SELECT
           FROM pg_locks l
          WHERE ((l.locktype = 'advisory'::text) AND l.granted AND (l.database = ( SELECT d.oid
                   FROM pg_database d
                  WHERE (d.datname = current_database()))) AND ((l.classid = (0)::oid) AND (l.objid = (1398361667)::oid) AND (l.objsubid = 1))))) AS batch_under_way
   FROM sync_state s;
COMMENT ON VIEW sync_overview IS 'Where the sync with Sierra stands, whether a batch is being taken in just now, whether changes are missing, and what to do then';
COMMENT ON COLUMN sync_overview.sync_mode IS 'SYNC_FULL: all items, in id order; SYNC_CHANGES: what changed';
COMMENT ON COLUMN sync_overview.last_synced_id IS 'Cursor of the full sync: items up to this item_record_id are here';
COMMENT ON COLUMN sync_overview.sync_changes_since IS 'From when on the ETL is asked for changes (Sierra''s clock)';
COMMENT ON COLUMN sync_overview.last_sync_run_completed_at IS 'When the last batch was taken in';
COMMENT ON COLUMN sync_overview.last_sync_run_ago IS 'How long ago that was';
COMMENT ON COLUMN sync_overview.full_sync_completed_at IS 'When the last full sync was complete';
COMMENT ON COLUMN sync_overview.full_sync_requested_at IS 'A full sync was asked for and begins with the next GET /sync; NULL: none was';
COMMENT ON COLUMN sync_overview.gap_from IS 'Changes in Sierra since then did not reach us …; NULL: none are missing';
COMMENT ON COLUMN sync_overview.gap_until IS '… up to then';
COMMENT ON COLUMN sync_overview.advice IS 'What is going on, or what to do';
COMMENT ON COLUMN sync_overview.rejected_rows IS 'How many rows of the ETL are kept aside in rejected_row';
COMMENT ON COLUMN sync_overview.initialized_at IS 'When this database was made';
COMMENT ON COLUMN sync_overview.batch_under_way IS 'Whether a batch is being taken in just now';
ALTER TABLE sync_state DROP COLUMN deletions_since;
ALTER TABLE sierra_item DROP COLUMN deleted_on, DROP COLUMN deletion_held_on;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
