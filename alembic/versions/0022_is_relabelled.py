r"""Each item says whether it is relabelled: whether an update would change nothing in its call number.

The sync computes it with the update's own rule (runtime/call_number.py) from what a batch brings, and stores it with the
item. A row of which nothing else changed is rewritten for it, once: so the next full sync fills the column, and what the
previous release has stored meanwhile, which does not know the column, is put right when its item comes again.

The new column needs no rewrite, but all of sierra_item for a moment: as in 0006 the sync's lock is taken first.

Revision ID: 0022
Revises: 0021
"""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

UPGRADE = r"""
SET LOCAL lock_timeout = '120s';
SELECT pg_advisory_xact_lock(1398361667);
SET LOCAL lock_timeout = '3s';

ALTER TABLE sierra_item ADD COLUMN is_relabelled boolean;
COMMENT ON COLUMN sierra_item.is_relabelled IS 'Whether item_call_number has the classification in front, so that an update would change nothing in it; NULL: no classification, or the ETL does not bring call numbers';
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute("ALTER TABLE sierra_item DROP COLUMN is_relabelled")
