"""A change of a record shows in SierraDNA before its answer leaves, with the stamp that Sierra would give it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from sandbox.catalogue import call_number_field
from sandbox.dna_bibs import class_field, var_field
from sandbox.dna_catalogue import DnaOddity
from tests.fix_dna import ITEMS, DnaInThread, bib_key, item_key
from tests.fix_dna_oracle import expected_row
from tests.fix_sierra import SierraInThread

ITEM = ITEMS[0]
NUMBER, KEY = str(ITEM.number), item_key(ITEM)
BIB, BIB_KEY = str(ITEM.bibs[0].number), bib_key(ITEM)
CALL_NUMBER = """SELECT content FROM sierra_view.subfield
    WHERE record_id = %s AND field_type_code = 'c' ORDER BY occ_num, display_order"""
METADATA = """SELECT record_last_updated_gmt, previous_last_updated_gmt, num_revisions, deletion_date_gmt
    FROM sierra_view.record_metadata WHERE id = %s"""
LINKS = "SELECT bib_record_id FROM sierra_view.bib_record_item_record_link WHERE item_record_id = %s ORDER BY 1"
FIXED = "SELECT itype_code_num, use3_count, inventory_gmt FROM sierra_view.item_record WHERE record_id = %s"
PATCH = {
    "varFields": [call_number_field("84.31 Jännitys")],
    "fixedFields": {"74": {"label": "IUSE3", "value": "1"}, "61": {"label": "I TYPE", "value": "300"}},
    "inventoryDate": "2026-11-20T10:00:00Z",
}
NOW = datetime(2026, 11, 20, 10, 0, 5, 678_999, tzinfo=UTC)


def put(sierra: SierraInThread, number: str, patch: Any) -> httpx.Response:
    with httpx.Client(base_url=sierra.endpoint, trust_env=False) as client:
        given = client.post(
            "/token", auth=(sierra.key, sierra.secret), data={"grant_type": "client_credentials"}
        ).json()
        return client.put(f"/items/{number}", json=patch, headers={"authorization": f"Bearer {given['access_token']}"})


def set_clock(sierra: SierraInThread, now: datetime) -> None:
    sierra._sierra.records.now = lambda: now


def test_a_put_shows_when_its_answer_is_there(dna: DnaInThread, sierra: SierraInThread) -> None:
    assert dna.fetch(CALL_NUMBER, KEY) == [("84.2 Jännitys",)]
    before = dna.stamp(KEY)
    set_clock(sierra, NOW)
    assert put(sierra, NUMBER, PATCH).status_code == 204
    assert dna.fetch(CALL_NUMBER, KEY) == [("84.31 Jännitys",)]
    assert dna.fetch(FIXED, KEY) == [(300, 1, datetime(2026, 11, 20, 10, tzinfo=UTC))]
    assert dna.fetch(METADATA, KEY) == [(NOW.replace(microsecond=678_000), before, 44, None)]
    assert dna.one("SELECT call_number FROM sierra_view.item_record_property WHERE item_record_id = %s", KEY) == (
        "|a84.31 Jännitys"
    )
    whole = "SELECT field_content FROM sierra_view.varfield WHERE record_id = %s AND varfield_type_code = 'c'"
    assert dna.one(whole, KEY) == "|a84.31 Jännitys"


def test_an_edit_of_staff_is_stamped_in_whole_seconds_that_are_cut(dna: DnaInThread, sierra: SierraInThread) -> None:
    set_clock(sierra, NOW)
    sierra.edit(NUMBER, {"varFields": [call_number_field("85.2")]})
    assert dna.stamp(KEY) == NOW.replace(microsecond=0)
    assert dna.fetch(CALL_NUMBER, KEY) == [("85.2",)]


def test_a_loan_moves_the_stamp_of_its_item(dna: DnaInThread, sierra: SierraInThread) -> None:
    bib_stamp = dna.stamp(BIB_KEY)
    set_clock(sierra, NOW)
    lent = {
        "65": {"label": "DUE DATE", "value": "2026-12-24T02:00:00Z"},
        "66": {"label": "PATRON#", "value": "1100001"},
        "76": {"label": "TOT CHKOUT", "value": "7"},
        "78": {"label": "LOUTDATE", "value": "2026-11-20T10:00:05Z"},
    }
    sierra.edit(NUMBER, {"fixedFields": lent})
    assert (dna.stamp(KEY), dna.stamp(BIB_KEY)) == (NOW.replace(microsecond=0), bib_stamp)
    loan = (
        "SELECT checkout_total, last_checkout_gmt, is_available_at_library FROM sierra_view.item_record WHERE id = %s"
    )
    assert dna.fetch(loan, KEY) == [(7, NOW.replace(microsecond=0), False)]


def test_a_put_that_changes_nothing_moves_the_stamp_of_its_item_alone(dna: DnaInThread, sierra: SierraInThread) -> None:
    everything = "SELECT id, record_last_updated_gmt FROM sierra_view.record_metadata"
    before = dict(dna.fetch(everything))
    put(sierra, NUMBER, {})
    assert {key for key, stamp in dna.fetch(everything) if stamp != before[key]} == {KEY}


def test_a_refused_put_and_one_that_is_never_done_change_nothing(dna: DnaInThread, sierra: SierraInThread) -> None:
    before = dna.stamp(KEY)
    assert put(sierra, NUMBER, {"id": "7"}).status_code == 400
    sierra.fault(kind="put_item", write="never")
    assert put(sierra, NUMBER, PATCH).status_code == 204
    assert (dna.stamp(KEY), dna.fetch(CALL_NUMBER, KEY)) == (before, [("84.2 Jännitys",)])


def test_a_late_put_shows_when_it_is_done(dna: DnaInThread, sierra: SierraInThread) -> None:
    switch = sierra.fault(kind="put_item", write="late", hold=True, status=503)
    assert put(sierra, NUMBER, PATCH).status_code == 503
    assert dna.fetch(CALL_NUMBER, KEY) == [("84.2 Jännitys",)]
    switch.release()
    sierra.block_until(lambda journal: [entry for entry in journal.entries if entry.landed_ns])
    assert dna.fetch(CALL_NUMBER, KEY) == [("84.31 Jännitys",)]


def test_what_the_rows_cannot_hold_is_refused_and_not_done(dna: DnaInThread, sierra: SierraInThread) -> None:
    for value in ("99999", "book"):
        answer = put(sierra, NUMBER, {"fixedFields": {"61": {"label": "I TYPE", "value": value}}})
        assert (answer.status_code, answer.json()["code"]) == (400, 108)
    assert put(sierra, NUMBER, {"varFields": [{"fieldTag": "x", "content": "\0"}]}).status_code == 400
    assert sierra.record(NUMBER).fixed_fields["85"]["value"] == "42"


def test_index_products_that_are_missing_or_behind_stay_so(dna: DnaInThread, sierra: SierraInThread) -> None:
    missing, behind = ITEMS[DnaOddity.NO_PROPERTY], ITEMS[DnaOddity.BARCODE_BEHIND]
    for item in (missing, behind):
        sierra.edit(str(item.number), {"varFields": [call_number_field("85.2")]})
    row = "SELECT call_number_norm, barcode FROM sierra_view.item_record_property WHERE item_record_id = %s"
    assert dna.fetch(row, item_key(missing)) == []
    assert dna.fetch(row, item_key(behind)) == [("85.2", "33010099999999")]


def test_an_edited_bib_moves_its_own_stamp_and_none_of_its_items(dna: DnaInThread, sierra: SierraInThread) -> None:
    item_stamp, bib_stamp = dna.stamp(KEY), dna.stamp(BIB_KEY)
    set_clock(sierra, NOW)
    heading = var_field("a", "100", "1", " ", ("a", "Waltari, Mika,"))
    title = var_field("t", "245", "1", "0", ("a", "Sinuhe egyptiläinen /"))
    dna.do(lambda real: real.edit_bib(BIB, [heading, title, class_field("86.2")]))
    assert (dna.stamp(KEY), dna.stamp(BIB_KEY)) == (item_stamp, NOW.replace(microsecond=0))
    assert bib_stamp < dna.stamp(BIB_KEY)
    with dna.connect() as connection:
        row = expected_row(connection, KEY)
    assert row
    shown = row["best_author"], row["best_title"], row["classification"], row["shelfmark_json"][0]["content"]
    assert shown == ("Waltari, Mika", "Sinuhe egyptiläinen", "86.2", "Waltari, Mika,")


def test_links_come_and_go_without_a_stamp(dna: DnaInThread, sierra: SierraInThread) -> None:
    other = ITEMS[1].bibs[0].number
    stamps = [dna.stamp(key) for key in (KEY, BIB_KEY, bib_key(ITEMS[1]))]
    for numbers in ([str(other)], [BIB, str(other)], [], [BIB]):
        sierra.run(sierra._sierra.records.link, NUMBER, numbers)
        assert [key & 0xFFFFFFFF for (key,) in dna.fetch(LINKS, KEY)] == sorted(map(int, numbers))
        assert sierra.record(NUMBER).bib_numbers == tuple(numbers)
    assert [dna.stamp(key) for key in (KEY, BIB_KEY, bib_key(ITEMS[1]))] == stamps


def test_a_deleted_item_keeps_one_row_its_last_stamp_and_the_day_by_the_servers_calendar(
    dna: DnaInThread, sierra: SierraInThread
) -> None:
    before = dna.fetch(METADATA, KEY)[0]
    dna.do(lambda real: real.delete_item(NUMBER))
    today = dna.one("SELECT (now() AT TIME ZONE 'Europe/Helsinki')::date")
    assert dna.fetch(METADATA, KEY) == [(*before[:3], today)]
    for view, column in (
        ("item_record", "record_id"),
        ("item_record_property", "item_record_id"),
        ("bib_record_item_record_link", "item_record_id"),
        ("varfield", "record_id"),
        ("subfield", "record_id"),
        ("phrase_entry", "record_id"),
    ):
        assert dna.one(f"SELECT count(*) FROM sierra_view.{view} WHERE {column} = %s", KEY) == 0, view
    assert sierra.record(NUMBER).shown()["deletedDate"] == str(today)
    assert put(sierra, NUMBER, PATCH).status_code == 404


def test_a_new_item_shows_and_may_have_the_barcode_of_a_deleted_one(dna: DnaInThread, sierra: SierraInThread) -> None:
    old = sierra.record(NUMBER)
    dna.do(lambda real: real.delete_item(NUMBER))
    sierra.add(replace(old, number="2099999"))
    owners = "SELECT item_record_id FROM sierra_view.item_record_property WHERE barcode = %s"
    assert dna.fetch(owners, ITEM.barcode) == [(item_key("2099999"),)]
    sierra.add(old)
    assert len(dna.fetch(owners, ITEM.barcode)) == 2, "restored"
    assert dna.fetch(CALL_NUMBER, KEY) == [("84.2 Jännitys",)]


def test_a_renamed_type_moves_no_stamp(dna: DnaInThread, sierra: SierraInThread) -> None:
    newest = "SELECT max(record_last_updated_gmt) FROM sierra_view.record_metadata"
    before = dna.one(newest)
    dna.do(lambda real: real.rename("itype", 300, "Pelit"))
    dna.do(lambda real: real.rename("material", "a", "Kirjat"))
    assert dna.one("SELECT name FROM sierra_view.itype_property_myuser WHERE code = 300") == "Pelit"
    assert dna.one("SELECT name FROM sierra_view.material_property_myuser WHERE code = 'a'") == "Kirjat"
    assert dna.one(newest) == before
    with pytest.raises(LookupError):
        dna.do(lambda real: real.rename("itype", 299, "?"))


def test_a_batch_job_gives_many_items_one_stamp(dna: DnaInThread, sierra: SierraInThread) -> None:
    numbers = [str(item.number) for item in ITEMS[:30]]
    set_clock(sierra, NOW)
    sierra.run(sierra._sierra.records.edit_alike, numbers, {"fixedFields": {"60": {"label": "ICODE2", "value": "n"}}})
    stamped = "SELECT count(*) FROM sierra_view.record_metadata WHERE record_last_updated_gmt = %s"
    assert dna.one(stamped, NOW.replace(microsecond=678_000)) == 30
    assert dna.one("SELECT count(*) FROM sierra_view.item_record WHERE is_suppressed") == 30
