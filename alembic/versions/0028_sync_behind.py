r"""The view of the sync tells when changes stand still though batches come, and that a gap is being closed.

Deletions and passes are batches, too: when the last batch came tells nothing of changes, nor of the pages of a full sync.

The new column needs no rewrite. The previous release runs on: it neither reads nor writes it, so that a full sync which
it hands out is told as one that stands still until its first page has come.

Revision ID: 0028
Revises: 0027
"""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

UPGRADE = r"""
ALTER TABLE sync_state
    ADD COLUMN full_sync_moved_at timestamptz,
    ADD CONSTRAINT sync_state_full_sync_moved_at_readable
        CHECK (full_sync_moved_at AT TIME ZONE 'UTC' BETWEEN '0001-01-02' AND '9999-12-30');
COMMENT ON COLUMN sync_state.full_sync_moved_at IS 'When the cursor of the full sync last moved, or one began';

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
            WHEN gap_from IS NOT NULL
                AND (full_sync_requested_at IS NOT NULL OR (sync_mode = 'SYNC_FULL' AND (last_synced_id = 0 OR sync_changes_since >= gap_until))) IS NOT TRUE
                THEN 'changes between gap_from and gap_until are missing: run "signum sync restart"'::text
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
          WHERE ((i.deletion_held_on IS NOT NULL) AND (i.deleted_on IS NULL))) AS deletions_held,
    passed_at,
    gap_from IS NOT NULL
        AND (full_sync_requested_at IS NOT NULL OR (sync_mode = 'SYNC_FULL' AND (last_synced_id = 0 OR sync_changes_since >= gap_until))) IS TRUE AS gap_closes,
    CASE sync_mode
        WHEN 'SYNC_FULL' THEN now() - coalesce(full_sync_moved_at, last_sync_run_completed_at)
        ELSE now() - greatest(sync_changes_since, full_sync_completed_at)
    END AS behind
   FROM sync_state s;
COMMENT ON COLUMN sync_overview.gap_closes IS 'Whether a full sync that was asked for, or is under way, brings what is missing';
COMMENT ON COLUMN sync_overview.behind IS 'How far the changes that are here are behind, or for how long a full sync has not gone on; NULL: nothing has come';
"""

DOWNGRADE = r"""
DROP VIEW sync_overview;
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
          WHERE ((i.deletion_held_on IS NOT NULL) AND (i.deleted_on IS NULL))) AS deletions_held,
    passed_at
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
COMMENT ON COLUMN sync_overview.deletions_held IS 'How many items wait for a person to allow their deletion';
COMMENT ON COLUMN sync_overview.passed_at IS 'When the last pass over all items ended (Sierra''s clock); NULL: none has';
ALTER TABLE sync_state DROP COLUMN full_sync_moved_at;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
