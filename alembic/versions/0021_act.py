r"""An act of a person, by the console or by a command, is a row of `act`, written in the transaction of the act itself.

Marks, retries, dismissals, reverts, pauses, keys and syncs leave a row each, also where they came to nothing. The person's
name stays when the person has gone. The database role is filled in by the server: a role that may write acts can't choose
it, nor the time, and can neither change nor delete a row. Kept as long as history, and pruned beside it.

The previous release runs on: it knows no such table, and its commands leave no row.

Revision ID: 0021
Revises: 0020
"""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

UPGRADE = r"""
CREATE TABLE act (
    act_id bigint GENERATED ALWAYS AS IDENTITY,
    acted_at timestamptz DEFAULT now() NOT NULL,
    person text NOT NULL,
    through text NOT NULL,
    os_user text,
    db_role text DEFAULT SESSION_USER NOT NULL,
    action text NOT NULL,
    target jsonb DEFAULT '{}' NOT NULL,
    reason text,
    number integer NOT NULL,
    result text NOT NULL,
    CONSTRAINT act_pkey PRIMARY KEY (act_id),
    CONSTRAINT act_acted_at_readable CHECK (acted_at AT TIME ZONE 'UTC' BETWEEN '0001-01-02' AND '9999-12-30'),
    CONSTRAINT act_through_known CHECK (through IN ('console', 'command')),
    CONSTRAINT act_number_not_negative CHECK (number >= 0)
);
COMMENT ON TABLE act IS 'What people did, by the console or by a command: one row per act, written in its transaction. Kept UPDATE_LOG_RETENTION_DAYS. Plain SQL leaves none';
COMMENT ON INDEX act_pkey IS 'Key';
COMMENT ON COLUMN act.act_id IS 'Rising number';
COMMENT ON COLUMN act.acted_at IS 'When it was done';
COMMENT ON COLUMN act.person IS 'Who did it, by name; stays when the person is gone';
COMMENT ON COLUMN act.through IS 'console, or command';
COMMENT ON COLUMN act.os_user IS 'The operating system''s user that ran the command; NULL: by the console';
COMMENT ON COLUMN act.db_role IS 'The database role that the session had logged in as';
COMMENT ON COLUMN act.action IS 'What was done, in the words of the command: queue retry';
COMMENT ON COLUMN act.target IS 'To what: the ids that were named, or the filter';
COMMENT ON COLUMN act.reason IS 'The reason that the person gave; NULL: none';
COMMENT ON COLUMN act.number IS 'How many items, keys, … it changed; 0: it came to nothing';
COMMENT ON COLUMN act.result IS 'What came of it, in a sentence';
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute("DROP TABLE act")
