"""Fixture `old`: a database of the predecessor's shape, and the command that brings it over."""

import json
from typing import Any

import pytest
from psycopg.conninfo import make_conninfo

from tests.fix_batch import FIRST_ID, TIMESTAMP, row
from tests.fix_postgres import TestDatabase
from tests.fix_signum import Ran, Signum

SHAPE = """
CREATE TYPE client_type AS ENUM ('ETL', 'SIGNUM_PRINTER');
CREATE TYPE sync_mode AS ENUM ('SYNC_FULL', 'SYNC_CHANGES');
CREATE TABLE client (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, client_name varchar, client_type client_type, api_key varchar,
    internal_ip_address varchar, internal_hostname varchar, last_seen_at timestamp
);
CREATE TABLE backend_state (
    initialized_at timestamptz, sync_mode sync_mode, full_sync_completed_at timestamptz, sync_changes_since timestamptz,
    last_sync_run_completed_at timestamptz
);
CREATE TABLE sierra_item (
    item_record_id bigint PRIMARY KEY, item_number varchar, barcode varchar, bib_record_id bigint, bib_number varchar,
    best_author varchar, best_title varchar, itype_code_num integer, item_type_name varchar, material_code varchar,
    material_name varchar, classification varchar, shelfmark_json json, updated_at timestamptz, in_update_queue boolean
);
INSERT INTO client (client_name, client_type, api_key, internal_ip_address, internal_hostname, last_seen_at) VALUES
    ('desk 1', 'SIGNUM_PRINTER', 'plain-key-of-desk-1', 'None', 'pc-17', '2026-11-20 10:00'),
    ('etl', 'ETL', 'plain-key-of-the-etl', NULL, NULL, NULL);
"""


class Old:
    """The predecessor's database, and the command that brings it over."""

    def __init__(self, database: TestDatabase, signum: Signum) -> None:
        self.database, self._signum = database, signum
        names = ("host", "port", "user", "dbname")
        self.source = make_conninfo(**{name: database.parameters[name] for name in names})

    def add(self, number: int, *, queued: bool = False, **cells: str) -> int:
        """An item; what is not said about it is usual."""
        item = {name: value or None for name, value in row(number, **cells).items()}
        item["shelfmark_json"] = json.dumps(item["shelfmark_json"])
        names, places = ", ".join(item), ", ".join(["%s"] * len(item))
        self.database.fetch(
            f"INSERT INTO sierra_item ({names}, updated_at, in_update_queue) VALUES ({places}, now(), %s)",
            *item.values(),
            queued,
        )
        return FIRST_ID + number

    def is_in(self, mode: str, since: str = TIMESTAMP) -> None:
        """Store the sync's state."""
        completed = "2026-11-10 12:00+00" if mode == "SYNC_CHANGES" else None
        self.database.fetch(
            "INSERT INTO backend_state VALUES ('2026-11-01 12:00+00', %s, %s, %s, '2026-11-20 12:01+00')",
            mode,
            completed,
            since,
        )

    def contents(self) -> list[list[tuple[Any, ...]]]:
        """All of it as text, with what tells a row that was written anew."""
        return [
            self.database.fetch(f"SELECT xmin::text, t::text FROM {table} t ORDER BY 2")
            for table in ("client", "backend_state", "sierra_item")
        ]

    def bring(self, *options: str, **settings: Any) -> Ran:
        """Import it."""
        return self._signum("import-predecessor", "--from", self.source, *options, settings=settings)


@pytest.fixture
def old(empty_database: TestDatabase, signum: Signum, monkeypatch: pytest.MonkeyPatch) -> Old:
    with empty_database.connect() as connection:
        connection.execute(SHAPE)
    monkeypatch.setenv("PGPASSWORD", empty_database.parameters["password"])
    return Old(empty_database, signum)
