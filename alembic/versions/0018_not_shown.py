r"""The view `not_shown`: pushes that Sierra answered well, and yet SierraDNA does not show.

It judges a push once an ETL that says `changes_since` has brought all changes until an hour after it; until when such an
ETL has, `sync_state.all_changes_until` keeps. With another ETL it stays empty. The newest row of history of an item
counts, of the last 30 days: so it reads those by the index on finished_at, however long history is.

The previous release runs on. It neither reads nor writes the column, and judges nothing.

Revision ID: 0018
Revises: 0017
"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

UPGRADE = r"""
ALTER TABLE sync_state
    ADD COLUMN all_changes_until timestamptz,
    ADD CONSTRAINT sync_state_all_changes_until_readable CHECK (all_changes_until AT TIME ZONE 'UTC' BETWEEN '0001-01-02' AND '9999-12-30');
COMMENT ON COLUMN sync_state.all_changes_until IS 'Until when an ETL that says changes_since has brought all changes (Sierra''s clock); NULL: no such ETL has come';

CREATE VIEW not_shown AS
SELECT
    CASE
        WHEN l.revert_of IS NULL AND starts_with(l.call_number_after, i.classification) IS NOT TRUE
            OR i.item_updated_at > l.finished_at AND i.item_call_number IS DISTINCT FROM l.call_number_before
        THEN 'changed in Sierra since'
        ELSE 'not shown'
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
FROM sync_state s
CROSS JOIN LATERAL (
    SELECT DISTINCT ON (h.item_record_id)
        h.item_record_id, h.update_log_id, h.outcome, h.shown_at, h.finished_at, h.revert_of, h.item_number, h.barcode,
        h.title, h.call_number_before, h.call_number_after, h.queued_by
    FROM update_log h
    WHERE h.finished_at > now() - interval '30 days'
    ORDER BY h.item_record_id, h.update_log_id DESC
) AS l
JOIN sierra_item i ON i.item_record_id = l.item_record_id
WHERE s.gap_from IS NULL
    AND l.outcome = 'pushed'
    AND l.shown_at IS NULL
    AND l.finished_at < s.all_changes_until - interval '1 hour'
    AND l.call_number_after <> coalesce(i.item_call_number, '')
    AND num_nonnulls(i.item_call_number, i.item_updated_at, i.location_code) > 0
    AND NOT EXISTS (SELECT FROM update_queue q WHERE q.item_record_id = l.item_record_id);
COMMENT ON VIEW not_shown IS 'Pushes of the last 30 days that SierraDNA does not show an hour later, unless the item is queued again. Needs an ETL that brings call numbers';
COMMENT ON COLUMN not_shown.state IS 'not shown: mark the item again; changed in Sierra since: its class was, or its call number by somebody else';
COMMENT ON COLUMN not_shown.item_number IS 'The item''s record number then';
COMMENT ON COLUMN not_shown.barcode IS 'Its barcode then';
COMMENT ON COLUMN not_shown.title IS 'Its title then';
COMMENT ON COLUMN not_shown.call_number_before IS 'Call number read from Sierra before the push';
COMMENT ON COLUMN not_shown.call_number_pushed IS 'Call number that was written';
COMMENT ON COLUMN not_shown.call_number_shown IS 'Call number that SierraDNA shows; NULL: none';
COMMENT ON COLUMN not_shown.classification IS 'The class number that a push would write now';
COMMENT ON COLUMN not_shown.pushed_at IS 'When the push ended';
COMMENT ON COLUMN not_shown.queued_by IS 'The client that had marked it, or the database role for plain SQL';
COMMENT ON COLUMN not_shown.item_updated_at IS 'When Sierra had last changed the record';
COMMENT ON COLUMN not_shown.item_record_id IS 'The item';
COMMENT ON COLUMN not_shown.update_log_id IS 'The row of history';
"""

DOWNGRADE = """
DROP VIEW not_shown;
ALTER TABLE sync_state DROP COLUMN all_changes_until;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
