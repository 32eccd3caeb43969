"""A notifier says what it waits for: an answer, Sierra, or a person.

While its breaker is not closed nothing is pushed, and `reason` is a sentence for people. But what is to be done then
could only be read out of that sentence: a Sierra that is down comes back by itself, a refused key does not. So
`notifier_state.waits_for` says it in one word, and `notifier_overview` calls the state `waiting for a person` where one
must act. `answer` is apart from `Sierra`: a notifier that gets no answer at all, from a Sierra that answers others, is
at fault itself, which `signum notifier --check` tells by it.

The previous release runs on: its notifiers leave the column NULL, which counts as waiting for Sierra, as before. The
view gets a column more, at its end.

The way back makes the view anew: run the previous release's `signum migrate` afterwards, which gives the roles their
rights again.

Revision ID: 0007
Revises: 0006
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

UPGRADE = r"""
ALTER TABLE notifier_state
    ADD COLUMN waits_for text,
    ADD CONSTRAINT notifier_state_waits_for_known CHECK (waits_for IN ('answer', 'Sierra', 'person'));
COMMENT ON COLUMN notifier_state.waits_for IS 'What must come before it pushes again. answer: Sierra gives none; Sierra: it says that it is unwell; person: who acts as reason says; NULL: nothing';

CREATE OR REPLACE VIEW notifier_overview AS
SELECT
    n.notifier,
    CASE
        WHEN n.mode = 'stopped' THEN 'stopped'
        WHEN n.seen_at < now() - interval '30 seconds' THEN 'gone'
        WHEN p.paused_at IS NOT NULL THEN 'paused'
        WHEN n.breaker = 'open' THEN waiting.state
        WHEN n.looped_at < now() - interval '2 minutes' AND p.oldest_due_age > interval '2 minutes' THEN 'stalled'
        WHEN n.breaker = 'probing' THEN waiting.state
        ELSE n.mode
    END AS state,
    n.mode,
    n.breaker,
    CASE WHEN p.paused_at IS NOT NULL THEN coalesce(p.pause_reason, 'paused') ELSE n.reason END AS reason,
    now() - n.seen_at AS seen_ago,
    now() - n.looped_at AS looped_ago,
    now() - n.last_success_at AS last_success_ago,
    p.oldest_due_age,
    n.started_at,
    n.waits_for
FROM notifier_state n
CROSS JOIN queue_progress p
CROSS JOIN LATERAL (
    SELECT CASE WHEN n.waits_for = 'person' THEN 'waiting for a person' ELSE 'waiting for Sierra' END AS state
) AS waiting;
COMMENT ON VIEW notifier_overview IS 'How each notifier is. waiting for a person: who acts as reason says, then it goes on; stalled: an item could have been claimed for 2 minutes, and its loop has not come round in that time; gone: not heard of for 30 s';
"""

DOWNGRADE = r"""
DROP VIEW notifier_overview;
ALTER TABLE notifier_state DROP COLUMN waits_for;

CREATE VIEW notifier_overview AS
SELECT
    n.notifier,
    CASE
        WHEN n.mode = 'stopped' THEN 'stopped'
        WHEN n.seen_at < now() - interval '30 seconds' THEN 'gone'
        WHEN p.paused_at IS NOT NULL THEN 'paused'
        WHEN n.breaker = 'open' THEN 'waiting for Sierra'
        WHEN n.looped_at < now() - interval '2 minutes' AND p.oldest_due_age > interval '2 minutes' THEN 'stalled'
        WHEN n.breaker = 'probing' THEN 'waiting for Sierra'
        ELSE n.mode
    END AS state,
    n.mode,
    n.breaker,
    CASE WHEN p.paused_at IS NOT NULL THEN coalesce(p.pause_reason, 'paused') ELSE n.reason END AS reason,
    now() - n.seen_at AS seen_ago,
    now() - n.looped_at AS looped_ago,
    now() - n.last_success_at AS last_success_ago,
    p.oldest_due_age,
    n.started_at
FROM notifier_state n
CROSS JOIN queue_progress p;
COMMENT ON VIEW notifier_overview IS 'How each notifier is. stalled: an item could have been claimed for 2 minutes, and its loop has not come round in that time; gone: not heard of for 30 s';
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
