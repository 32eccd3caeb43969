r"""The people of the console, and their sessions.

A person signs in with a key, of which the SHA-256 is kept, or by an authenticating proxy, and then needs none. A revoked
person stays: history and acts have the name. Sessions belong to signum_console alone, and so do persons but for their
names: an operator in psql must not make himself an admin.

The previous release runs on: it knows neither table.

Revision ID: 0023
Revises: 0022
"""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

UPGRADE = r"""
CREATE TABLE person (
    person_id integer GENERATED ALWAYS AS IDENTITY,
    person_name text NOT NULL,
    role text NOT NULL,
    key_sha256 bytea,
    language text,
    created_at timestamptz DEFAULT now() NOT NULL,
    revoked_at timestamptz,
    last_seen_at timestamptz,
    CONSTRAINT person_pkey PRIMARY KEY (person_id),
    CONSTRAINT person_person_name_key UNIQUE (person_name),
    CONSTRAINT person_key_sha256_key UNIQUE (key_sha256),
    CONSTRAINT person_role_known CHECK (role IN ('viewer', 'operator', 'admin')),
    CONSTRAINT person_language_known CHECK (language IN ('fi', 'sv', 'en')),
    CONSTRAINT person_key_sha256_is_sha256 CHECK (octet_length(key_sha256) = 32),
    CONSTRAINT person_created_at_readable CHECK (created_at AT TIME ZONE 'UTC' BETWEEN '0001-01-02' AND '9999-12-30'),
    CONSTRAINT person_revoked_at_readable CHECK (revoked_at AT TIME ZONE 'UTC' BETWEEN '0001-01-02' AND '9999-12-30'),
    CONSTRAINT person_last_seen_at_readable CHECK (last_seen_at AT TIME ZONE 'UTC' BETWEEN '0001-01-02' AND '9999-12-30')
);
COMMENT ON TABLE person IS 'Who may use the console. Keys are shown once when made; here is only their SHA-256';
COMMENT ON INDEX person_pkey IS 'Key';
COMMENT ON INDEX person_person_name_key IS 'A name is given once';
COMMENT ON INDEX person_key_sha256_key IS 'Finds the person who signs in';
COMMENT ON COLUMN person.person_id IS 'Rising number';
COMMENT ON COLUMN person.person_name IS 'Name, as it stands in act.person and update_queue.queued_by; no client has it';
COMMENT ON COLUMN person.role IS 'viewer: looks; operator: acts on items; admin: manages persons, clients and the sync too';
COMMENT ON COLUMN person.key_sha256 IS 'SHA-256 of the key; NULL: signs in by the proxy in front only';
COMMENT ON COLUMN person.language IS 'Language that the person chose; NULL: the browser''s';
COMMENT ON COLUMN person.created_at IS 'When the person was added';
COMMENT ON COLUMN person.revoked_at IS 'Since when the person is let in no more; NULL: is let in';
COMMENT ON COLUMN person.last_seen_at IS 'When the person last opened a page, to within a minute';

CREATE TABLE console_session (
    session_sha256 bytea NOT NULL,
    person_id integer NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    used_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT console_session_pkey PRIMARY KEY (session_sha256),
    CONSTRAINT console_session_person_id_fkey FOREIGN KEY (person_id) REFERENCES person (person_id),
    CONSTRAINT console_session_session_sha256_is_sha256 CHECK (octet_length(session_sha256) = 32),
    CONSTRAINT console_session_created_at_readable CHECK (created_at AT TIME ZONE 'UTC' BETWEEN '0001-01-02' AND '9999-12-30'),
    CONSTRAINT console_session_used_at_readable CHECK (used_at AT TIME ZONE 'UTC' BETWEEN '0001-01-02' AND '9999-12-30')
);
CREATE INDEX console_session_person_id_idx ON console_session (person_id);
COMMENT ON TABLE console_session IS 'Who is signed in to the console; a row goes when the person signs out, is revoked, or has been away too long';
COMMENT ON INDEX console_session_pkey IS 'Finds the session of a cookie';
COMMENT ON INDEX console_session_person_id_idx IS 'Ends all sessions of a person';
COMMENT ON COLUMN console_session.session_sha256 IS 'SHA-256 of the cookie';
COMMENT ON COLUMN console_session.person_id IS 'The person';
COMMENT ON COLUMN console_session.created_at IS 'When the person signed in; the session ends 7 days later';
COMMENT ON COLUMN console_session.used_at IS 'When the session was last used, to within a minute; it ends 12 h later';
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute("DROP TABLE console_session; DROP TABLE person")
