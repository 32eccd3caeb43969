r"""The sync is on its guard: against clocks that run ahead, lower bibs, and batches that end a full sync too early.

**A batch that was stamped far in the future froze its items**: no later batch was newer. Batches are stamped with no
more than the database's time now; what earlier ones left is set to now() here, with the sync's times. `updated_at` has
no index and needs none: the rows are looked for once and then set by portions of 5,000, each committed by itself, so
that no row is held for longer than that takes and dead rows can be reused meanwhile. Interrupted, it goes on with what
is left. A row that a batch has locked is passed over: it gets that batch's own time.

**An item on two bibs took the class of the lower one** when only that was edited. `bib_record_ids` are the bibs that a
full sync found; NULL, as all rows are at first: one.

**A small batch of a second ETL ended a full sync that had just begun.** `full_sync_items` counts what a full sync has
brought, and `early_ends` how often in a row it would have ended with less than half of the catalogue. One that is under
way has brought what is here up to its cursor.

Two views list the barcodes that print stations get nothing for. Both read the index on barcode and not the table, as
long as autovacuum keeps up: seconds for five million items.

The new columns need no rewrite, but for a moment all of sierra_item. The sync's lock is taken first, so that this moment
does not wait for a batch while print stations wait for us: a batch is told to come again (409), and where anything else
holds the table, a dump say, the migration gives up after 3 s and can be run again.

The previous release runs on: it neither reads nor writes the columns. Its full sync leaves `bib_record_ids` as they are,
which can be out of date then: run `signum sync restart` once this release has taken over for good.

Revision ID: 0006
Revises: 0005
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# COMMIT within a block is for autocommit only. The loop's rows are kept beyond it by PostgreSQL itself.
HEAL = r"""
DO $$
DECLARE
    portion bigint[];
BEGIN
    FOR portion IN
        SELECT array_agg(ahead.item_record_id)
        FROM (
            SELECT i.item_record_id, (row_number() OVER (ORDER BY i.item_record_id) - 1) / 5000 AS place
            FROM sierra_item i
            WHERE i.updated_at > now()
        ) AS ahead
        GROUP BY ahead.place
        ORDER BY ahead.place
    LOOP
        UPDATE sierra_item i SET updated_at = now()
        FROM (
            SELECT f.item_record_id
            FROM sierra_item f
            WHERE f.item_record_id = ANY (portion) AND f.updated_at > now()
            FOR NO KEY UPDATE SKIP LOCKED
        ) AS free
        WHERE i.item_record_id = free.item_record_id;
        COMMIT;
    END LOOP;

    FOR portion IN
        SELECT array_agg(ahead.rejected_row_id)
        FROM (
            SELECT r.rejected_row_id, (row_number() OVER (ORDER BY r.rejected_row_id) - 1) / 5000 AS place
            FROM rejected_row r
            WHERE greatest(r.batch_timestamp, r.first_at, r.last_at) > now()
        ) AS ahead
        GROUP BY ahead.place
        ORDER BY ahead.place
    LOOP
        UPDATE rejected_row r SET
            batch_timestamp = least(r.batch_timestamp, now()),
            first_at = least(r.first_at, now()),
            last_at = least(r.last_at, now())
        FROM (
            SELECT f.rejected_row_id
            FROM rejected_row f
            WHERE f.rejected_row_id = ANY (portion)
            FOR UPDATE SKIP LOCKED
        ) AS free
        WHERE r.rejected_row_id = free.rejected_row_id;
        COMMIT;
    END LOOP;

    -- least() passes over NULL, and what was never set must not become now().
    UPDATE sync_state SET
        initialized_at = least(initialized_at, now()),
        full_sync_completed_at = CASE WHEN full_sync_completed_at > now() THEN now() ELSE full_sync_completed_at END,
        sync_changes_since = CASE WHEN sync_changes_since > now() THEN now() ELSE sync_changes_since END,
        last_sync_run_completed_at =
            CASE WHEN last_sync_run_completed_at > now() THEN now() ELSE last_sync_run_completed_at END,
        full_sync_requested_at = CASE WHEN full_sync_requested_at > now() THEN now() ELSE full_sync_requested_at END,
        offered_timestamp = CASE WHEN offered_timestamp > now() THEN now() ELSE offered_timestamp END,
        gap_from = CASE WHEN gap_from > now() THEN now() ELSE gap_from END,
        gap_until = CASE WHEN gap_until > now() THEN now() ELSE gap_until END
    WHERE greatest(
        initialized_at, full_sync_completed_at, sync_changes_since, last_sync_run_completed_at, full_sync_requested_at,
        offered_timestamp, gap_from, gap_until
    ) > now();
    COMMIT;
END
$$;
"""

UPGRADE = r"""
SET LOCAL lock_timeout = '120s';
SELECT pg_advisory_xact_lock(1398361667);
SET LOCAL lock_timeout = '3s';

CREATE TEMPORARY TABLE brought ON COMMIT DROP AS
SELECT (SELECT count(*) FROM sierra_item i WHERE i.item_record_id <= s.last_synced_id) AS items
FROM sync_state s
WHERE s.sync_mode = 'SYNC_FULL';

ALTER TABLE sierra_item ADD COLUMN bib_record_ids bigint[];
COMMENT ON COLUMN sierra_item.bib_record_ids IS 'The bibs of an item that has several, as the last full sync found them; NULL: one';
ALTER TABLE sync_state
    ADD COLUMN full_sync_items bigint DEFAULT 0 NOT NULL,
    ADD COLUMN early_ends integer DEFAULT 0 NOT NULL;
COMMENT ON COLUMN sync_state.full_sync_items IS 'Items that the full sync has brought so far, refused ones included';
COMMENT ON COLUMN sync_state.early_ends IS 'Batches in a row that would have completed the full sync with fewer items than half of those that are here; the third does';
UPDATE sync_state SET full_sync_items = brought.items FROM brought;

CREATE VIEW shared_barcode AS
SELECT d.barcode, i.items, i.item_numbers, i.titles, i.item_record_ids
FROM (
    SELECT s.barcode FROM sierra_item s WHERE s.barcode IS NOT NULL GROUP BY s.barcode HAVING count(*) > 1
) AS d
CROSS JOIN LATERAL (
    SELECT
        count(*) AS items,
        array_agg(s.item_number ORDER BY s.item_record_id) AS item_numbers,
        array_agg(s.best_title ORDER BY s.item_record_id) AS titles,
        array_agg(s.item_record_id ORDER BY s.item_record_id) AS item_record_ids
    FROM sierra_item s
    WHERE s.barcode = d.barcode
) AS i;
COMMENT ON VIEW shared_barcode IS 'Barcodes that several items share: print stations get 409 for them. Usually all but the last item were deleted in Sierra';
COMMENT ON COLUMN shared_barcode.barcode IS 'The barcode';
COMMENT ON COLUMN shared_barcode.items IS 'How many items have it';
COMMENT ON COLUMN shared_barcode.item_numbers IS 'Their record numbers, the oldest record first';
COMMENT ON COLUMN shared_barcode.titles IS 'Their titles, in the same order';
COMMENT ON COLUMN shared_barcode.item_record_ids IS 'Their keys, in the same order';

CREATE VIEW unreadable_barcode AS
SELECT
    item_record_id,
    item_number,
    barcode,
    CASE
        WHEN length(barcode) < 10 THEN 'has fewer than 10 characters'
        WHEN length(barcode) > 30 THEN 'has more than 30 characters'
        ELSE 'holds a blank or another character that is neither letter, digit, _ nor a full stop'
    END AS reason,
    best_title AS title,
    updated_at
FROM sierra_item
WHERE barcode ~ '[^\w.]' OR length(barcode) NOT BETWEEN 10 AND 30;
COMMENT ON VIEW unreadable_barcode IS 'Items whose barcode no print station can ask for. The cure is in Sierra';
COMMENT ON COLUMN unreadable_barcode.item_record_id IS 'The item';
COMMENT ON COLUMN unreadable_barcode.item_number IS 'Its record number';
COMMENT ON COLUMN unreadable_barcode.barcode IS 'Its barcode as the ETL sent it, without what stood at its ends';
COMMENT ON COLUMN unreadable_barcode.reason IS 'Why it can''t be asked for';
COMMENT ON COLUMN unreadable_barcode.title IS 'Its title';
COMMENT ON COLUMN unreadable_barcode.updated_at IS 'Timestamp of the batch that last changed the item';
"""

DOWNGRADE = r"""
DROP VIEW unreadable_barcode;
DROP VIEW shared_barcode;
ALTER TABLE sync_state DROP COLUMN early_ends, DROP COLUMN full_sync_items;
ALTER TABLE sierra_item DROP COLUMN bib_record_ids;
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(HEAL)
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
