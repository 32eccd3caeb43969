r"""A row that is only to be looked at again has the call number that its push left in Sierra: `pushed_call_number`.

The look then tells a late write, after which Sierra has another one, from a classification that the ETL has brought since
and that no mark has asked for: that one is not written. Where it is NULL, in rows from before and in those that were
entered because their claim was not known any more, the look goes by the classification, as before.

The new column needs no rewrite. The previous release runs on: it neither reads nor writes it. What it finishes a second
time keeps the call number of before; then a look may write the classification of now, as its own would.

Revision ID: 0029
Revises: 0028
"""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

UPGRADE = r"""
ALTER TABLE update_queue ADD COLUMN pushed_call_number text;
COMMENT ON COLUMN update_queue.pushed_call_number IS 'The call number that the push of pushed_revision left in Sierra; NULL: it is not known';
"""

DOWNGRADE = r"""
ALTER TABLE update_queue DROP COLUMN pushed_call_number;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
