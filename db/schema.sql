-- The schema at head, for reading. Made by `make schema`; a test keeps it true.

CREATE FUNCTION public.update_queue_notify() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_notify('update_queue', '');
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION public.update_queue_notify() IS 'Rings the notifiers: look now. Equal notifications of one transaction are merged into one';

CREATE TABLE public.act (
    act_id bigint NOT NULL,
    acted_at timestamp with time zone DEFAULT now() NOT NULL,
    person text NOT NULL,
    through text NOT NULL,
    os_user text,
    db_role text DEFAULT SESSION_USER NOT NULL,
    action text NOT NULL,
    target jsonb DEFAULT '{}'::jsonb NOT NULL,
    reason text,
    number integer NOT NULL,
    result text NOT NULL,
    CONSTRAINT act_acted_at_readable CHECK ((((acted_at AT TIME ZONE 'UTC'::text) >= '0001-01-02 00:00:00'::timestamp without time zone) AND ((acted_at AT TIME ZONE 'UTC'::text) <= '9999-12-30 00:00:00'::timestamp without time zone))),
    CONSTRAINT act_number_not_negative CHECK ((number >= 0)),
    CONSTRAINT act_through_known CHECK ((through = ANY (ARRAY['console'::text, 'command'::text])))
);

COMMENT ON TABLE public.act IS 'What people did, by the console or by a command: one row per act, written in its transaction. Kept UPDATE_LOG_RETENTION_DAYS. Plain SQL leaves none';

COMMENT ON COLUMN public.act.act_id IS 'Rising number';

COMMENT ON COLUMN public.act.acted_at IS 'When it was done';

COMMENT ON COLUMN public.act.person IS 'Who did it, by name; stays when the person is gone';

COMMENT ON COLUMN public.act.through IS 'console, or command';

COMMENT ON COLUMN public.act.os_user IS 'The operating system''s user that ran the command; NULL: by the console';

COMMENT ON COLUMN public.act.db_role IS 'The database role that the session had logged in as';

COMMENT ON COLUMN public.act.action IS 'What was done, in the words of the command: queue retry';

COMMENT ON COLUMN public.act.target IS 'To what: the ids that were named, or the filter';

COMMENT ON COLUMN public.act.reason IS 'The reason that the person gave; NULL: none';

COMMENT ON COLUMN public.act.number IS 'How many items, keys, … it changed; 0: it came to nothing';

COMMENT ON COLUMN public.act.result IS 'What came of it, in a sentence';

ALTER TABLE public.act ALTER COLUMN act_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.act_act_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);

CREATE TABLE public.client (
    client_id integer NOT NULL,
    client_name text NOT NULL,
    client_type text NOT NULL,
    api_key_sha256 bytea NOT NULL,
    api_key_prefix text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    revoked_at timestamp with time zone,
    internal_hostname text,
    internal_ip_address text,
    last_seen_at timestamp with time zone,
    CONSTRAINT client_api_key_sha256_is_sha256 CHECK ((octet_length(api_key_sha256) = 32)),
    CONSTRAINT client_client_type_known CHECK ((client_type = ANY (ARRAY['etl'::text, 'signum-printer'::text]))),
    CONSTRAINT client_created_at_readable CHECK ((((created_at AT TIME ZONE 'UTC'::text) >= '0001-01-02 00:00:00'::timestamp without time zone) AND ((created_at AT TIME ZONE 'UTC'::text) <= '9999-12-30 00:00:00'::timestamp without time zone))),
    CONSTRAINT client_last_seen_at_readable CHECK ((((last_seen_at AT TIME ZONE 'UTC'::text) >= '0001-01-02 00:00:00'::timestamp without time zone) AND ((last_seen_at AT TIME ZONE 'UTC'::text) <= '9999-12-30 00:00:00'::timestamp without time zone))),
    CONSTRAINT client_revoked_at_readable CHECK ((((revoked_at AT TIME ZONE 'UTC'::text) >= '0001-01-02 00:00:00'::timestamp without time zone) AND ((revoked_at AT TIME ZONE 'UTC'::text) <= '9999-12-30 00:00:00'::timestamp without time zone)))
);

COMMENT ON TABLE public.client IS 'Who may call the API. Keys are shown once when made; here is only their SHA-256';

COMMENT ON COLUMN public.client.client_id IS 'Rising number';

COMMENT ON COLUMN public.client.client_name IS 'Name, as it stands in update_queue.queued_by';

COMMENT ON COLUMN public.client.client_type IS 'etl: may sync; signum-printer: may read and mark items';

COMMENT ON COLUMN public.client.api_key_sha256 IS 'SHA-256 of the API key';

COMMENT ON COLUMN public.client.api_key_prefix IS 'First characters of the API key, to recognise it by';

COMMENT ON COLUMN public.client.created_at IS 'When the client was added';

COMMENT ON COLUMN public.client.revoked_at IS 'Since when its key is refused; NULL: valid';

COMMENT ON COLUMN public.client.internal_hostname IS 'Host name that the client last told';

COMMENT ON COLUMN public.client.internal_ip_address IS 'Address that the client last told';

COMMENT ON COLUMN public.client.last_seen_at IS 'When it was last heard of, to within a few seconds';

ALTER TABLE public.client ALTER COLUMN client_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.client_client_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW public.client_overview AS
 SELECT client_name,
    client_type,
        CASE
            WHEN (revoked_at IS NULL) THEN 'valid'::text
            ELSE 'revoked'::text
        END AS state,
    (now() - last_seen_at) AS last_seen_ago,
    internal_hostname,
    internal_ip_address,
    api_key_prefix,
    created_at,
    last_seen_at,
    revoked_at
   FROM public.client;

COMMENT ON VIEW public.client_overview IS 'Who may call the API, from which computer, and when each was last seen';

COMMENT ON COLUMN public.client_overview.client_name IS 'Name, as it stands in update_queue.queued_by';

COMMENT ON COLUMN public.client_overview.client_type IS 'etl: may sync; signum-printer: may read and mark items';

COMMENT ON COLUMN public.client_overview.state IS 'valid, or revoked';

COMMENT ON COLUMN public.client_overview.last_seen_ago IS 'How long ago it was last heard of; NULL: never';

COMMENT ON COLUMN public.client_overview.internal_hostname IS 'Host name that the client last told';

COMMENT ON COLUMN public.client_overview.internal_ip_address IS 'Address that the client last told';

COMMENT ON COLUMN public.client_overview.api_key_prefix IS 'First characters of its API key, to recognise it by';

COMMENT ON COLUMN public.client_overview.created_at IS 'When the client was added';

COMMENT ON COLUMN public.client_overview.last_seen_at IS 'When it was last heard of';

COMMENT ON COLUMN public.client_overview.revoked_at IS 'Since when its key is refused; NULL: valid';

CREATE TABLE public.console_session (
    session_sha256 bytea NOT NULL,
    person_id integer NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    used_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT console_session_created_at_readable CHECK ((((created_at AT TIME ZONE 'UTC'::text) >= '0001-01-02 00:00:00'::timestamp without time zone) AND ((created_at AT TIME ZONE 'UTC'::text) <= '9999-12-30 00:00:00'::timestamp without time zone))),
    CONSTRAINT console_session_session_sha256_is_sha256 CHECK ((octet_length(session_sha256) = 32)),
    CONSTRAINT console_session_used_at_readable CHECK ((((used_at AT TIME ZONE 'UTC'::text) >= '0001-01-02 00:00:00'::timestamp without time zone) AND ((used_at AT TIME ZONE 'UTC'::text) <= '9999-12-30 00:00:00'::timestamp without time zone)))
);

COMMENT ON TABLE public.console_session IS 'Who is signed in to the console; a row goes when the person signs out, is revoked, or has been away too long';

COMMENT ON COLUMN public.console_session.session_sha256 IS 'SHA-256 of the cookie';

COMMENT ON COLUMN public.console_session.person_id IS 'The person';

COMMENT ON COLUMN public.console_session.created_at IS 'When the person signed in; the session ends 7 days later';

COMMENT ON COLUMN public.console_session.used_at IS 'When the session was last used, to within a minute; it ends 12 h later';

CREATE TABLE public.sierra_item (
    item_record_id bigint NOT NULL,
    item_number text,
    barcode text,
    bib_record_id bigint,
    bib_number text,
    best_author text,
    best_title text,
    itype_code_num integer,
    item_type_name text,
    material_code text,
    material_name text,
    classification text,
    shelfmark_json text,
    shelfmark text DEFAULT '***'::text NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    bib_record_ids bigint[],
    item_call_number text,
    item_updated_at timestamp with time zone,
    location_code text,
    location_name text,
    deleted_on date,
    deletion_held_on date,
    is_relabelled boolean,
    CONSTRAINT sierra_item_item_updated_at_readable CHECK ((((item_updated_at AT TIME ZONE 'UTC'::text) >= '0001-01-02 00:00:00'::timestamp without time zone) AND ((item_updated_at AT TIME ZONE 'UTC'::text) <= '9999-12-30 00:00:00'::timestamp without time zone))),
    CONSTRAINT sierra_item_updated_at_readable CHECK ((((updated_at AT TIME ZONE 'UTC'::text) >= '0001-01-02 00:00:00'::timestamp without time zone) AND ((updated_at AT TIME ZONE 'UTC'::text) <= '9999-12-30 00:00:00'::timestamp without time zone)))
)
WITH (autovacuum_vacuum_scale_factor='0.005', autovacuum_vacuum_insert_scale_factor='0.005');

COMMENT ON TABLE public.sierra_item IS 'Items as the ETL last sent them from Sierra, one row per item. Owned by the sync.';

COMMENT ON COLUMN public.sierra_item.item_record_id IS 'SierraDNA''s 64-bit key of the item record';

COMMENT ON COLUMN public.sierra_item.item_number IS 'The record number in Sierra''s URLs; without it nothing can be pushed';

COMMENT ON COLUMN public.sierra_item.barcode IS 'What the print station reads; looked up exactly, case too';

COMMENT ON COLUMN public.sierra_item.bib_record_id IS 'SierraDNA''s key of the bib; of several, the highest of the batch';

COMMENT ON COLUMN public.sierra_item.bib_number IS 'Record number of the bib';

COMMENT ON COLUMN public.sierra_item.best_author IS 'Author, for the print station''s display';

COMMENT ON COLUMN public.sierra_item.best_title IS 'Title, for the print station''s display';

COMMENT ON COLUMN public.sierra_item.itype_code_num IS 'Item type code. The deployed ETL cuts it to 8 bits (300 comes as 44): rely on item_type_name';

COMMENT ON COLUMN public.sierra_item.item_type_name IS 'Name of the item type';

COMMENT ON COLUMN public.sierra_item.material_code IS 'Code of the bib''s material type';

COMMENT ON COLUMN public.sierra_item.material_name IS 'Name of the bib''s material type';

COMMENT ON COLUMN public.sierra_item.classification IS 'Class number that is printed and written to Sierra; NULL: none';

COMMENT ON COLUMN public.sierra_item.shelfmark_json IS 'Subfields of MARC 100/110/111/130/245 as received, JSON or Python repr; compared byte for byte. Empty: forgotten, the next batch that brings the item makes its shelfmark anew';

COMMENT ON COLUMN public.sierra_item.shelfmark IS 'The three letters that sort the item on its shelf, made from shelfmark_json; *** where there are none';

COMMENT ON COLUMN public.sierra_item.updated_at IS 'Timestamp of the batch that last changed this row (Sierra''s clock)';

COMMENT ON COLUMN public.sierra_item.bib_record_ids IS 'The bibs of an item that has several, as the last full sync found them; NULL: one';

COMMENT ON COLUMN public.sierra_item.item_call_number IS 'Call number that Sierra showed; NULL: none, or the ETL does not bring it';

COMMENT ON COLUMN public.sierra_item.item_updated_at IS 'When Sierra had last changed the record, as of the last change here; loans change it too';

COMMENT ON COLUMN public.sierra_item.location_code IS 'Code of the item''s location; NULL: the ETL does not bring it';

COMMENT ON COLUMN public.sierra_item.location_name IS 'Name of the item''s location';

COMMENT ON COLUMN public.sierra_item.deleted_on IS 'When Sierra deleted the item, which no print station gets then; NULL: it lives. A living row revives it';

COMMENT ON COLUMN public.sierra_item.deletion_held_on IS 'When Sierra deleted it, if that came among too many at once: a person must allow it; kept afterwards';

COMMENT ON COLUMN public.sierra_item.is_relabelled IS 'Whether item_call_number has the classification in front, so that an update would change nothing in it; NULL: no classification, or the ETL does not bring call numbers';

CREATE TABLE public.sync_state (
    id boolean DEFAULT true NOT NULL,
    initialized_at timestamp with time zone DEFAULT now() NOT NULL,
    sync_mode text DEFAULT 'SYNC_FULL'::text NOT NULL,
    last_synced_id bigint DEFAULT 0 NOT NULL,
    full_sync_completed_at timestamp with time zone,
    sync_changes_since timestamp with time zone,
    last_sync_run_completed_at timestamp with time zone,
    full_sync_requested_at timestamp with time zone,
    offered_mode text,
    offered_batch_size integer,
    offered_last_synced_id bigint,
    offered_timestamp timestamp with time zone,
    gap_from timestamp with time zone,
    gap_until timestamp with time zone,
    full_sync_items bigint DEFAULT 0 NOT NULL,
    early_ends integer DEFAULT 0 NOT NULL,
    all_changes_until timestamp with time zone,
    deletions_since date,
    passed_at timestamp with time zone,
    full_sync_moved_at timestamp with time zone,
    CONSTRAINT sync_state_all_changes_until_readable CHECK ((((all_changes_until AT TIME ZONE 'UTC'::text) >= '0001-01-02 00:00:00'::timestamp without time zone) AND ((all_changes_until AT TIME ZONE 'UTC'::text) <= '9999-12-30 00:00:00'::timestamp without time zone))),
    CONSTRAINT sync_state_full_sync_completed_at_readable CHECK ((((full_sync_completed_at AT TIME ZONE 'UTC'::text) >= '0001-01-02 00:00:00'::timestamp without time zone) AND ((full_sync_completed_at AT TIME ZONE 'UTC'::text) <= '9999-12-30 00:00:00'::timestamp without time zone))),
    CONSTRAINT sync_state_full_sync_moved_at_readable CHECK ((((full_sync_moved_at AT TIME ZONE 'UTC'::text) >= '0001-01-02 00:00:00'::timestamp without time zone) AND ((full_sync_moved_at AT TIME ZONE 'UTC'::text) <= '9999-12-30 00:00:00'::timestamp without time zone))),
    CONSTRAINT sync_state_full_sync_requested_at_readable CHECK ((((full_sync_requested_at AT TIME ZONE 'UTC'::text) >= '0001-01-02 00:00:00'::timestamp without time zone) AND ((full_sync_requested_at AT TIME ZONE 'UTC'::text) <= '9999-12-30 00:00:00'::timestamp without time zone))),
    CONSTRAINT sync_state_gap_from_readable CHECK ((((gap_from AT TIME ZONE 'UTC'::text) >= '0001-01-02 00:00:00'::timestamp without time zone) AND ((gap_from AT TIME ZONE 'UTC'::text) <= '9999-12-30 00:00:00'::timestamp without time zone))),
    CONSTRAINT sync_state_gap_until_readable CHECK ((((gap_until AT TIME ZONE 'UTC'::text) >= '0001-01-02 00:00:00'::timestamp without time zone) AND ((gap_until AT TIME ZONE 'UTC'::text) <= '9999-12-30 00:00:00'::timestamp without time zone))),
    CONSTRAINT sync_state_initialized_at_readable CHECK ((((initialized_at AT TIME ZONE 'UTC'::text) >= '0001-01-02 00:00:00'::timestamp without time zone) AND ((initialized_at AT TIME ZONE 'UTC'::text) <= '9999-12-30 00:00:00'::timestamp without time zone))),
    CONSTRAINT sync_state_last_sync_run_completed_at_readable CHECK ((((last_sync_run_completed_at AT TIME ZONE 'UTC'::text) >= '0001-01-02 00:00:00'::timestamp without time zone) AND ((last_sync_run_completed_at AT TIME ZONE 'UTC'::text) <= '9999-12-30 00:00:00'::timestamp without time zone))),
    CONSTRAINT sync_state_offered_mode_known CHECK ((offered_mode = ANY (ARRAY['SYNC_FULL'::text, 'SYNC_CHANGES'::text]))),
    CONSTRAINT sync_state_offered_timestamp_readable CHECK ((((offered_timestamp AT TIME ZONE 'UTC'::text) >= '0001-01-02 00:00:00'::timestamp without time zone) AND ((offered_timestamp AT TIME ZONE 'UTC'::text) <= '9999-12-30 00:00:00'::timestamp without time zone))),
    CONSTRAINT sync_state_one_row CHECK (id),
    CONSTRAINT sync_state_passed_at_readable CHECK ((((passed_at AT TIME ZONE 'UTC'::text) >= '0001-01-02 00:00:00'::timestamp without time zone) AND ((passed_at AT TIME ZONE 'UTC'::text) <= '9999-12-30 00:00:00'::timestamp without time zone))),
    CONSTRAINT sync_state_sync_changes_since_readable CHECK ((((sync_changes_since AT TIME ZONE 'UTC'::text) >= '0001-01-02 00:00:00'::timestamp without time zone) AND ((sync_changes_since AT TIME ZONE 'UTC'::text) <= '9999-12-30 00:00:00'::timestamp without time zone))),
    CONSTRAINT sync_state_sync_mode_known CHECK ((sync_mode = ANY (ARRAY['SYNC_FULL'::text, 'SYNC_CHANGES'::text])))
);

COMMENT ON TABLE public.sync_state IS 'Where the sync with Sierra stands: one row. See the view sync_overview';

COMMENT ON COLUMN public.sync_state.id IS 'Always true: there is one row';

COMMENT ON COLUMN public.sync_state.initialized_at IS 'When this database was made';

COMMENT ON COLUMN public.sync_state.sync_mode IS 'SYNC_FULL: all items, in id order; SYNC_CHANGES: what changed';

COMMENT ON COLUMN public.sync_state.last_synced_id IS 'Cursor of the full sync: items up to this item_record_id are here';

COMMENT ON COLUMN public.sync_state.full_sync_completed_at IS 'When the last full sync was complete';

COMMENT ON COLUMN public.sync_state.sync_changes_since IS 'From when on the ETL is asked for changes (Sierra''s clock)';

COMMENT ON COLUMN public.sync_state.last_sync_run_completed_at IS 'When the last batch was taken in';

COMMENT ON COLUMN public.sync_state.full_sync_requested_at IS 'A full sync was asked for and begins with the next GET /sync';

COMMENT ON COLUMN public.sync_state.offered_mode IS 'Mode that the last GET /sync handed out';

COMMENT ON COLUMN public.sync_state.offered_batch_size IS 'Batch size that it handed out, in items';

COMMENT ON COLUMN public.sync_state.offered_last_synced_id IS 'Cursor that it handed out';

COMMENT ON COLUMN public.sync_state.offered_timestamp IS 'Timestamp that it handed out';

COMMENT ON COLUMN public.sync_state.gap_from IS 'Changes in Sierra since then did not reach us …';

COMMENT ON COLUMN public.sync_state.gap_until IS '… up to then; closed by a full sync that begins later';

COMMENT ON COLUMN public.sync_state.full_sync_items IS 'Items that the full sync has brought so far, refused ones included';

COMMENT ON COLUMN public.sync_state.early_ends IS 'Batches in a row that would have completed the full sync with fewer items than half of those that are here; the third does';

COMMENT ON COLUMN public.sync_state.all_changes_until IS 'Until when an ETL that says changes_since has brought all changes (Sierra''s clock); NULL: no such ETL has come';

COMMENT ON COLUMN public.sync_state.deletions_since IS 'Until which day all deletions have come; NULL: none have';

COMMENT ON COLUMN public.sync_state.passed_at IS 'When the last pass over all items ended (Sierra''s clock); NULL: none has';

COMMENT ON COLUMN public.sync_state.full_sync_moved_at IS 'When the cursor of the full sync last moved, or one began';

CREATE TABLE public.update_log (
    update_log_id bigint NOT NULL,
    item_record_id bigint NOT NULL,
    item_number text,
    barcode text,
    title text,
    queued_at timestamp with time zone NOT NULL,
    queued_by text NOT NULL,
    finished_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    finished_by text NOT NULL,
    outcome text NOT NULL,
    attempts smallint NOT NULL,
    call_number_before text,
    call_number_after text,
    error text,
    sierra_ms integer,
    request_id text,
    revert_of bigint,
    shown_at timestamp with time zone,
    reason_code text,
    CONSTRAINT update_log_finished_at_readable CHECK ((((finished_at AT TIME ZONE 'UTC'::text) >= '0001-01-02 00:00:00'::timestamp without time zone) AND ((finished_at AT TIME ZONE 'UTC'::text) <= '9999-12-30 00:00:00'::timestamp without time zone))),
    CONSTRAINT update_log_outcome_known CHECK ((outcome = ANY (ARRAY['pushed'::text, 'unchanged'::text, 'rejected'::text, 'dismissed'::text]))),
    CONSTRAINT update_log_queued_at_readable CHECK ((((queued_at AT TIME ZONE 'UTC'::text) >= '0001-01-02 00:00:00'::timestamp without time zone) AND ((queued_at AT TIME ZONE 'UTC'::text) <= '9999-12-30 00:00:00'::timestamp without time zone))),
    CONSTRAINT update_log_shown_at_readable CHECK ((((shown_at AT TIME ZONE 'UTC'::text) >= '0001-01-02 00:00:00'::timestamp without time zone) AND ((shown_at AT TIME ZONE 'UTC'::text) <= '9999-12-30 00:00:00'::timestamp without time zone)))
);

COMMENT ON TABLE public.update_log IS 'What came of each queued update, kept UPDATE_LOG_RETENTION_DAYS. Never a record as Sierra sent it: a lent item names its borrower';

COMMENT ON COLUMN public.update_log.update_log_id IS 'Rising number';

COMMENT ON COLUMN public.update_log.item_record_id IS 'The item; it may have left sierra_item since';

COMMENT ON COLUMN public.update_log.item_number IS 'Its record number then';

COMMENT ON COLUMN public.update_log.barcode IS 'Its barcode then';

COMMENT ON COLUMN public.update_log.title IS 'Its title then';

COMMENT ON COLUMN public.update_log.queued_at IS 'When it had entered the queue';

COMMENT ON COLUMN public.update_log.queued_by IS 'Who had marked it';

COMMENT ON COLUMN public.update_log.finished_at IS 'When this was written';

COMMENT ON COLUMN public.update_log.finished_by IS 'The notifier, or the person who dismissed it';

COMMENT ON COLUMN public.update_log.outcome IS 'pushed: written to Sierra; unchanged: was so already; rejected; dismissed by a person';

COMMENT ON COLUMN public.update_log.attempts IS 'Pushes begun until then';

COMMENT ON COLUMN public.update_log.call_number_before IS 'Call number read from Sierra';

COMMENT ON COLUMN public.update_log.call_number_after IS 'Call number in Sierra afterwards';

COMMENT ON COLUMN public.update_log.error IS 'Why it was rejected, or what was left out of the update and why';

COMMENT ON COLUMN public.update_log.sierra_ms IS 'Milliseconds from the item''s read to the end of its write at Sierra';

COMMENT ON COLUMN public.update_log.request_id IS 'Id of the HTTP request that had marked it';

COMMENT ON COLUMN public.update_log.revert_of IS 'The row of history whose push was to be undone; NULL: an update';

COMMENT ON COLUMN public.update_log.shown_at IS 'When the ETL first brought the pushed call number back from Sierra; NULL: it has not';

COMMENT ON COLUMN public.update_log.reason_code IS 'The kind of the error of what was rejected or dismissed, one word of docs/queue.md; NULL: none, or from an older release';

CREATE TABLE public.update_queue (
    item_record_id bigint NOT NULL,
    revision bigint DEFAULT 1 NOT NULL,
    queued_at timestamp with time zone DEFAULT now() NOT NULL,
    queued_by text DEFAULT SESSION_USER NOT NULL,
    priority smallint DEFAULT 1 NOT NULL,
    attempts smallint DEFAULT 0 NOT NULL,
    due_at timestamp with time zone DEFAULT now(),
    claimed_by text,
    lease_until timestamp with time zone,
    last_error text,
    request_id text,
    trace text,
    revert_of bigint,
    unanswered_at timestamp with time zone,
    pushed_revision bigint,
    reason_code text,
    pushed_call_number text,
    CONSTRAINT update_queue_attempts_not_negative CHECK ((attempts >= 0)),
    CONSTRAINT update_queue_due_at_readable CHECK ((((due_at AT TIME ZONE 'UTC'::text) >= '0001-01-02 00:00:00'::timestamp without time zone) AND ((due_at AT TIME ZONE 'UTC'::text) <= '9999-12-30 00:00:00'::timestamp without time zone))),
    CONSTRAINT update_queue_lease_until_readable CHECK ((((lease_until AT TIME ZONE 'UTC'::text) >= '0001-01-02 00:00:00'::timestamp without time zone) AND ((lease_until AT TIME ZONE 'UTC'::text) <= '9999-12-30 00:00:00'::timestamp without time zone))),
    CONSTRAINT update_queue_priority_0_to_2 CHECK (((priority >= 0) AND (priority <= 2))),
    CONSTRAINT update_queue_queued_at_readable CHECK ((((queued_at AT TIME ZONE 'UTC'::text) >= '0001-01-02 00:00:00'::timestamp without time zone) AND ((queued_at AT TIME ZONE 'UTC'::text) <= '9999-12-30 00:00:00'::timestamp without time zone))),
    CONSTRAINT update_queue_unanswered_at_readable CHECK ((((unanswered_at AT TIME ZONE 'UTC'::text) >= '0001-01-02 00:00:00'::timestamp without time zone) AND ((unanswered_at AT TIME ZONE 'UTC'::text) <= '9999-12-30 00:00:00'::timestamp without time zone)))
)
WITH (fillfactor='70', autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='500', autovacuum_vacuum_insert_scale_factor='0', autovacuum_vacuum_insert_threshold='20000', autovacuum_analyze_scale_factor='0', autovacuum_analyze_threshold='2000', autovacuum_vacuum_cost_delay='0');

COMMENT ON TABLE public.update_queue IS 'Items that wait for their update in Sierra, one row per item. See the views queue_overview and queue_detail. To mark an item by hand: INSERT INTO update_queue (item_record_id) VALUES (…)';

COMMENT ON COLUMN public.update_queue.item_record_id IS 'The item; marking it twice is one row';

COMMENT ON COLUMN public.update_queue.revision IS 'How often the item was marked since it entered; a push finishes only the revision it claimed';

COMMENT ON COLUMN public.update_queue.queued_at IS 'When it entered. A mark on a rejected row enters anew';

COMMENT ON COLUMN public.update_queue.queued_by IS 'Who marked it: the client''s name, or the database role for plain SQL';

COMMENT ON COLUMN public.update_queue.priority IS '0 print stations, 1 plain SQL and bulk, 2 whenever there is time; lower goes first';

COMMENT ON COLUMN public.update_queue.attempts IS 'Pushes begun for this item since its last mark; Sierra being down burns none';

COMMENT ON COLUMN public.update_queue.due_at IS 'When the next push is due. NULL: rejected, due never until a person acts';

COMMENT ON COLUMN public.update_queue.claimed_by IS 'The notifier that pushes it now; of a rejected row, the one that rejected it';

COMMENT ON COLUMN public.update_queue.lease_until IS 'Until when it is claimed; lapses by itself, then any claim may. Without claimed_by: until when no claim may, for a write had no answer';

COMMENT ON COLUMN public.update_queue.last_error IS 'Why the last push failed, in a sentence a librarian understands';

COMMENT ON COLUMN public.update_queue.request_id IS 'Id of the HTTP request that marked it last';

COMMENT ON COLUMN public.update_queue.trace IS 'Sentry trace of that request';

COMMENT ON COLUMN public.update_queue.revert_of IS 'The row of history whose push is to be undone; NULL: an update. Holds for revision 1: a mark asks for an update again';

COMMENT ON COLUMN public.update_queue.unanswered_at IS 'Since when a write to Sierra has had no answer, and may still be done; NULL: none has, or it was long ago';

COMMENT ON COLUMN public.update_queue.pushed_revision IS 'The revision that was pushed when a write before had had no answer. While it is the newest, the row is here only to be looked at again';

COMMENT ON COLUMN public.update_queue.reason_code IS 'The kind of last_error, one word of docs/queue.md; holds while there is one. NULL: from an older release';

COMMENT ON COLUMN public.update_queue.pushed_call_number IS 'The call number that the push of pushed_revision left in Sierra; NULL: it is not known';

CREATE VIEW public.not_shown AS
 SELECT
        CASE
            WHEN (((l.revert_of IS NULL) AND (starts_with(l.call_number_after, i.classification) IS NOT TRUE)) OR ((i.item_updated_at > l.finished_at) AND (i.item_call_number IS DISTINCT FROM l.call_number_before))) THEN 'changed in Sierra since'::text
            ELSE 'not shown'::text
        END AS state,
    l.item_number,
    l.barcode,
    l.title,
    l.call_number_before,
    l.call_number_after AS call_number_pushed,
    i.item_call_number AS call_number_shown,
    i.classification,
    l.finished_at AS pushed_at,
    l.queued_by,
    i.item_updated_at,
    l.item_record_id,
    l.update_log_id
   FROM ((public.sync_state s
     CROSS JOIN LATERAL ( SELECT DISTINCT ON (h.item_record_id) h.item_record_id,
            h.update_log_id,
            h.outcome,
            h.shown_at,
            h.finished_at,
            h.revert_of,
            h.item_number,
            h.barcode,
            h.title,
            h.call_number_before,
            h.call_number_after,
            h.queued_by
           FROM public.update_log h
          WHERE (h.finished_at > (now() - '30 days'::interval))
          ORDER BY h.item_record_id, h.update_log_id DESC) l)
     JOIN public.sierra_item i ON ((i.item_record_id = l.item_record_id)))
  WHERE ((i.deleted_on IS NULL) AND (s.gap_from IS NULL) AND (l.outcome = 'pushed'::text) AND (l.shown_at IS NULL) AND (l.finished_at < (s.all_changes_until - '01:00:00'::interval)) AND (l.call_number_after <> COALESCE(i.item_call_number, ''::text)) AND (num_nonnulls(i.item_call_number, i.item_updated_at, i.location_code) > 0) AND (NOT (EXISTS ( SELECT
           FROM public.update_queue q
          WHERE (q.item_record_id = l.item_record_id)))));

COMMENT ON VIEW public.not_shown IS 'Pushes of the last 30 days that SierraDNA does not show an hour later, unless the item is queued again. Needs an ETL that brings call numbers';

COMMENT ON COLUMN public.not_shown.state IS 'not shown: mark the item again; changed in Sierra since: its class was, or its call number by somebody else';

COMMENT ON COLUMN public.not_shown.item_number IS 'The item''s record number then';

COMMENT ON COLUMN public.not_shown.barcode IS 'Its barcode then';

COMMENT ON COLUMN public.not_shown.title IS 'Its title then';

COMMENT ON COLUMN public.not_shown.call_number_before IS 'Call number read from Sierra before the push';

COMMENT ON COLUMN public.not_shown.call_number_pushed IS 'Call number that was written';

COMMENT ON COLUMN public.not_shown.call_number_shown IS 'Call number that SierraDNA shows; NULL: none';

COMMENT ON COLUMN public.not_shown.classification IS 'The class number that a push would write now';

COMMENT ON COLUMN public.not_shown.pushed_at IS 'When the push ended';

COMMENT ON COLUMN public.not_shown.queued_by IS 'The client that had marked it, or the database role for plain SQL';

COMMENT ON COLUMN public.not_shown.item_updated_at IS 'When Sierra had last changed the record';

COMMENT ON COLUMN public.not_shown.item_record_id IS 'The item';

COMMENT ON COLUMN public.not_shown.update_log_id IS 'The row of history';

CREATE TABLE public.notifier_state (
    notifier text NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    seen_at timestamp with time zone DEFAULT now() NOT NULL,
    mode text NOT NULL,
    breaker text NOT NULL,
    reason text,
    last_success_at timestamp with time zone,
    looped_at timestamp with time zone,
    waits_for text,
    CONSTRAINT notifier_state_breaker_known CHECK ((breaker = ANY (ARRAY['closed'::text, 'sampling'::text, 'open'::text, 'probing'::text]))),
    CONSTRAINT notifier_state_last_success_at_readable CHECK ((((last_success_at AT TIME ZONE 'UTC'::text) >= '0001-01-02 00:00:00'::timestamp without time zone) AND ((last_success_at AT TIME ZONE 'UTC'::text) <= '9999-12-30 00:00:00'::timestamp without time zone))),
    CONSTRAINT notifier_state_looped_at_readable CHECK ((((looped_at AT TIME ZONE 'UTC'::text) >= '0001-01-02 00:00:00'::timestamp without time zone) AND ((looped_at AT TIME ZONE 'UTC'::text) <= '9999-12-30 00:00:00'::timestamp without time zone))),
    CONSTRAINT notifier_state_mode_known CHECK ((mode = ANY (ARRAY['starting'::text, 'listening'::text, 'polling'::text, 'stopped'::text]))),
    CONSTRAINT notifier_state_seen_at_readable CHECK ((((seen_at AT TIME ZONE 'UTC'::text) >= '0001-01-02 00:00:00'::timestamp without time zone) AND ((seen_at AT TIME ZONE 'UTC'::text) <= '9999-12-30 00:00:00'::timestamp without time zone))),
    CONSTRAINT notifier_state_started_at_readable CHECK ((((started_at AT TIME ZONE 'UTC'::text) >= '0001-01-02 00:00:00'::timestamp without time zone) AND ((started_at AT TIME ZONE 'UTC'::text) <= '9999-12-30 00:00:00'::timestamp without time zone))),
    CONSTRAINT notifier_state_waits_for_known CHECK ((waits_for = ANY (ARRAY['answer'::text, 'Sierra'::text, 'person'::text])))
);

COMMENT ON TABLE public.notifier_state IS 'What each notifier process last said of itself. See the view notifier_overview';

COMMENT ON COLUMN public.notifier_state.notifier IS 'Host name, process id and a random word; as in update_queue.claimed_by';

COMMENT ON COLUMN public.notifier_state.started_at IS 'When the process began';

COMMENT ON COLUMN public.notifier_state.seen_at IS 'When it last said so; every 5 s';

COMMENT ON COLUMN public.notifier_state.mode IS 'starting, listening (woken by NOTIFY), polling (can''t hear, sweeps only), stopped';

COMMENT ON COLUMN public.notifier_state.breaker IS 'closed: pushing; sampling: five items failed alike, trying three new ones; open: waiting; probing: trying one item';

COMMENT ON COLUMN public.notifier_state.reason IS 'Why the breaker is not closed, or why it polls';

COMMENT ON COLUMN public.notifier_state.last_success_at IS 'When Sierra last answered it well';

COMMENT ON COLUMN public.notifier_state.looped_at IS 'When its loop last came round: looked at the queue, or moved an item on';

COMMENT ON COLUMN public.notifier_state.waits_for IS 'What must come before it pushes again. answer: Sierra gives none; Sierra: it says that it is unwell; person: who acts as reason says; NULL: nothing';

CREATE TABLE public.queue_control (
    id boolean DEFAULT true NOT NULL,
    paused_at timestamp with time zone,
    paused_by text,
    reason text,
    resume_at timestamp with time zone,
    CONSTRAINT queue_control_one_row CHECK (id),
    CONSTRAINT queue_control_paused_at_readable CHECK ((((paused_at AT TIME ZONE 'UTC'::text) >= '0001-01-02 00:00:00'::timestamp without time zone) AND ((paused_at AT TIME ZONE 'UTC'::text) <= '9999-12-30 00:00:00'::timestamp without time zone))),
    CONSTRAINT queue_control_resume_at_readable CHECK ((((resume_at AT TIME ZONE 'UTC'::text) >= '0001-01-02 00:00:00'::timestamp without time zone) AND ((resume_at AT TIME ZONE 'UTC'::text) <= '9999-12-30 00:00:00'::timestamp without time zone)))
);

COMMENT ON TABLE public.queue_control IS 'Whether pushes to Sierra are paused: one row. Marks and reads go on meanwhile';

COMMENT ON COLUMN public.queue_control.id IS 'Always true: there is one row';

COMMENT ON COLUMN public.queue_control.paused_at IS 'Since when nothing is claimed; NULL: not paused';

COMMENT ON COLUMN public.queue_control.paused_by IS 'Who paused it';

COMMENT ON COLUMN public.queue_control.reason IS 'Why';

COMMENT ON COLUMN public.queue_control.resume_at IS 'When it goes on by itself; NULL: when a person says so';

CREATE VIEW public.queue_progress AS
 SELECT c.paused_at,
    c.paused_by,
    c.reason AS pause_reason,
    c.resume_at,
    due.oldest_due_at,
    (now() - due.oldest_due_at) AS oldest_due_age
   FROM (( SELECT min(GREATEST(u.due_at, u.lease_until)) AS oldest_due_at
           FROM (( VALUES ((0)::smallint), (1), (2)) level(priority)
             CROSS JOIN LATERAL ( SELECT q.due_at,
                    q.lease_until
                   FROM public.update_queue q
                  WHERE ((q.priority = level.priority) AND (q.due_at <= now()) AND ((q.lease_until IS NULL) OR (q.lease_until <= now())))
                  ORDER BY q.due_at
                 LIMIT 1) u)) due
     LEFT JOIN public.queue_control c ON (((c.paused_at IS NOT NULL) AND ((c.resume_at IS NULL) OR (c.resume_at > now())))));

COMMENT ON VIEW public.queue_progress IS 'One row. The pause that is in force, else NULL; and since when the oldest item that nobody pushes could have been claimed';

COMMENT ON COLUMN public.queue_progress.paused_at IS 'Since when nothing is claimed; NULL: not paused';

COMMENT ON COLUMN public.queue_progress.paused_by IS 'The person who paused it';

COMMENT ON COLUMN public.queue_progress.pause_reason IS 'Why it is paused';

COMMENT ON COLUMN public.queue_progress.resume_at IS 'When it goes on by itself; NULL: when a person says so';

COMMENT ON COLUMN public.queue_progress.oldest_due_at IS 'Since when the oldest item that no notifier pushes could have been claimed; NULL: there is none';

COMMENT ON COLUMN public.queue_progress.oldest_due_age IS 'For how long that is';

CREATE VIEW public.notifier_overview AS
 SELECT n.notifier,
        CASE
            WHEN (n.mode = 'stopped'::text) THEN 'stopped'::text
            WHEN (n.seen_at < (now() - '00:00:30'::interval)) THEN 'gone'::text
            WHEN (p.paused_at IS NOT NULL) THEN 'paused'::text
            WHEN (n.breaker = 'open'::text) THEN waiting.state
            WHEN ((n.looped_at < (now() - '00:02:00'::interval)) AND (p.oldest_due_age > '00:02:00'::interval)) THEN 'stalled'::text
            WHEN (n.breaker = 'probing'::text) THEN waiting.state
            ELSE n.mode
        END AS state,
    n.mode,
    n.breaker,
        CASE
            WHEN (p.paused_at IS NOT NULL) THEN COALESCE(p.pause_reason, 'paused'::text)
            ELSE n.reason
        END AS reason,
    (now() - n.seen_at) AS seen_ago,
    (now() - n.looped_at) AS looped_ago,
    (now() - n.last_success_at) AS last_success_ago,
    p.oldest_due_age,
    n.started_at,
    n.waits_for
   FROM ((public.notifier_state n
     CROSS JOIN public.queue_progress p)
     CROSS JOIN LATERAL ( SELECT
                CASE
                    WHEN (n.waits_for = 'person'::text) THEN 'waiting for a person'::text
                    ELSE 'waiting for Sierra'::text
                END AS state) waiting);

COMMENT ON VIEW public.notifier_overview IS 'How each notifier is. waiting for a person: who acts as reason says, then it goes on; stalled: an item could have been claimed for 2 minutes, and its loop has not come round in that time; gone: not heard of for 30 s';

COMMENT ON COLUMN public.notifier_overview.notifier IS 'Host name, process id and a random word; as in update_queue.claimed_by';

COMMENT ON COLUMN public.notifier_overview.state IS 'listening or polling: well; paused; waiting for Sierra, or for a person; stalled; gone; starting; stopped';

COMMENT ON COLUMN public.notifier_overview.mode IS 'starting, listening (woken by NOTIFY), polling (can''t hear, sweeps only), stopped';

COMMENT ON COLUMN public.notifier_overview.breaker IS 'closed: pushing; sampling: five items failed alike, trying three new ones; open: waiting; probing: trying one item';

COMMENT ON COLUMN public.notifier_overview.reason IS 'Why it does not push, or why it polls';

COMMENT ON COLUMN public.notifier_overview.seen_ago IS 'How long ago it last said how it is; it does so every 5 s';

COMMENT ON COLUMN public.notifier_overview.looped_ago IS 'How long ago its loop last came round: looked at the queue, or moved an item on';

COMMENT ON COLUMN public.notifier_overview.last_success_ago IS 'How long ago Sierra last answered it well';

COMMENT ON COLUMN public.notifier_overview.oldest_due_age IS 'For how long the oldest item that no notifier pushes could have been claimed; NULL: there is none';

COMMENT ON COLUMN public.notifier_overview.started_at IS 'When the process began';

COMMENT ON COLUMN public.notifier_overview.waits_for IS 'What must come before it pushes again: answer, Sierra or person; NULL: nothing';

CREATE TABLE public.person (
    person_id integer NOT NULL,
    person_name text NOT NULL,
    role text NOT NULL,
    key_sha256 bytea,
    language text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    revoked_at timestamp with time zone,
    last_seen_at timestamp with time zone,
    CONSTRAINT person_created_at_readable CHECK ((((created_at AT TIME ZONE 'UTC'::text) >= '0001-01-02 00:00:00'::timestamp without time zone) AND ((created_at AT TIME ZONE 'UTC'::text) <= '9999-12-30 00:00:00'::timestamp without time zone))),
    CONSTRAINT person_key_sha256_is_sha256 CHECK ((octet_length(key_sha256) = 32)),
    CONSTRAINT person_language_known CHECK ((language = ANY (ARRAY['fi'::text, 'sv'::text, 'en'::text]))),
    CONSTRAINT person_last_seen_at_readable CHECK ((((last_seen_at AT TIME ZONE 'UTC'::text) >= '0001-01-02 00:00:00'::timestamp without time zone) AND ((last_seen_at AT TIME ZONE 'UTC'::text) <= '9999-12-30 00:00:00'::timestamp without time zone))),
    CONSTRAINT person_revoked_at_readable CHECK ((((revoked_at AT TIME ZONE 'UTC'::text) >= '0001-01-02 00:00:00'::timestamp without time zone) AND ((revoked_at AT TIME ZONE 'UTC'::text) <= '9999-12-30 00:00:00'::timestamp without time zone))),
    CONSTRAINT person_role_known CHECK ((role = ANY (ARRAY['viewer'::text, 'operator'::text, 'admin'::text])))
);

COMMENT ON TABLE public.person IS 'Who may use the console. Keys are shown once when made; here is only their SHA-256';

COMMENT ON COLUMN public.person.person_id IS 'Rising number';

COMMENT ON COLUMN public.person.person_name IS 'Name, as it stands in act.person and update_queue.queued_by; no client has it';

COMMENT ON COLUMN public.person.role IS 'viewer: looks; operator: acts on items; admin: manages persons, clients and the sync too';

COMMENT ON COLUMN public.person.key_sha256 IS 'SHA-256 of the key; NULL: signs in by the proxy in front only';

COMMENT ON COLUMN public.person.language IS 'Language that the person chose; NULL: the browser''s';

COMMENT ON COLUMN public.person.created_at IS 'When the person was added';

COMMENT ON COLUMN public.person.revoked_at IS 'Since when the person is let in no more; NULL: is let in';

COMMENT ON COLUMN public.person.last_seen_at IS 'When the person last opened a page, to within a minute';

ALTER TABLE public.person ALTER COLUMN person_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.person_person_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.progress_count (
    location text NOT NULL,
    item_type text NOT NULL,
    material text NOT NULL,
    done bigint NOT NULL,
    to_do bigint NOT NULL,
    without_classification bigint NOT NULL,
    unknown bigint NOT NULL,
    counted_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT progress_count_counted_at_readable CHECK ((((counted_at AT TIME ZONE 'UTC'::text) >= '0001-01-02 00:00:00'::timestamp without time zone) AND ((counted_at AT TIME ZONE 'UTC'::text) <= '9999-12-30 00:00:00'::timestamp without time zone)))
);

COMMENT ON TABLE public.progress_count IS 'How many living items of each collection are relabelled; a notifier counts them every ten minutes. See the view progress_overview';

COMMENT ON COLUMN public.progress_count.location IS 'Name of the location; empty: none, or the ETL does not bring it';

COMMENT ON COLUMN public.progress_count.item_type IS 'Name of the item type; empty: none';

COMMENT ON COLUMN public.progress_count.material IS 'Name of the material type; empty: none';

COMMENT ON COLUMN public.progress_count.done IS 'Items whose call number in Sierra has the classification in front';

COMMENT ON COLUMN public.progress_count.to_do IS 'Items with a classification that their call number in Sierra does not have in front';

COMMENT ON COLUMN public.progress_count.without_classification IS 'Items that have no classification, and so nothing to be relabelled with';

COMMENT ON COLUMN public.progress_count.unknown IS 'Items with a classification whose call number in Sierra is not known here';

COMMENT ON COLUMN public.progress_count.counted_at IS 'As of when';

CREATE TABLE public.progress_day (
    day date NOT NULL,
    desk text NOT NULL,
    pushed bigint NOT NULL,
    relabelled bigint NOT NULL
);

COMMENT ON TABLE public.progress_day IS 'What each print station had written to Sierra, day by day; kept for ever. A notifier adds it up from update_log every ten minutes';

COMMENT ON COLUMN public.progress_day.day IS 'The day (UTC)';

COMMENT ON COLUMN public.progress_day.desk IS 'The print station; empty: all marks of persons and scripts together';

COMMENT ON COLUMN public.progress_day.pushed IS 'Updates that were written to Sierra, without those that undid one';

COMMENT ON COLUMN public.progress_day.relabelled IS 'Of them, those that changed the call number';

CREATE VIEW public.progress_overview AS
 SELECT c.counted_at,
    c.done,
    c.to_do,
    c.without_classification,
    c.unknown,
    d.pushed,
    d.relabelled,
    d.first_day,
    round(p.a_day, 1) AS a_day,
        CASE
            WHEN (e.because IS NULL) THEN (t.today + (ceil((((c.to_do + c.unknown))::numeric / p.a_day)))::integer)
            ELSE NULL::date
        END AS ends_on,
    e.because AS no_end_because
   FROM ((((( SELECT max(progress_count.counted_at) AS counted_at,
            (COALESCE(sum(progress_count.done), (0)::numeric))::bigint AS done,
            (COALESCE(sum(progress_count.to_do), (0)::numeric))::bigint AS to_do,
            (COALESCE(sum(progress_count.without_classification), (0)::numeric))::bigint AS without_classification,
            (COALESCE(sum(progress_count.unknown), (0)::numeric))::bigint AS unknown
           FROM public.progress_count) c
     CROSS JOIN ( SELECT ((now() AT TIME ZONE 'UTC'::text))::date AS today) t)
     CROSS JOIN LATERAL ( SELECT (COALESCE(sum(progress_day.pushed), (0)::numeric))::bigint AS pushed,
            (COALESCE(sum(progress_day.relabelled), (0)::numeric))::bigint AS relabelled,
            sum(progress_day.relabelled) FILTER (WHERE ((progress_day.day >= (t.today - 28)) AND (progress_day.day <= (t.today - 1)))) AS in_four_weeks,
            min(progress_day.day) AS first_day
           FROM public.progress_day) d)
     CROSS JOIN LATERAL ( SELECT (d.in_four_weeks / (NULLIF(LEAST(28, (t.today - d.first_day)), 0))::numeric) AS a_day) p)
     CROSS JOIN LATERAL ( SELECT
                CASE
                    WHEN (c.counted_at IS NULL) THEN 'nothing has been counted yet'::text
                    WHEN ((c.to_do + c.unknown) = 0) THEN 'all items with a classification are relabelled'::text
                    WHEN ((c.done + c.to_do) = 0) THEN 'the ETL brings no call numbers, so only what was pushed is known'::text
                    WHEN (COALESCE(p.a_day, (0)::numeric) = (0)::numeric) THEN 'nothing was relabelled in the four weeks before today'::text
                    WHEN ((((c.to_do + c.unknown))::numeric / p.a_day) > (36525)::numeric) THEN 'at this pace it takes more than a hundred years'::text
                    ELSE NULL::text
                END AS because) e);

COMMENT ON VIEW public.progress_overview IS 'One row: how much of the relabelling is done, at which pace, and when it ends at that pace';

COMMENT ON COLUMN public.progress_overview.counted_at IS 'As of when the items were counted; NULL: not yet';

COMMENT ON COLUMN public.progress_overview.done IS 'Items whose call number in Sierra has the classification in front';

COMMENT ON COLUMN public.progress_overview.to_do IS 'Items with a classification that their call number in Sierra does not have in front';

COMMENT ON COLUMN public.progress_overview.without_classification IS 'Items that have no classification, and so nothing to be relabelled with';

COMMENT ON COLUMN public.progress_overview.unknown IS 'Items with a classification whose call number in Sierra is not known here; for the end they count as to do';

COMMENT ON COLUMN public.progress_overview.pushed IS 'Updates written to Sierra since first_day, without those that undid one';

COMMENT ON COLUMN public.progress_overview.relabelled IS 'Of them, those that changed the call number';

COMMENT ON COLUMN public.progress_overview.first_day IS 'The first day (UTC) of which that is known';

COMMENT ON COLUMN public.progress_overview.a_day IS 'Call numbers changed a day, Sundays included, in the four weeks before today, or since first_day; NULL: not known before there was a day';

COMMENT ON COLUMN public.progress_overview.ends_on IS 'The day (UTC) when it ends at that pace; NULL: see no_end_because';

COMMENT ON COLUMN public.progress_overview.no_end_because IS 'Why no end is told, in a sentence; NULL: it is';

CREATE VIEW public.queue_detail AS
 SELECT q.item_record_id,
    i.item_number,
    i.barcode,
    i.best_title AS title,
    i.classification,
        CASE
            WHEN (q.due_at IS NULL) THEN 'rejected'::text
            WHEN ((q.lease_until > now()) AND (q.claimed_by IS NOT NULL)) THEN 'in flight'::text
            WHEN (q.pushed_revision = q.revision) THEN 'to recheck'::text
            WHEN ((q.due_at > now()) OR (q.lease_until > now())) THEN 'postponed'::text
            ELSE 'waiting'::text
        END AS state,
        CASE
            WHEN (q.last_error IS NOT NULL) THEN q.last_error
            WHEN (q.pushed_revision = q.revision) THEN 'It was pushed, but a write before had no answer and may be done late: Sierra''s record is read once more'::text
            WHEN ((q.lease_until > now()) AND (q.claimed_by IS NULL)) THEN 'A write had no answer and may still be done: the next one waits for it'::text
            ELSE NULL::text
        END AS reason,
        CASE
            WHEN ((q.lease_until > q.due_at) AND (q.claimed_by IS NULL)) THEN q.lease_until
            ELSE q.due_at
        END AS next_try_at,
        CASE
            WHEN ((q.lease_until > now()) AND (q.claimed_by IS NULL)) THEN NULL::interval
            WHEN ((q.due_at <= now()) AND isfinite(q.due_at)) THEN (now() - q.due_at)
            ELSE NULL::interval
        END AS age,
    q.queued_at,
    q.queued_by,
    q.priority,
    q.attempts,
    q.revision,
        CASE
            WHEN ((q.lease_until > now()) AND (q.due_at IS NOT NULL)) THEN q.claimed_by
            ELSE NULL::text
        END AS pushed_by,
        CASE
            WHEN (q.revision = 1) THEN q.revert_of
            ELSE NULL::bigint
        END AS revert_of,
        CASE
            WHEN (q.last_error IS NOT NULL) THEN q.reason_code
            WHEN ((q.pushed_revision = q.revision) OR ((q.lease_until > now()) AND (q.claimed_by IS NULL))) THEN 'unanswered'::text
            ELSE NULL::text
        END AS reason_code
   FROM (public.update_queue q
     JOIN public.sierra_item i USING (item_record_id));

COMMENT ON VIEW public.queue_detail IS 'Each item in the queue: title, barcode, state in words, next try, reason; of a revert, which push it undoes. Age is counted from when it was due';

COMMENT ON COLUMN public.queue_detail.item_record_id IS 'The item';

COMMENT ON COLUMN public.queue_detail.item_number IS 'Its record number in Sierra';

COMMENT ON COLUMN public.queue_detail.barcode IS 'Its barcode';

COMMENT ON COLUMN public.queue_detail.title IS 'Its title';

COMMENT ON COLUMN public.queue_detail.classification IS 'The class number that is to be written';

COMMENT ON COLUMN public.queue_detail.state IS 'waiting, in flight, postponed, to recheck (pushed, but a write before had no answer), or rejected';

COMMENT ON COLUMN public.queue_detail.reason IS 'Why the last push failed, or why it is looked at again';

COMMENT ON COLUMN public.queue_detail.next_try_at IS 'When the next push is due. NULL: rejected, due never until a person acts';

COMMENT ON COLUMN public.queue_detail.age IS 'For how long it has been due; NULL: it is not';

COMMENT ON COLUMN public.queue_detail.queued_at IS 'When it entered. A mark on a rejected row enters anew';

COMMENT ON COLUMN public.queue_detail.queued_by IS 'The client that marked it, or the database role for plain SQL';

COMMENT ON COLUMN public.queue_detail.priority IS '0 print stations, 1 plain SQL and bulk, 2 whenever there is time; lower goes first';

COMMENT ON COLUMN public.queue_detail.attempts IS 'Pushes begun since its last mark';

COMMENT ON COLUMN public.queue_detail.revision IS 'How often it was marked since it entered';

COMMENT ON COLUMN public.queue_detail.pushed_by IS 'The notifier that pushes it now; NULL: none';

COMMENT ON COLUMN public.queue_detail.revert_of IS 'The row of history whose push is to be undone; NULL: an update';

COMMENT ON COLUMN public.queue_detail.reason_code IS 'The kind of the reason, in one word';

CREATE VIEW public.queue_overview AS
 SELECT known.state,
    count(q.item_record_id) AS items,
    max(q.age) AS oldest_age,
    min(q.next_try_at) AS next_try_at,
    ( SELECT concat('by ', p.paused_by, (': '::text || p.pause_reason), (', until '::text || (date_trunc('second'::text, p.resume_at))::text)) AS concat
           FROM public.queue_progress p
          WHERE (p.paused_at IS NOT NULL)) AS paused
   FROM (unnest(ARRAY['waiting'::text, 'in flight'::text, 'postponed'::text, 'rejected'::text, 'to recheck'::text]) WITH ORDINALITY known(state, "position")
     LEFT JOIN public.queue_detail q USING (state))
  GROUP BY known.state, known."position"
  ORDER BY known."position";

COMMENT ON VIEW public.queue_overview IS 'How many items are in each state of the queue, and for how long the oldest has been due; and if pushes are paused, by whom, why and until when';

COMMENT ON COLUMN public.queue_overview.state IS 'waiting, in flight, postponed, rejected, or to recheck (pushed, but a write before had no answer)';

COMMENT ON COLUMN public.queue_overview.items IS 'How many items are in that state';

COMMENT ON COLUMN public.queue_overview.oldest_age IS 'For how long the oldest of them has been due; NULL: none is due';

COMMENT ON COLUMN public.queue_overview.next_try_at IS 'When the first of them is due';

COMMENT ON COLUMN public.queue_overview.paused IS 'The pause that is in force: by whom, why and until when; NULL: there is none';

CREATE VIEW public.reason_overview AS
 SELECT state,
    reason_code,
    count(*) AS items,
    min(queued_at) AS oldest_queued_at,
    min(reason) AS example
   FROM public.queue_detail
  WHERE (reason IS NOT NULL)
  GROUP BY state, reason_code;

COMMENT ON VIEW public.reason_overview IS 'How many items of the queue have each kind of reason, by state; with one of the reasons';

COMMENT ON COLUMN public.reason_overview.state IS 'As in queue_detail';

COMMENT ON COLUMN public.reason_overview.reason_code IS 'The kind of the reason, in one word; NULL: from an older release';

COMMENT ON COLUMN public.reason_overview.items IS 'How many items that is';

COMMENT ON COLUMN public.reason_overview.oldest_queued_at IS 'When the first of them had entered';

COMMENT ON COLUMN public.reason_overview.example IS 'The reason of one of them, in a sentence';

CREATE TABLE public.rejected_row (
    rejected_row_id bigint NOT NULL,
    row_key text NOT NULL,
    reason_code text NOT NULL,
    item_record_id bigint,
    batch_timestamp timestamp with time zone NOT NULL,
    line text NOT NULL,
    reason text NOT NULL,
    first_at timestamp with time zone DEFAULT now() NOT NULL,
    last_at timestamp with time zone DEFAULT now() NOT NULL,
    times integer DEFAULT 1 NOT NULL,
    CONSTRAINT rejected_row_batch_timestamp_readable CHECK ((((batch_timestamp AT TIME ZONE 'UTC'::text) >= '0001-01-02 00:00:00'::timestamp without time zone) AND ((batch_timestamp AT TIME ZONE 'UTC'::text) <= '9999-12-30 00:00:00'::timestamp without time zone))),
    CONSTRAINT rejected_row_first_at_readable CHECK ((((first_at AT TIME ZONE 'UTC'::text) >= '0001-01-02 00:00:00'::timestamp without time zone) AND ((first_at AT TIME ZONE 'UTC'::text) <= '9999-12-30 00:00:00'::timestamp without time zone))),
    CONSTRAINT rejected_row_last_at_readable CHECK ((((last_at AT TIME ZONE 'UTC'::text) >= '0001-01-02 00:00:00'::timestamp without time zone) AND ((last_at AT TIME ZONE 'UTC'::text) <= '9999-12-30 00:00:00'::timestamp without time zone)))
);

COMMENT ON TABLE public.rejected_row IS 'Rows of the ETL''s batches that could not be taken in; gone when their item is stored';

COMMENT ON COLUMN public.rejected_row.rejected_row_id IS 'Rising number';

COMMENT ON COLUMN public.rejected_row.row_key IS 'The item_record_id, or a hash of the line where it can''t be read';

COMMENT ON COLUMN public.rejected_row.reason_code IS 'Kind of the reason, one word';

COMMENT ON COLUMN public.rejected_row.item_record_id IS 'The item, if its id can be read';

COMMENT ON COLUMN public.rejected_row.batch_timestamp IS 'Timestamp of the last batch that brought it';

COMMENT ON COLUMN public.rejected_row.line IS 'The row as received, cut to 8 KiB, characters that can''t be stored escaped';

COMMENT ON COLUMN public.rejected_row.reason IS 'Why it was refused, in a sentence';

COMMENT ON COLUMN public.rejected_row.first_at IS 'When it first came';

COMMENT ON COLUMN public.rejected_row.last_at IS 'When it last came';

COMMENT ON COLUMN public.rejected_row.times IS 'How often it came';

ALTER TABLE public.rejected_row ALTER COLUMN rejected_row_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.rejected_row_rejected_row_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW public.shared_barcode AS
 SELECT d.barcode,
    i.items,
    i.item_numbers,
    i.titles,
    i.item_record_ids
   FROM (( SELECT s.barcode
           FROM public.sierra_item s
          WHERE (s.barcode IS NOT NULL)
          GROUP BY s.barcode
         HAVING (count(*) > 1)) d
     CROSS JOIN LATERAL ( SELECT count(*) AS items,
            array_agg(s.item_number ORDER BY s.item_record_id) AS item_numbers,
            array_agg(s.best_title ORDER BY s.item_record_id) AS titles,
            array_agg(s.item_record_id ORDER BY s.item_record_id) AS item_record_ids
           FROM public.sierra_item s
          WHERE ((s.barcode = d.barcode) AND (s.deleted_on IS NULL))) i)
  WHERE (i.items > 1);

COMMENT ON VIEW public.shared_barcode IS 'Barcodes that several items share: print stations get 409 for them. Usually all but the last item were deleted in Sierra';

COMMENT ON COLUMN public.shared_barcode.barcode IS 'The barcode';

COMMENT ON COLUMN public.shared_barcode.items IS 'How many items have it';

COMMENT ON COLUMN public.shared_barcode.item_numbers IS 'Their record numbers, the oldest record first';

COMMENT ON COLUMN public.shared_barcode.titles IS 'Their titles, in the same order';

COMMENT ON COLUMN public.shared_barcode.item_record_ids IS 'Their keys, in the same order';

CREATE VIEW public.sync_overview AS
 SELECT sync_mode,
    last_synced_id,
    sync_changes_since,
    last_sync_run_completed_at,
    (now() - last_sync_run_completed_at) AS last_sync_run_ago,
    full_sync_completed_at,
    full_sync_requested_at,
    gap_from,
    gap_until,
        CASE
            WHEN ((gap_from IS NOT NULL) AND (((full_sync_requested_at IS NOT NULL) OR ((sync_mode = 'SYNC_FULL'::text) AND ((last_synced_id = 0) OR (sync_changes_since >= gap_until)))) IS NOT TRUE)) THEN 'changes between gap_from and gap_until are missing: run "signum sync restart"'::text
            WHEN (full_sync_requested_at IS NOT NULL) THEN 'a full sync begins when the ETL comes next'::text
            WHEN (sync_mode = 'SYNC_FULL'::text) THEN 'a full sync is under way'::text
            WHEN (EXISTS ( SELECT
               FROM public.sierra_item i
              WHERE ((i.deletion_held_on IS NOT NULL) AND (i.deleted_on IS NULL)))) THEN 'deletions are held: look at them, and if they are right run "signum sync allow-deletions"'::text
            ELSE 'changes are taken in'::text
        END AS advice,
    ( SELECT count(*) AS count
           FROM public.rejected_row) AS rejected_rows,
    initialized_at,
    (EXISTS ( SELECT
           FROM pg_locks l
          WHERE ((l.locktype = 'advisory'::text) AND l.granted AND (l.database = ( SELECT d.oid
                   FROM pg_database d
                  WHERE (d.datname = current_database()))) AND ((l.classid = (0)::oid) AND (l.objid = (1398361667)::oid) AND (l.objsubid = 1))))) AS batch_under_way,
    ( SELECT count(*) AS count
           FROM public.sierra_item i
          WHERE ((i.deletion_held_on IS NOT NULL) AND (i.deleted_on IS NULL))) AS deletions_held,
    passed_at,
    ((gap_from IS NOT NULL) AND (((full_sync_requested_at IS NOT NULL) OR ((sync_mode = 'SYNC_FULL'::text) AND ((last_synced_id = 0) OR (sync_changes_since >= gap_until)))) IS TRUE)) AS gap_closes,
        CASE sync_mode
            WHEN 'SYNC_FULL'::text THEN (now() - COALESCE(full_sync_moved_at, last_sync_run_completed_at))
            ELSE (now() - GREATEST(sync_changes_since, full_sync_completed_at))
        END AS behind
   FROM public.sync_state s;

COMMENT ON VIEW public.sync_overview IS 'Where the sync with Sierra stands, whether a batch is being taken in just now, whether changes are missing, and what to do then';

COMMENT ON COLUMN public.sync_overview.sync_mode IS 'SYNC_FULL: all items, in id order; SYNC_CHANGES: what changed';

COMMENT ON COLUMN public.sync_overview.last_synced_id IS 'Cursor of the full sync: items up to this item_record_id are here';

COMMENT ON COLUMN public.sync_overview.sync_changes_since IS 'From when on the ETL is asked for changes (Sierra''s clock)';

COMMENT ON COLUMN public.sync_overview.last_sync_run_completed_at IS 'When the last batch was taken in';

COMMENT ON COLUMN public.sync_overview.last_sync_run_ago IS 'How long ago that was';

COMMENT ON COLUMN public.sync_overview.full_sync_completed_at IS 'When the last full sync was complete';

COMMENT ON COLUMN public.sync_overview.full_sync_requested_at IS 'A full sync was asked for and begins with the next GET /sync; NULL: none was';

COMMENT ON COLUMN public.sync_overview.gap_from IS 'Changes in Sierra since then did not reach us …; NULL: none are missing';

COMMENT ON COLUMN public.sync_overview.gap_until IS '… up to then';

COMMENT ON COLUMN public.sync_overview.advice IS 'What is going on, or what to do';

COMMENT ON COLUMN public.sync_overview.rejected_rows IS 'How many rows of the ETL are kept aside in rejected_row';

COMMENT ON COLUMN public.sync_overview.initialized_at IS 'When this database was made';

COMMENT ON COLUMN public.sync_overview.batch_under_way IS 'Whether a batch is being taken in just now';

COMMENT ON COLUMN public.sync_overview.deletions_held IS 'How many items wait for a person to allow their deletion';

COMMENT ON COLUMN public.sync_overview.passed_at IS 'When the last pass over all items ended (Sierra''s clock); NULL: none has';

COMMENT ON COLUMN public.sync_overview.gap_closes IS 'Whether a full sync that was asked for, or is under way, brings what is missing';

COMMENT ON COLUMN public.sync_overview.behind IS 'How far the changes that are here are behind, or for how long a full sync has not gone on; NULL: nothing has come';

CREATE VIEW public.unreadable_barcode AS
 SELECT item_record_id,
    item_number,
    barcode,
        CASE
            WHEN (length(barcode) < 10) THEN 'has fewer than 10 characters'::text
            WHEN (length(barcode) > 30) THEN 'has more than 30 characters'::text
            ELSE 'holds a blank or another character that is neither letter, digit, _ nor a full stop'::text
        END AS reason,
    best_title AS title,
    updated_at
   FROM public.sierra_item
  WHERE ((deleted_on IS NULL) AND ((barcode ~ '[^\w.]'::text) OR ((length(barcode) < 10) OR (length(barcode) > 30))));

COMMENT ON VIEW public.unreadable_barcode IS 'Items whose barcode no print station can ask for. The cure is in Sierra';

COMMENT ON COLUMN public.unreadable_barcode.item_record_id IS 'The item';

COMMENT ON COLUMN public.unreadable_barcode.item_number IS 'Its record number';

COMMENT ON COLUMN public.unreadable_barcode.barcode IS 'Its barcode as the ETL sent it, without what stood at its ends';

COMMENT ON COLUMN public.unreadable_barcode.reason IS 'Why it can''t be asked for';

COMMENT ON COLUMN public.unreadable_barcode.title IS 'Its title';

COMMENT ON COLUMN public.unreadable_barcode.updated_at IS 'Timestamp of the batch that last changed the item';

CREATE VIEW public.update_history AS
 SELECT finished_at,
    outcome,
    barcode,
    item_number,
    title,
    call_number_before,
    call_number_after,
    error AS reason,
    queued_by,
    queued_at,
        CASE
            WHEN isfinite(queued_at) THEN (finished_at - queued_at)
            ELSE NULL::interval
        END AS took,
    sierra_ms,
    attempts,
    finished_by,
    item_record_id,
    request_id,
    update_log_id,
    revert_of,
    shown_at,
    reason_code
   FROM public.update_log;

COMMENT ON VIEW public.update_history IS 'What came of each update: call number before and after, who asked, how long it took; of a revert, which push it undid';

COMMENT ON COLUMN public.update_history.finished_at IS 'When it ended';

COMMENT ON COLUMN public.update_history.outcome IS 'pushed: written to Sierra; unchanged: was so already; rejected; dismissed by a person';

COMMENT ON COLUMN public.update_history.barcode IS 'The item''s barcode then';

COMMENT ON COLUMN public.update_history.item_number IS 'Its record number then';

COMMENT ON COLUMN public.update_history.title IS 'Its title then';

COMMENT ON COLUMN public.update_history.call_number_before IS 'Call number read from Sierra';

COMMENT ON COLUMN public.update_history.call_number_after IS 'Call number in Sierra afterwards';

COMMENT ON COLUMN public.update_history.reason IS 'Why it was rejected, or what was left out of the update and why';

COMMENT ON COLUMN public.update_history.queued_by IS 'The client that had marked it, or the database role for plain SQL';

COMMENT ON COLUMN public.update_history.queued_at IS 'When it had entered the queue';

COMMENT ON COLUMN public.update_history.took IS 'From entering the queue to its end';

COMMENT ON COLUMN public.update_history.sierra_ms IS 'Milliseconds from the item''s read to the end of its write at Sierra';

COMMENT ON COLUMN public.update_history.attempts IS 'Pushes begun until then';

COMMENT ON COLUMN public.update_history.finished_by IS 'The notifier, or the person who dismissed it';

COMMENT ON COLUMN public.update_history.item_record_id IS 'The item; it may have left sierra_item since';

COMMENT ON COLUMN public.update_history.request_id IS 'Id of the HTTP request that had marked it';

COMMENT ON COLUMN public.update_history.update_log_id IS 'Rising number, by which signum revert names the row';

COMMENT ON COLUMN public.update_history.revert_of IS 'The row of history whose push was to be undone; NULL: an update';

COMMENT ON COLUMN public.update_history.shown_at IS 'When the ETL first brought the pushed call number back from Sierra; NULL: it has not';

COMMENT ON COLUMN public.update_history.reason_code IS 'The kind of the reason for which it was rejected or had failed, in one word; NULL: none, or from an older release';

ALTER TABLE public.update_log ALTER COLUMN update_log_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.update_log_update_log_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE ONLY public.act
    ADD CONSTRAINT act_pkey PRIMARY KEY (act_id);

ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);

ALTER TABLE ONLY public.client
    ADD CONSTRAINT client_api_key_sha256_key UNIQUE (api_key_sha256);

ALTER TABLE ONLY public.client
    ADD CONSTRAINT client_client_name_key UNIQUE (client_name);

ALTER TABLE ONLY public.client
    ADD CONSTRAINT client_pkey PRIMARY KEY (client_id);

ALTER TABLE ONLY public.console_session
    ADD CONSTRAINT console_session_pkey PRIMARY KEY (session_sha256);

ALTER TABLE ONLY public.notifier_state
    ADD CONSTRAINT notifier_state_pkey PRIMARY KEY (notifier);

ALTER TABLE ONLY public.person
    ADD CONSTRAINT person_key_sha256_key UNIQUE (key_sha256);

ALTER TABLE ONLY public.person
    ADD CONSTRAINT person_person_name_key UNIQUE (person_name);

ALTER TABLE ONLY public.person
    ADD CONSTRAINT person_pkey PRIMARY KEY (person_id);

ALTER TABLE ONLY public.progress_count
    ADD CONSTRAINT progress_count_pkey PRIMARY KEY (location, item_type, material);

ALTER TABLE ONLY public.progress_day
    ADD CONSTRAINT progress_day_pkey PRIMARY KEY (day, desk);

ALTER TABLE ONLY public.queue_control
    ADD CONSTRAINT queue_control_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.rejected_row
    ADD CONSTRAINT rejected_row_pkey PRIMARY KEY (rejected_row_id);

ALTER TABLE ONLY public.rejected_row
    ADD CONSTRAINT rejected_row_row_key_key UNIQUE (row_key, reason_code);

ALTER TABLE ONLY public.sierra_item
    ADD CONSTRAINT sierra_item_pkey PRIMARY KEY (item_record_id);

ALTER TABLE ONLY public.sync_state
    ADD CONSTRAINT sync_state_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.update_log
    ADD CONSTRAINT update_log_pkey PRIMARY KEY (update_log_id);

ALTER TABLE ONLY public.update_queue
    ADD CONSTRAINT update_queue_pkey PRIMARY KEY (item_record_id);

COMMENT ON INDEX public.act_pkey IS 'Key';

COMMENT ON INDEX public.client_api_key_sha256_key IS 'Finds the client of a request by its key';

COMMENT ON INDEX public.client_client_name_key IS 'No two clients have one name';

COMMENT ON INDEX public.client_pkey IS 'Client by its number';

CREATE INDEX console_session_person_id_idx ON public.console_session USING btree (person_id);

COMMENT ON INDEX public.console_session_person_id_idx IS 'Ends all sessions of a person';

COMMENT ON INDEX public.console_session_pkey IS 'Finds the session of a cookie';

COMMENT ON INDEX public.notifier_state_pkey IS 'Notifier by its name';

COMMENT ON INDEX public.person_key_sha256_key IS 'Finds the person who signs in';

COMMENT ON INDEX public.person_person_name_key IS 'A name is given once';

COMMENT ON INDEX public.person_pkey IS 'Key';

COMMENT ON INDEX public.progress_count_pkey IS 'One row per collection';

COMMENT ON INDEX public.progress_day_pkey IS 'One row per day and print station; found from the newest day on';

COMMENT ON INDEX public.queue_control_pkey IS 'There is one row';

CREATE INDEX rejected_row_item_record_id_idx ON public.rejected_row USING btree (item_record_id);

COMMENT ON INDEX public.rejected_row_item_record_id_idx IS 'Finds the refused rows of an item that has been stored at last';

COMMENT ON INDEX public.rejected_row_pkey IS 'Refused row by its number';

COMMENT ON INDEX public.rejected_row_row_key_key IS 'A row refused again for the same reason is counted, not kept twice';

CREATE INDEX sierra_item_barcode_idx ON public.sierra_item USING btree (barcode);

COMMENT ON INDEX public.sierra_item_barcode_idx IS 'Item by barcode: the print stations. Not unique, for Sierra lets two items share one';

CREATE INDEX sierra_item_deleted_idx ON public.sierra_item USING btree (deleted_on) WHERE ((deleted_on IS NOT NULL) OR (deletion_held_on IS NOT NULL));

COMMENT ON INDEX public.sierra_item_deleted_idx IS 'Items that are deleted, or whose deletion is held';

COMMENT ON INDEX public.sierra_item_pkey IS 'Item by its key: marks, claims and the sync';

CREATE INDEX sierra_item_progress_idx ON public.sierra_item USING btree (location_name, item_type_name, material_name, is_relabelled) WHERE ((deleted_on IS NULL) AND (classification IS NOT NULL));

COMMENT ON INDEX public.sierra_item_progress_idx IS 'Counts by collection which items are relabelled, without reading them';

CREATE INDEX sierra_item_unclassified_idx ON public.sierra_item USING btree (location_name, item_type_name, material_name) WHERE ((deleted_on IS NULL) AND (classification IS NULL));

COMMENT ON INDEX public.sierra_item_unclassified_idx IS 'Counts by collection which items have no classification, without reading them';

COMMENT ON INDEX public.sync_state_pkey IS 'There is one row';

CREATE INDEX update_log_barcode_idx ON public.update_log USING btree (barcode);

COMMENT ON INDEX public.update_log_barcode_idx IS 'History of one barcode';

CREATE INDEX update_log_finished_at_idx ON public.update_log USING brin (finished_at);

COMMENT ON INDEX public.update_log_finished_at_idx IS 'What happened yesterday; BRIN, for rows arrive in the order of time';

COMMENT ON INDEX public.update_log_pkey IS 'In the order of time: retention takes the oldest from its start';

CREATE INDEX update_log_pushed_idx ON public.update_log USING btree (item_record_id, update_log_id DESC) WHERE (outcome = 'pushed'::text);

COMMENT ON INDEX public.update_log_pushed_idx IS 'An item''s pushes, newest first';

COMMENT ON INDEX public.update_queue_pkey IS 'One row per item';

CREATE INDEX update_queue_priority_due_at_idx ON public.update_queue USING btree (priority, due_at) WHERE (due_at IS NOT NULL);

COMMENT ON INDEX public.update_queue_priority_due_at_idx IS 'What is due next; without the rejected. No column that a claim changes, so that claims stay HOT';

CREATE INDEX update_queue_reason_code_idx ON public.update_queue USING btree (reason_code, item_record_id) WHERE (due_at IS NULL);

COMMENT ON INDEX public.update_queue_reason_code_idx IS 'The rejected items by reason, for people who act on all of one';

CREATE TRIGGER queue_control_notify AFTER UPDATE ON public.queue_control FOR EACH STATEMENT EXECUTE FUNCTION public.update_queue_notify();

COMMENT ON TRIGGER queue_control_notify ON public.queue_control IS 'Rings at a pause, its end, and a new resume_at';

CREATE TRIGGER update_queue_notify_insert AFTER INSERT ON public.update_queue FOR EACH ROW WHEN ((new.due_at <= clock_timestamp())) EXECUTE FUNCTION public.update_queue_notify();

COMMENT ON TRIGGER update_queue_notify_insert ON public.update_queue IS 'Rings when an item enters and is due';

CREATE TRIGGER update_queue_notify_update AFTER UPDATE ON public.update_queue FOR EACH ROW WHEN (((new.due_at <= clock_timestamp()) AND ((new.revision <> old.revision) OR (new.due_at IS DISTINCT FROM old.due_at)))) EXECUTE FUNCTION public.update_queue_notify();

COMMENT ON TRIGGER update_queue_notify_update ON public.update_queue IS 'Rings when an item is marked again or made due by hand; not for claims, leases and postponements';

ALTER TABLE ONLY public.console_session
    ADD CONSTRAINT console_session_person_id_fkey FOREIGN KEY (person_id) REFERENCES public.person(person_id);

ALTER TABLE ONLY public.update_queue
    ADD CONSTRAINT update_queue_item_record_id_fkey FOREIGN KEY (item_record_id) REFERENCES public.sierra_item(item_record_id) ON DELETE RESTRICT;
