"""signum history: the outcomes of one item's updates."""

from tests.fix_postgres import TestDatabase
from tests.fix_signum import Signum

BARCODE = "12312312300001"


def test_updates_come_newest_first_with_call_number_before_and_after(signum: Signum, database: TestDatabase) -> None:
    item = database.add_item(1001, barcode=BARCODE)
    for before, after in [("84.2 Jännitys", "84.31 Jännitys"), ("84.31 Jännitys", "85.1 Jännitys")]:
        database.fetch(
            "INSERT INTO update_log (item_record_id, item_number, barcode, queued_at, queued_by, finished_by, outcome,"
            " attempts, call_number_before, call_number_after)"
            " VALUES (%s, '1001', %s, now(), 'desk-1', 'notifier', 'pushed', 1, %s, %s)",
            *(item, BARCODE, before, after),
        )
    entries = signum("history", BARCODE, "--json").json
    assert [entry["call_number_after"] for entry in entries] == ["85.1 Jännitys", "84.31 Jännitys"]
    assert len(signum("history", BARCODE, "--limit", "1", "--json").json) == 1
    assert "84.2 Jännitys" in signum("history", BARCODE).out


def test_item_without_history_and_unknown_barcode_are_told_apart(signum: Signum, database: TestDatabase) -> None:
    database.add_item(1001, barcode=BARCODE)
    known, unknown = signum("history", BARCODE), signum("history", "99999999999999")
    assert (known.code, known.out, unknown.code, unknown.out) == (1, "", 1, "")
    assert known.err == f"item 1001, barcode {BARCODE}, was not updated in the time that history is kept\n"
    assert unknown.err == "no item has the barcode 99999999999999\n"
