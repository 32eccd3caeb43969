"""A notifier's breaker has a fourth state with a name: sampling.

When five items in a row failed alike, a notifier tries up to three new ones, which tell whether that is the items'
fault. Until now it said `closed` meanwhile, though it did not push all that was due. `notifier_state.breaker` takes the
new word beside the three that it knows, so notifiers of the previous release run on.

The way back calls it `closed` again.

Revision ID: 0014
Revises: 0013
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

UPGRADE = r"""
ALTER TABLE notifier_state
    DROP CONSTRAINT notifier_state_breaker_known,
    ADD CONSTRAINT notifier_state_breaker_known CHECK (breaker IN ('closed', 'sampling', 'open', 'probing'));
COMMENT ON COLUMN notifier_state.breaker IS 'closed: pushing; sampling: five items failed alike, trying three new ones; open: waiting; probing: trying one item';
COMMENT ON COLUMN notifier_overview.breaker IS 'closed: pushing; sampling: five items failed alike, trying three new ones; open: waiting; probing: trying one item';
"""

DOWNGRADE = r"""
UPDATE notifier_state SET breaker = 'closed' WHERE breaker = 'sampling';
ALTER TABLE notifier_state
    DROP CONSTRAINT notifier_state_breaker_known,
    ADD CONSTRAINT notifier_state_breaker_known CHECK (breaker IN ('closed', 'open', 'probing'));
COMMENT ON COLUMN notifier_state.breaker IS 'closed: pushing; open: Sierra is unwell, waiting; probing: trying one item';
COMMENT ON COLUMN notifier_overview.breaker IS 'closed: pushing; open: waiting; probing: trying one item';
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
