"""signum import-predecessor: a database of the predecessor's shape becomes ours, and nothing of it is lost."""

from hashlib import sha256

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from cli.predecessor.database import OldClient
from cli.predecessor.mapping import known_clients
from tests.fix_api import ApiClient
from tests.fix_batch import TIMESTAMP, Send, row
from tests.fix_postgres import TestDatabase
from tests.fix_predecessor import Old
from tests.fix_signum import Signum

OURS = {
    "sierra_item": "SELECT * FROM sierra_item ORDER BY 1",
    "client": "SELECT * FROM client ORDER BY 1",
    "update_queue": "SELECT * FROM update_queue ORDER BY 1",
    "sync_state": "SELECT * FROM sync_state",
}
POSITION = (
    "SELECT sync_mode, last_synced_id, sync_changes_since = %s, full_sync_completed_at IS NOT NULL FROM sync_state"
)


def test_items_clients_and_queue_come_over_whatever_the_size_of_the_batches(old: Old, database: TestDatabase) -> None:
    ids = [old.add(number, queued=number % 2 == 0) for number in range(1, 6)]
    ran = old.bring("--json", FULL_SYNC_BATCH_SIZE="2")
    assert ran.code == 0, ran.err
    counts = {name: ran.json[name] for name in ("items", "unchanged", "refused", "clients", "queued")}
    assert counts == {"items": 5, "unchanged": 0, "refused": 0, "clients": 2, "queued": 2}
    assert database.fetch("SELECT item_record_id, shelfmark FROM sierra_item ORDER BY 1") == [(i, "WAL") for i in ids]
    assert database.fetch("SELECT item_record_id, queued_by, priority, due_at <= now() FROM update_queue") == [
        (item, "import-predecessor", 1, True) for item in ids[1::2]
    ]


def test_a_client_goes_on_with_its_key_of_which_only_the_hash_came(
    old: Old, database: TestDatabase, api: ApiClient
) -> None:
    item = old.add(1)
    old.bring()
    answer = api.put(f"/itemdata/{item}", headers={"x-api-key": "plain-key-of-desk-1"})
    assert (answer.status_code, answer.json()) == (200, {"updated": True})
    assert api.get("/sync", headers={"x-api-key": "plain-key-of-the-etl"}).status_code == 200
    assert database.fetch("SELECT queued_by FROM update_queue") == [("desk 1",)]
    (stored,) = database.fetch(
        "SELECT api_key_sha256, api_key_prefix, internal_hostname, internal_ip_address, last_seen_at::text "
        "FROM client WHERE client_name = 'desk 1'"
    )
    assert stored[:4] == (sha256(b"plain-key-of-desk-1").digest(), "plain-", "pc-17", None)
    assert stored[4] == "2026-11-20 10:00:00+00"


@pytest.mark.parametrize("mode", ["SYNC_FULL", "SYNC_CHANGES"])
def test_the_sync_goes_on_where_it_stood(old: Old, database: TestDatabase, api: ApiClient, mode: str) -> None:
    old.database.fetch(f"ALTER DATABASE {old.database.parameters['dbname']} SET datestyle = 'German, DMY'")
    old.is_in(mode)
    highest = old.add(9)
    old.add(3)
    assert old.bring("--json").json["sync_mode"] == mode
    assert database.fetch(POSITION, TIMESTAMP) == [(mode, highest, True, mode == "SYNC_CHANGES")]
    offered = api.get("/sync", headers={"x-api-key": "plain-key-of-the-etl"}).json()
    key, value = ("last_synced_id", highest) if mode == "SYNC_FULL" else ("timestamp", "2026-11-20T10:00:00+00:00")
    assert (offered["sync_mode"], offered[key]) == (mode, value)


def test_imported_item_that_the_etl_sends_again_is_unchanged(old: Old, send: Send) -> None:
    old.is_in("SYNC_CHANGES")
    old.add(1)
    old.bring()
    taken = send([row(1)], timestamp="2026-11-20T12:05:00+02:00").json()
    assert (taken["written"], taken["unchanged"]) == (0, 1)


def test_a_full_sync_that_stood_at_its_end_is_completed_by_the_next_batch(old: Old, api: ApiClient, send: Send) -> None:
    old.is_in("SYNC_FULL")
    for number in range(1, 6):
        old.add(number)
    old.bring()
    key = {"x-api-key": "plain-key-of-the-etl"}
    api.get("/sync", headers=key)
    send([row(6)])
    assert api.get("/sync", headers=key).json()["sync_mode"] == "SYNC_CHANGES"


def test_a_position_in_the_future_keeps_no_batch_out(old: Old, database: TestDatabase, send: Send) -> None:
    old.is_in("SYNC_CHANGES", since="2037-01-01")
    old.add(1)
    old.bring()
    ((now,),) = database.fetch("SELECT now()")
    assert send([row(1, classification="99.1")], timestamp=now.isoformat()).json()["written"] == 1
    assert database.fetch("SELECT sync_changes_since = %s, gap_from FROM sync_state", now) == [(True, None)]


def test_numbers_lose_their_fraction_and_unreadable_subfields_the_shelfmark_only(
    old: Old, database: TestDatabase
) -> None:
    old.add(1, item_number="1000001.0", bib_number="2000001.0", shelfmark_json="[{'marc_tag': ")
    old.add(2, shelfmark_json="\0")
    assert old.bring("--json").json["items"] == 2
    assert database.fetch("SELECT item_number, bib_number, shelfmark FROM sierra_item ORDER BY item_record_id") == [
        ("1000001", "2000001", "***"),
        ("1000002", "2000002", "***"),
    ]


def test_row_that_cannot_be_taken_is_kept_aside_and_told_its_mark_too(old: Old, database: TestDatabase) -> None:
    item = old.add(1, item_number="x", queued=True)
    good = old.add(2, queued=True)
    ran = old.bring("--json")
    assert (ran.code, ran.json["items"], ran.json["refused"], ran.json["queued"]) == (0, 1, 1, 1)
    told = "item_number 'x' is not all digits; the item was queued: mark it once it is here"
    assert ran.err == f"item {item} was refused: {told}\n"
    assert database.fetch("SELECT item_record_id, reason FROM rejected_row") == [(item, told)]
    assert database.fetch("SELECT item_record_id FROM update_queue") == [(good,)]


def test_repeated_import_changes_nothing_here_and_never_anything_there(old: Old, database: TestDatabase) -> None:
    old.is_in("SYNC_CHANGES")
    old.add(1, queued=True)
    there = old.contents()
    old.bring()
    here = {table: database.fetch(rows) for table, rows in OURS.items()}
    refused = old.bring()
    assert (refused.code, "--again" in refused.err) == (1, True)
    again = old.bring("--again", "--json").json
    assert [again[name] for name in ("items", "unchanged", "clients", "queued")] == [0, 1, 0, 0]
    assert {table: database.fetch(rows) for table, rows in OURS.items()} == here
    assert old.contents() == there


def test_repeated_import_undoes_nothing_that_happened_here_since(
    old: Old, database: TestDatabase, send: Send, signum: Signum
) -> None:
    old.is_in("SYNC_CHANGES")
    old.add(1)
    old.bring()
    send([row(1, classification="99.1")], timestamp="2026-11-20T12:30:00+02:00")
    signum("client", "rotate", "desk 1")
    before = {table: database.fetch(rows) for table, rows in OURS.items()}
    ran = old.bring("--again")
    assert (ran.code, ran.err.splitlines()) == (
        0,
        [
            "desk 1 is a client here already, and the predecessor's key for it was left out",
            "batches of the ETL have come here since: the sync goes on where it stands",
        ],
    )
    assert {table: database.fetch(rows) for table, rows in OURS.items()} == before


def test_interrupted_import_leaves_nothing_and_works_the_next_time(old: Old, database: TestDatabase) -> None:
    old.add(1, queued=True)
    database.fetch("ALTER TABLE sync_state ADD CONSTRAINT refuses CHECK (last_synced_id = 0)")  # the last statement
    assert old.bring().code != 0
    assert [database.fetch(OURS[table]) for table in ("sierra_item", "client", "update_queue")] == [[], [], []]
    database.fetch("ALTER TABLE sync_state DROP CONSTRAINT refuses")
    assert old.bring("--json").json["queued"] == 1


def test_batch_that_is_being_taken_in_is_not_disturbed(old: Old, database: TestDatabase) -> None:
    with psycopg.connect(**database.parameters) as batch:
        batch.execute("SELECT pg_advisory_xact_lock(1398361667)")
        ran = old.bring()
    assert (ran.code, "stop the ETL" in ran.err) == (1, True)


def test_source_with_a_secret_or_no_source_at_all_is_wrong_usage(signum: Signum) -> None:
    with_a_key = "postgresql://reader@old/signum?sslpassword=secret"
    for source in ("postgresql://reader:secret@old/signum", "host=old password=secret", with_a_key, "nonsense"):
        ran = signum("import-predecessor", "--from", source)
        assert (ran.code, "secret" in ran.err) == (2, False), source


def test_database_of_another_shape_or_none_is_told_from_ours(
    signum: Signum, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", database.parameters["password"])
    names = ("host", "port", "user", "dbname")
    ours = make_conninfo(**{name: database.parameters[name] for name in names})
    ran = signum("import-predecessor", "--from", ours)
    assert (ran.code, ran.err.partition(": ")[0]) == (1, "this is not the predecessor's database")
    ran = signum("import-predecessor", "--from", "host=127.0.0.1 port=1")
    assert (ran.code, ran.err.partition(": ")[0]) == (3, "the predecessor's database")


def test_each_client_that_the_import_changes_or_leaves_out_is_named() -> None:
    def client(number: int, name: str | None, kind: str, key: str | None) -> OldClient:
        return OldClient(number, name, kind, key, None, None, None)

    stored, remarks = known_clients(
        [
            client(1, "desk", "SIGNUM_PRINTER", "a" * 32),
            client(2, "desk", "SIGNUM_PRINTER", "b" * 32),
            client(3, "other desk", "SIGNUM_PRINTER", "a" * 32),
            client(4, "loader", "ETL", "a" * 32),
            client(5, "keyless", "ETL", None),
            client(6, None, "ETL", "short"),
            client(7, "robot", "ROBOT", "c" * 32),
        ]
    )
    assert [(one["client_name"], one["client_type"], one["api_key_prefix"]) for one in stored] == [
        ("desk", "signum-printer", "a" * 8),
        ("desk (2)", "signum-printer", "b" * 8),
        ("client (6)", "etl", "s"),
    ]
    assert remarks == [
        "there are several clients called desk: one of them is now called desk (2)",
        "other desk (id 3) has the same key as desk: it goes on under that name",
        "loader (id 4) has the same key as desk, which is a client of another type, and was left out: add it anew",
        "keyless (id 5) has no key, and was left out: add it anew",
        "robot (id 7) has the unknown type ROBOT, and was left out",
    ]
