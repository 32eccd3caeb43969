"""An index finds the items that are deleted, or whose deletion is held, without reading all items.

It holds those alone: nothing at first. Building it reads the items once, a second or so per million. Meanwhile batches wait,
and print stations do not: reads and marks change no item. A migration of its own, for the locks of 0019 keep them out.

The previous release runs on and does not use it.

Revision ID: 0020
Revises: 0019
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE INDEX sierra_item_deleted_idx ON sierra_item (deleted_on) WHERE deleted_on IS NOT NULL OR deletion_held_on IS NOT NULL;
COMMENT ON INDEX sierra_item_deleted_idx IS 'Items that are deleted, or whose deletion is held';
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute("DROP INDEX sierra_item_deleted_idx")
