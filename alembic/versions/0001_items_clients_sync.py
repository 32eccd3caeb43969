"""Items, clients and the state of the sync.

What the ETL sends lies in sierra_item and belongs to the sync alone: nothing else writes there, so that a sync can
never undo what somebody else has noted. Clients are known by the SHA-256 of their key only.

Revision ID: 0001
Revises:
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

UPGRADE = r"""
CREATE TABLE client (
    client_id integer GENERATED ALWAYS AS IDENTITY,
    client_name text NOT NULL,
    client_type text NOT NULL,
    api_key_sha256 bytea NOT NULL,
    api_key_prefix text NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    revoked_at timestamptz,
    internal_hostname text,
    internal_ip_address text,
    last_seen_at timestamptz,
    CONSTRAINT client_pkey PRIMARY KEY (client_id),
    CONSTRAINT client_client_type_known CHECK (client_type IN ('etl', 'signum-printer')),
    CONSTRAINT client_api_key_sha256_is_sha256 CHECK (octet_length(api_key_sha256) = 32),
    CONSTRAINT client_client_name_key UNIQUE (client_name),
    CONSTRAINT client_api_key_sha256_key UNIQUE (api_key_sha256)
);
COMMENT ON TABLE client IS 'Who may call the API. Keys are shown once when made; here is only their SHA-256';
COMMENT ON COLUMN client.client_id IS 'Rising number';
COMMENT ON COLUMN client.client_name IS 'Name, as it stands in update_queue.queued_by';
COMMENT ON COLUMN client.client_type IS 'etl: may sync; signum-printer: may read and mark items';
COMMENT ON COLUMN client.api_key_sha256 IS 'SHA-256 of the API key';
COMMENT ON COLUMN client.api_key_prefix IS 'First characters of the API key, to recognise it by';
COMMENT ON COLUMN client.created_at IS 'When the client was added';
COMMENT ON COLUMN client.revoked_at IS 'Since when its key is refused; NULL: valid';
COMMENT ON COLUMN client.internal_hostname IS 'Host name that the client last told';
COMMENT ON COLUMN client.internal_ip_address IS 'Address that the client last told';
COMMENT ON COLUMN client.last_seen_at IS 'When it was last heard of, to within a few seconds';

CREATE TABLE sierra_item (
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
    shelfmark text DEFAULT '***' NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT sierra_item_pkey PRIMARY KEY (item_record_id)
);
CREATE INDEX sierra_item_barcode_idx ON sierra_item (barcode);
COMMENT ON TABLE sierra_item IS 'Items as the ETL last sent them from Sierra, one row per item. Owned by the sync.';
COMMENT ON COLUMN sierra_item.item_record_id IS 'SierraDNA''s 64-bit key of the item record';
COMMENT ON COLUMN sierra_item.item_number IS 'The record number in Sierra''s URLs; without it nothing can be pushed';
COMMENT ON COLUMN sierra_item.barcode IS 'What the print station reads; looked up exactly, case too';
COMMENT ON COLUMN sierra_item.bib_record_id IS 'SierraDNA''s key of the bib; of several, the highest of the batch';
COMMENT ON COLUMN sierra_item.bib_number IS 'Record number of the bib';
COMMENT ON COLUMN sierra_item.best_author IS 'Author, for the print station''s display';
COMMENT ON COLUMN sierra_item.best_title IS 'Title, for the print station''s display';
COMMENT ON COLUMN sierra_item.itype_code_num IS 'Item type code. The deployed ETL cuts it to 8 bits (300 comes as 44): rely on item_type_name';
COMMENT ON COLUMN sierra_item.item_type_name IS 'Name of the item type';
COMMENT ON COLUMN sierra_item.material_code IS 'Code of the bib''s material type';
COMMENT ON COLUMN sierra_item.material_name IS 'Name of the bib''s material type';
COMMENT ON COLUMN sierra_item.classification IS 'Class number that is printed and written to Sierra; NULL: none';
COMMENT ON COLUMN sierra_item.shelfmark_json IS 'Subfields of MARC 100/110/111/130/245 as received, JSON or Python repr; compared byte for byte';
COMMENT ON COLUMN sierra_item.shelfmark IS 'The three letters that sort the item on its shelf, made from shelfmark_json; *** where there are none';
COMMENT ON COLUMN sierra_item.updated_at IS 'Timestamp of the batch that last changed this row (Sierra''s clock)';

CREATE TABLE sync_state (
    id boolean DEFAULT true NOT NULL,
    initialized_at timestamptz DEFAULT now() NOT NULL,
    sync_mode text DEFAULT 'SYNC_FULL' NOT NULL,
    last_synced_id bigint DEFAULT 0 NOT NULL,
    full_sync_completed_at timestamptz,
    sync_changes_since timestamptz,
    last_sync_run_completed_at timestamptz,
    full_sync_requested_at timestamptz,
    offered_mode text,
    offered_batch_size integer,
    offered_last_synced_id bigint,
    offered_timestamp timestamptz,
    gap_from timestamptz,
    gap_until timestamptz,
    CONSTRAINT sync_state_pkey PRIMARY KEY (id),
    CONSTRAINT sync_state_one_row CHECK (id),
    CONSTRAINT sync_state_sync_mode_known CHECK (sync_mode IN ('SYNC_FULL', 'SYNC_CHANGES')),
    CONSTRAINT sync_state_offered_mode_known CHECK (offered_mode IN ('SYNC_FULL', 'SYNC_CHANGES'))
);
COMMENT ON TABLE sync_state IS 'Where the sync with Sierra stands: one row. See the view sync_overview';
COMMENT ON COLUMN sync_state.id IS 'Always true: there is one row';
COMMENT ON COLUMN sync_state.initialized_at IS 'When this database was made';
COMMENT ON COLUMN sync_state.sync_mode IS 'SYNC_FULL: all items, in id order; SYNC_CHANGES: what changed';
COMMENT ON COLUMN sync_state.last_synced_id IS 'Cursor of the full sync: items up to this item_record_id are here';
COMMENT ON COLUMN sync_state.full_sync_completed_at IS 'When the last full sync was complete';
COMMENT ON COLUMN sync_state.sync_changes_since IS 'From when on the ETL is asked for changes (Sierra''s clock)';
COMMENT ON COLUMN sync_state.last_sync_run_completed_at IS 'When the last batch was taken in';
COMMENT ON COLUMN sync_state.full_sync_requested_at IS 'A full sync was asked for and begins with the next GET /sync';
COMMENT ON COLUMN sync_state.offered_mode IS 'Mode that the last GET /sync handed out';
COMMENT ON COLUMN sync_state.offered_batch_size IS 'Batch size that it handed out, in items';
COMMENT ON COLUMN sync_state.offered_last_synced_id IS 'Cursor that it handed out';
COMMENT ON COLUMN sync_state.offered_timestamp IS 'Timestamp that it handed out';
COMMENT ON COLUMN sync_state.gap_from IS 'Changes in Sierra since then did not reach us …';
COMMENT ON COLUMN sync_state.gap_until IS '… up to then; closed by a full sync that begins later';

CREATE TABLE rejected_row (
    rejected_row_id bigint GENERATED ALWAYS AS IDENTITY,
    row_key text NOT NULL,
    reason_code text NOT NULL,
    item_record_id bigint,
    batch_timestamp timestamptz NOT NULL,
    line text NOT NULL,
    reason text NOT NULL,
    first_at timestamptz DEFAULT now() NOT NULL,
    last_at timestamptz DEFAULT now() NOT NULL,
    times integer DEFAULT 1 NOT NULL,
    CONSTRAINT rejected_row_pkey PRIMARY KEY (rejected_row_id),
    CONSTRAINT rejected_row_row_key_key UNIQUE (row_key, reason_code)
);
CREATE INDEX rejected_row_item_record_id_idx ON rejected_row (item_record_id);
COMMENT ON TABLE rejected_row IS 'Rows of the ETL''s batches that could not be taken in; gone when their item is stored';
COMMENT ON COLUMN rejected_row.rejected_row_id IS 'Rising number';
COMMENT ON COLUMN rejected_row.row_key IS 'The item_record_id, or a hash of the line where it can''t be read';
COMMENT ON COLUMN rejected_row.reason_code IS 'Kind of the reason, one word';
COMMENT ON COLUMN rejected_row.item_record_id IS 'The item, if its id can be read';
COMMENT ON COLUMN rejected_row.batch_timestamp IS 'Timestamp of the last batch that brought it';
COMMENT ON COLUMN rejected_row.line IS 'The row as received, cut to 8 KiB, characters that can''t be stored escaped';
COMMENT ON COLUMN rejected_row.reason IS 'Why it was refused, in a sentence';
COMMENT ON COLUMN rejected_row.first_at IS 'When it first came';
COMMENT ON COLUMN rejected_row.last_at IS 'When it last came';
COMMENT ON COLUMN rejected_row.times IS 'How often it came';

COMMENT ON INDEX client_pkey IS 'Client by its number';
COMMENT ON INDEX client_client_name_key IS 'No two clients have one name';
COMMENT ON INDEX client_api_key_sha256_key IS 'Finds the client of a request by its key';
COMMENT ON INDEX sierra_item_pkey IS 'Item by its key: marks, claims and the sync';
COMMENT ON INDEX sierra_item_barcode_idx IS 'Item by barcode: the print stations. Not unique, for Sierra lets two items share one';
COMMENT ON INDEX sync_state_pkey IS 'There is one row';
COMMENT ON INDEX rejected_row_pkey IS 'Refused row by its number';
COMMENT ON INDEX rejected_row_row_key_key IS 'A row refused again for the same reason is counted, not kept twice';
COMMENT ON INDEX rejected_row_item_record_id_idx IS 'Finds the refused rows of an item that has been stored at last';

INSERT INTO sync_state DEFAULT VALUES;
"""

DOWNGRADE = """
DROP TABLE rejected_row;
DROP TABLE sync_state;
DROP TABLE sierra_item;
DROP TABLE client;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
