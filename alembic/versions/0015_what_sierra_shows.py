r"""An ETL may bring what Sierra shows of an item: its call number, the time of its last change, its location.

The new columns need no rewrite, but all of sierra_item for a moment. As in 0006 the sync's lock is taken first, so that
print stations do not wait for us while we wait for a batch. The check holds for what is written from now on; 0017 looks
at the rows that are there, of which none has a value yet.

The previous release runs on: it neither reads nor writes the columns.

Revision ID: 0015
Revises: 0014
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

UPGRADE = r"""
SET LOCAL lock_timeout = '120s';
SELECT pg_advisory_xact_lock(1398361667);
SET LOCAL lock_timeout = '3s';

ALTER TABLE sierra_item
    ADD COLUMN item_call_number text,
    ADD COLUMN item_updated_at timestamptz,
    ADD COLUMN location_code text,
    ADD COLUMN location_name text,
    ADD CONSTRAINT sierra_item_item_updated_at_readable CHECK (item_updated_at AT TIME ZONE 'UTC' BETWEEN '0001-01-02' AND '9999-12-30') NOT VALID;
COMMENT ON COLUMN sierra_item.item_call_number IS 'Call number that Sierra showed; NULL: none, or the ETL does not bring it';
COMMENT ON COLUMN sierra_item.item_updated_at IS 'When Sierra had last changed the record, as of the last change here; loans change it too';
COMMENT ON COLUMN sierra_item.location_code IS 'Code of the item''s location; NULL: the ETL does not bring it';
COMMENT ON COLUMN sierra_item.location_name IS 'Name of the item''s location';
"""

DOWNGRADE = """
ALTER TABLE sierra_item
    DROP COLUMN item_call_number,
    DROP COLUMN item_updated_at,
    DROP COLUMN location_code,
    DROP COLUMN location_name;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
