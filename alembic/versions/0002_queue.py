"""The queue, its bell, its history.

The queue is a narrow table of its own: a flag on the item would be overwritten by the sync (and the mark with it),
would bloat the big table, and has no room for who, when, how often and why. One row per item, so that marking twice
is one update; `revision` counts the marks, so that one that comes during a push is not lost.

The trigger is row-level. A statement-level one can neither see OLD and NEW nor be limited to a column, and PostgreSQL
merges equal notifications of a transaction anyway: a statement that marks 100,000 items rings once.

The columns that a claim writes are in no index and the pages are left 30 % free, so claims and releases are HOT
updates; finished rows leave, so autovacuum has to come by the number of dead rows, not by a share of the table.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

UPGRADE = r"""
CREATE TABLE update_queue (
    item_record_id bigint NOT NULL,
    revision bigint DEFAULT 1 NOT NULL,
    queued_at timestamptz DEFAULT now() NOT NULL,
    queued_by text DEFAULT SESSION_USER NOT NULL,
    priority smallint DEFAULT 1 NOT NULL,
    attempts smallint DEFAULT 0 NOT NULL,
    due_at timestamptz DEFAULT now(),
    claimed_by text,
    lease_until timestamptz,
    last_error text,
    request_id text,
    trace text,
    CONSTRAINT update_queue_pkey PRIMARY KEY (item_record_id),
    CONSTRAINT update_queue_attempts_not_negative CHECK (attempts >= 0),
    CONSTRAINT update_queue_priority_0_to_2 CHECK (priority BETWEEN 0 AND 2),
    CONSTRAINT update_queue_item_record_id_fkey FOREIGN KEY(item_record_id) REFERENCES sierra_item (item_record_id) ON DELETE RESTRICT
) WITH (
    fillfactor = 70,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 500,
    autovacuum_vacuum_insert_scale_factor = 0,
    autovacuum_vacuum_insert_threshold = 20000,
    autovacuum_analyze_scale_factor = 0,
    autovacuum_analyze_threshold = 2000,
    autovacuum_vacuum_cost_delay = 0
);
CREATE INDEX update_queue_priority_due_at_idx ON update_queue (priority, due_at) WHERE due_at IS NOT NULL;
COMMENT ON TABLE update_queue IS 'Items that wait for their update in Sierra, one row per item. See the views queue_overview and queue_detail. To mark an item by hand: INSERT INTO update_queue (item_record_id) VALUES (…)';
COMMENT ON COLUMN update_queue.item_record_id IS 'The item; marking it twice is one row';
COMMENT ON COLUMN update_queue.revision IS 'How often the item was marked since it entered; a push finishes only the revision it claimed';
COMMENT ON COLUMN update_queue.queued_at IS 'When it entered. A mark on a rejected row enters anew';
COMMENT ON COLUMN update_queue.queued_by IS 'Who marked it: the client''s name, or the database role for plain SQL';
COMMENT ON COLUMN update_queue.priority IS '0 print stations, 1 plain SQL and bulk, 2 whenever there is time; lower goes first';
COMMENT ON COLUMN update_queue.attempts IS 'Pushes begun for this item since its last mark; Sierra being down burns none';
COMMENT ON COLUMN update_queue.due_at IS 'When the next push is due. NULL: rejected, due never until a person acts';
COMMENT ON COLUMN update_queue.claimed_by IS 'The notifier that pushes it now; of a rejected row, the one that rejected it';
COMMENT ON COLUMN update_queue.lease_until IS 'Until when it is claimed; lapses by itself, then any claim may';
COMMENT ON COLUMN update_queue.last_error IS 'Why the last push failed, in a sentence a librarian understands';
COMMENT ON COLUMN update_queue.request_id IS 'Id of the HTTP request that marked it last';
COMMENT ON COLUMN update_queue.trace IS 'Sentry trace of that request';

CREATE TABLE update_log (
    update_log_id bigint GENERATED ALWAYS AS IDENTITY,
    item_record_id bigint NOT NULL,
    item_number text,
    barcode text,
    title text,
    queued_at timestamptz NOT NULL,
    queued_by text NOT NULL,
    finished_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    finished_by text NOT NULL,
    outcome text NOT NULL,
    attempts smallint NOT NULL,
    call_number_before text,
    call_number_after text,
    error text,
    sierra_ms integer,
    request_id text,
    CONSTRAINT update_log_pkey PRIMARY KEY (update_log_id),
    CONSTRAINT update_log_outcome_known CHECK (outcome IN ('pushed', 'unchanged', 'rejected', 'dismissed'))
);
CREATE INDEX update_log_finished_at_idx ON update_log USING brin (finished_at);
CREATE INDEX update_log_barcode_idx ON update_log (barcode);
COMMENT ON TABLE update_log IS 'What came of each queued update, kept UPDATE_LOG_RETENTION_DAYS. Never a record as Sierra sent it: a lent item names its borrower';
COMMENT ON COLUMN update_log.update_log_id IS 'Rising number';
COMMENT ON COLUMN update_log.item_record_id IS 'The item; it may have left sierra_item since';
COMMENT ON COLUMN update_log.item_number IS 'Its record number then';
COMMENT ON COLUMN update_log.barcode IS 'Its barcode then';
COMMENT ON COLUMN update_log.title IS 'Its title then';
COMMENT ON COLUMN update_log.queued_at IS 'When it had entered the queue';
COMMENT ON COLUMN update_log.queued_by IS 'Who had marked it';
COMMENT ON COLUMN update_log.finished_at IS 'When this was written';
COMMENT ON COLUMN update_log.finished_by IS 'The notifier, or the person who dismissed it';
COMMENT ON COLUMN update_log.outcome IS 'pushed: written to Sierra; unchanged: was so already; rejected; dismissed by a person';
COMMENT ON COLUMN update_log.attempts IS 'Pushes begun until then';
COMMENT ON COLUMN update_log.call_number_before IS 'Call number read from Sierra';
COMMENT ON COLUMN update_log.call_number_after IS 'Call number in Sierra afterwards';
COMMENT ON COLUMN update_log.error IS 'Why it was rejected, or what was left out of the update and why';
COMMENT ON COLUMN update_log.sierra_ms IS 'Milliseconds from the item''s read to the end of its write at Sierra';
COMMENT ON COLUMN update_log.request_id IS 'Id of the HTTP request that had marked it';

CREATE TABLE queue_control (
    id boolean DEFAULT true NOT NULL,
    paused_at timestamptz,
    paused_by text,
    reason text,
    resume_at timestamptz,
    CONSTRAINT queue_control_pkey PRIMARY KEY (id),
    CONSTRAINT queue_control_one_row CHECK (id)
);
COMMENT ON TABLE queue_control IS 'Whether pushes to Sierra are paused: one row. Marks and reads go on meanwhile';
COMMENT ON COLUMN queue_control.id IS 'Always true: there is one row';
COMMENT ON COLUMN queue_control.paused_at IS 'Since when nothing is claimed; NULL: not paused';
COMMENT ON COLUMN queue_control.paused_by IS 'Who paused it';
COMMENT ON COLUMN queue_control.reason IS 'Why';
COMMENT ON COLUMN queue_control.resume_at IS 'When it goes on by itself; NULL: when a person says so';

CREATE TABLE notifier_state (
    notifier text NOT NULL,
    started_at timestamptz DEFAULT now() NOT NULL,
    seen_at timestamptz DEFAULT now() NOT NULL,
    mode text NOT NULL,
    breaker text NOT NULL,
    reason text,
    last_success_at timestamptz,
    CONSTRAINT notifier_state_pkey PRIMARY KEY (notifier),
    CONSTRAINT notifier_state_mode_known CHECK (mode IN ('starting', 'listening', 'polling', 'stopped')),
    CONSTRAINT notifier_state_breaker_known CHECK (breaker IN ('closed', 'open', 'probing'))
);
COMMENT ON TABLE notifier_state IS 'How each notifier process is; seen_at stands still when its loop does';
COMMENT ON COLUMN notifier_state.notifier IS 'Host name, process id and a random word; as in update_queue.claimed_by';
COMMENT ON COLUMN notifier_state.started_at IS 'When the process began';
COMMENT ON COLUMN notifier_state.seen_at IS 'When its loop last came round';
COMMENT ON COLUMN notifier_state.mode IS 'starting, listening (woken by NOTIFY), polling (can''t hear, sweeps only), stopped';
COMMENT ON COLUMN notifier_state.breaker IS 'closed: pushing; open: Sierra is unwell, waiting; probing: trying one item';
COMMENT ON COLUMN notifier_state.reason IS 'Why the breaker is not closed, or why it polls';
COMMENT ON COLUMN notifier_state.last_success_at IS 'When Sierra last answered it well';

COMMENT ON INDEX update_queue_pkey IS 'One row per item';
COMMENT ON INDEX update_queue_priority_due_at_idx IS 'What is due next; without the rejected. No column that a claim changes, so that claims stay HOT';
COMMENT ON INDEX update_log_pkey IS 'In the order of time: retention takes the oldest from its start';
COMMENT ON INDEX update_log_barcode_idx IS 'History of one barcode';
COMMENT ON INDEX update_log_finished_at_idx IS 'What happened yesterday; BRIN, for rows arrive in the order of time';
COMMENT ON INDEX queue_control_pkey IS 'There is one row';
COMMENT ON INDEX notifier_state_pkey IS 'Notifier by its name';

INSERT INTO queue_control DEFAULT VALUES;

CREATE FUNCTION update_queue_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('update_queue', '');
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION update_queue_notify() IS 'Rings the notifiers: look now. Equal notifications of one transaction are merged into one';

CREATE TRIGGER update_queue_notify_insert AFTER INSERT ON update_queue
    FOR EACH ROW WHEN (NEW.due_at <= clock_timestamp())
    EXECUTE FUNCTION update_queue_notify();
COMMENT ON TRIGGER update_queue_notify_insert ON update_queue IS 'Rings when an item enters and is due';

CREATE TRIGGER update_queue_notify_update AFTER UPDATE ON update_queue
    FOR EACH ROW WHEN (
        NEW.due_at <= clock_timestamp()
        AND (NEW.revision <> OLD.revision OR NEW.due_at IS DISTINCT FROM OLD.due_at)
    )
    EXECUTE FUNCTION update_queue_notify();
COMMENT ON TRIGGER update_queue_notify_update ON update_queue IS 'Rings when an item is marked again or made due by hand; not for claims, leases and postponements';
"""

DOWNGRADE = """
DROP TABLE notifier_state;
DROP TABLE queue_control;
DROP TABLE update_log;
DROP TABLE update_queue;
DROP FUNCTION update_queue_notify();
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
