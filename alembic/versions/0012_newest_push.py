"""An index finds an item's newest push: a finish compares the call number that Sierra had with the one before that push.

It is built in about a second per million rows of history. Meanwhile outcomes wait, which the notifier keeps and writes
afterwards; marks and reads don't touch history. So it is built within the transaction, and nothing half-made is left
where that is interrupted. A migration of its own: the locks of the next one must not be held for that second.

The previous release runs on and does not use it.

Revision ID: 0012
Revises: 0011
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE INDEX update_log_pushed_idx ON update_log (item_record_id, update_log_id DESC) WHERE outcome = 'pushed';
COMMENT ON INDEX update_log_pushed_idx IS 'An item''s pushes, newest first';
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute("DROP INDEX update_log_pushed_idx")
