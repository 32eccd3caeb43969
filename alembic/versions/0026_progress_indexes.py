"""The count of progress reads two small indexes, and not all items.

Equal entries of a B-tree share their room, and there are as many different ones as collections. The count reads them
alone as long as vacuum keeps up with the catalogue, or else looks up many an item: so it comes after 0.5 % of changed
items, not 20 %.

Building them reads the items twice, a few seconds per million. Meanwhile batches wait, and print stations do not: reads
and marks change no item. A migration of its own, as 0020.

The previous release runs on and does not use them.

Revision ID: 0026
Revises: 0025
"""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE INDEX sierra_item_progress_idx ON sierra_item (location_name, item_type_name, material_name, is_relabelled) WHERE deleted_on IS NULL AND classification IS NOT NULL;
COMMENT ON INDEX sierra_item_progress_idx IS 'Counts by collection which items are relabelled, without reading them';
CREATE INDEX sierra_item_unclassified_idx ON sierra_item (location_name, item_type_name, material_name) WHERE deleted_on IS NULL AND classification IS NULL;
COMMENT ON INDEX sierra_item_unclassified_idx IS 'Counts by collection which items have no classification, without reading them';
ALTER TABLE sierra_item SET (autovacuum_vacuum_scale_factor = 0.005, autovacuum_vacuum_insert_scale_factor = 0.005);
"""

DOWNGRADE = """
ALTER TABLE sierra_item RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_insert_scale_factor);
DROP INDEX sierra_item_unclassified_idx;
DROP INDEX sierra_item_progress_idx;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
