r"""Shelfmarks are made by a new rule: forget the subfields of those that it may change, so that they are made anew.

The sync makes a shelfmark only where subfields differ, byte for byte, from those that are stored. So the stored ones are
set to '' here, which no row of the ETL ever is. Until the next full sync brings them, the old letters stay; a row that
changes before gets new ones by itself.

The new rule differs from the old one only where a heading has a code (`{u00E4}`, `&#x410;`), an escape that can hide
any character (`\xad`), or another character than those that nearly all headings are of: ASCII, the letters of western
Europe, dashes and quotes. ODD finds all of these in the stored text, wherever they are in it. A test holds both rules
against each other for what it does not find.

The rows are looked for once, which takes about 15 s for a million items, and then set by portions of 5,000, each committed by itself and locked in the order of
item_record_id, as a batch locks them. So no row is held for longer than that takes, and dead rows can be reused
meanwhile. What a batch has locked is waited for, for it may be making letters by the old rule. Interrupted, it goes on
with what is left.

The previous release runs on, and makes shelfmarks by the old rule: rows that its batches bring after this keep those
letters until they change again. So let the ETL pause until the api is of this release. The way back leaves the rows
forgotten: a full sync fills them.

Revision ID: 0008
Revises: 0007
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ODD = (
    r"[^ -~\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u00ff\u0160\u0161\u017d\u017e\u2013\u2014\u2018\u2019\u201c\u201d]"
    r"|\\[xuUbf]|\{u|&#x"
)

# COMMIT within a block is for autocommit only. The loop's rows are kept beyond it by PostgreSQL itself.
FORGET = r"""
DO $$
DECLARE
    portion bigint[];
BEGIN
    FOR portion IN
        SELECT array_agg(odd.item_record_id)
        FROM (
            SELECT i.item_record_id, (row_number() OVER (ORDER BY i.item_record_id) - 1) / 5000 AS place
            FROM sierra_item i
            WHERE i.shelfmark_json ~ 'ODD'
        ) AS odd
        GROUP BY odd.place
        ORDER BY odd.place
    LOOP
        UPDATE sierra_item i SET shelfmark_json = ''
        FROM (
            SELECT l.item_record_id
            FROM sierra_item l
            WHERE l.item_record_id = ANY (portion)
            ORDER BY l.item_record_id
            FOR NO KEY UPDATE
        ) AS locked
        WHERE i.item_record_id = locked.item_record_id;
        COMMIT;
    END LOOP;
END
$$;
""".replace("ODD", ODD)

UPGRADE = """
COMMENT ON COLUMN sierra_item.shelfmark_json IS 'Subfields of MARC 100/110/111/130/245 as received, JSON or Python repr; compared byte for byte. Empty: forgotten, the next batch that brings the item makes its shelfmark anew';
"""

DOWNGRADE = """
COMMENT ON COLUMN sierra_item.shelfmark_json IS 'Subfields of MARC 100/110/111/130/245 as received, JSON or Python repr; compared byte for byte';
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '120s'")  # as long as a batch may take
        op.execute(FORGET)
        op.execute("SET lock_timeout = '10s'")
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
