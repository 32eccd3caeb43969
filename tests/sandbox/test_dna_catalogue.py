"""SierraDNA shows the sandbox's catalogue, and in fifty items every oddity that its rows have at a library."""

from typing import Any

from sandbox.dna_catalogue import CAMPUS_CODE, DELETED_ON, FIRST_DELETED, THEIR_BARCODE, DnaOddity
from sandbox.dna_rows import record_key
from tests.fix_dna import ITEMS, DnaInThread, bib_key, item_key
from tests.fix_dna_oracle import expected_row, expected_rows

CLASSES = """SELECT tag, content FROM sierra_view.subfield WHERE record_id = %s AND marc_tag = '097'
    ORDER BY occ_num, display_order"""
GREATEST = "SELECT max(content) FROM sierra_view.subfield WHERE record_id = %s AND marc_tag = '097'"
TITLE = "SELECT content FROM sierra_view.subfield WHERE record_id = %s AND marc_tag = '245' AND tag = 'a'"


def bib_at(oddity: DnaOddity) -> int:
    return bib_key(ITEMS[oddity])


def item_at(oddity: DnaOddity) -> int:
    return item_key(ITEMS[oddity])


def test_ordinary_items_have_the_rows_that_the_deployed_etl_sends(shared_dna: DnaInThread) -> None:
    ordinary = [item for place, item in enumerate(ITEMS) if place not in set(DnaOddity)]
    with shared_dna.connect() as connection:
        for item in ordinary:
            *_, sent = item.rows()  # of several bibs the highest
            if not item.bibs:  # a class and a material are the bib's, though the double of the ETL sends them
                sent |= {"classification": None, "material_code": None, "material_name": None}
            assert expected_row(connection, item.record_id) == sent


def test_every_living_item_of_ours_is_there_once(shared_dna: DnaInThread) -> None:
    with shared_dna.connect() as connection:
        rows = expected_rows(connection)
    assert [row["item_record_id"] for row in rows] == [item.record_id for item in ITEMS]


def test_a_key_is_campus_type_and_number(shared_dna: DnaInThread) -> None:
    assert shared_dna.fetch(
        "SELECT id, record_type_code, campus_code FROM sierra_view.record_metadata WHERE record_num = 1000001"
    ) == [
        (420_906_795_008 + 1_000_001, "b", ""),
    ]
    assert item_key("2043111") == 450_973_609_191


def test_of_two_097_the_greater_text_wins(shared_dna: DnaInThread) -> None:
    classes = [content for _, content in shared_dna.fetch(CLASSES, bib_at(DnaOddity.TWO_CLASSES))]
    assert classes == [ITEMS[DnaOddity.TWO_CLASSES].classification, "9"]
    assert shared_dna.one(GREATEST, bib_at(DnaOddity.TWO_CLASSES)) == "9"


def test_a_source_in_097_is_greater_than_the_class(shared_dna: DnaInThread) -> None:
    assert shared_dna.fetch(CLASSES, bib_at(DnaOddity.CLASS_SOURCE)) == [("a", "84.31"), ("2", "ykl")]
    assert shared_dna.one(GREATEST, bib_at(DnaOddity.CLASS_SOURCE)) == "ykl"


def test_097_without_bar_is_one_subfield_without_tag(shared_dna: DnaInThread) -> None:
    whole = "SELECT field_content FROM sierra_view.varfield WHERE record_id = %s AND marc_tag = '097'"
    assert shared_dna.one(whole, bib_at(DnaOddity.CLASS_WITHOUT_BAR)) == "84.31"
    assert shared_dna.fetch(CLASSES, bib_at(DnaOddity.CLASS_WITHOUT_BAR)) == [(None, "84.31")]


def test_an_item_may_lack_its_property_row(shared_dna: DnaInThread) -> None:
    lacking = """SELECT record_id FROM sierra_view.item_record
        LEFT JOIN sierra_view.item_record_property ON item_record_id = record_id WHERE item_record_id IS NULL"""
    assert shared_dna.fetch(lacking) == [(item_at(DnaOddity.NO_PROPERTY),)]


def test_the_index_may_have_a_barcode_that_the_item_has_not(shared_dna: DnaInThread) -> None:
    behind = """SELECT item_record_id FROM sierra_view.item_record_property JOIN sierra_view.varfield
        ON record_id = item_record_id AND varfield_type_code = 'b' WHERE barcode <> field_content"""
    assert shared_dna.fetch(behind) == [(item_at(DnaOddity.BARCODE_BEHIND),)]


def test_a_suppressed_item_is_alive_and_rest_shows_it(shared_dna: DnaInThread) -> None:
    suppressed = "SELECT record_id, icode2 FROM sierra_view.item_record WHERE is_suppressed"
    assert shared_dna.fetch(suppressed) == [(item_at(DnaOddity.SUPPRESSED), "n")]
    assert shared_dna.sierra.record(str(ITEMS[DnaOddity.SUPPRESSED].number)).shown()["suppressed"]


def test_a_virtual_item_has_a_number_of_ours_a_campus_and_a_key_behind_all_our_own(shared_dna: DnaInThread) -> None:
    virtual = "SELECT id, record_num, campus_code FROM sierra_view.record_metadata WHERE id > 1::bigint << 48"
    ((key, number, campus),) = shared_dna.fetch(virtual)
    assert (number, campus) == (ITEMS[DnaOddity.VIRTUAL].number, CAMPUS_CODE)
    assert shared_dna.one("SELECT count(*) FROM sierra_view.item_record WHERE record_id = %s", key) == 1
    barcode = "SELECT barcode FROM sierra_view.item_record_property WHERE item_record_id = %s"
    assert shared_dna.one(barcode, key) == THEIR_BARCODE
    assert shared_dna.sierra.record(str(number)).shown()["barcode"] == ITEMS[DnaOddity.VIRTUAL].barcode


def test_a_link_may_have_no_display_order(shared_dna: DnaInThread) -> None:
    unordered = """SELECT item_record_id FROM sierra_view.bib_record_item_record_link
        WHERE items_display_order IS NULL AND bibs_display_order IS NULL"""
    assert shared_dna.fetch(unordered) == [(item_at(DnaOddity.NULL_ORDER),)]


def test_an_item_type_may_have_no_name(shared_dna: DnaInThread) -> None:
    nameless = """SELECT record_id, itype_code_num FROM sierra_view.item_record
        WHERE itype_code_num NOT IN (SELECT code FROM sierra_view.itype_property_myuser)"""
    assert shared_dna.fetch(nameless) == [(item_at(DnaOddity.UNKNOWN_ITYPE), 299)]


def test_a_name_may_end_in_a_blank(shared_dna: DnaInThread) -> None:
    name = """SELECT name FROM sierra_view.item_record JOIN sierra_view.itype_property_myuser ON code = itype_code_num
        WHERE record_id = %s"""
    assert shared_dna.one(name, item_at(DnaOddity.NAME_WITH_BLANK)) == "Äänikirja "


def test_text_may_hold_a_bar(shared_dna: DnaInThread) -> None:
    note = """SELECT content FROM sierra_view.subfield
        WHERE record_id = %s AND marc_tag IS NULL AND tag IS NULL AND content LIKE '%%|%%'"""
    assert shared_dna.one(note, item_at(DnaOddity.CONTENT_WITH_BAR)) == "tilattu |asaatu| korjattu"
    assert shared_dna.one(TITLE, bib_at(DnaOddity.CONTENT_WITH_BAR)) == "Musta | valkea /"


def test_text_may_hold_control_characters(shared_dna: DnaInThread) -> None:
    assert shared_dna.one(TITLE, bib_at(DnaOddity.CONTROL_CHARACTERS)) == '\u0098Der \u009cTod\tin\r\n"Venedig"\x1f /'


def test_a_field_is_as_wide_as_its_column_at_most(shared_dna: DnaInThread) -> None:
    widest = (
        "SELECT length(field_content), octet_length(field_content) FROM sierra_view.varfield ORDER BY 1 DESC LIMIT 1"
    )
    assert shared_dna.fetch(widest) == [(20001, 2 + 2 * 19999)]
    assert (
        len(
            shared_dna.one(
                "SELECT best_title FROM sierra_view.bib_record_property ORDER BY length(best_title) DESC LIMIT 1"
            )
        )
        == 1000
    )


def test_an_item_deleted_long_ago_has_its_number_and_its_day(shared_dna: DnaInThread) -> None:
    number = str(FIRST_DELETED + DnaOddity.DELETED)
    kept = """SELECT record_num, deletion_date_gmt::text, creation_date_gmt, record_last_updated_gmt,
        previous_last_updated_gmt, num_revisions FROM sierra_view.record_metadata WHERE id = %s"""
    assert shared_dna.fetch(kept, item_key(number)) == [(int(number), DELETED_ON, None, None, None, 0)]
    assert shared_dna.fetch("SELECT 1 FROM sierra_view.item_record WHERE record_id = %s", item_key(number)) == []
    assert shared_dna.sierra.record(number).shown()["deleted"]


def test_a_borrower_is_in_the_rows_of_a_lent_item(shared_dna: DnaInThread) -> None:
    borrowers: list[Any] = shared_dna.fetch(
        "SELECT last_patron_record_metadata_id FROM sierra_view.item_record WHERE last_patron_record_metadata_id > 0"
    )
    assert [key >> 32 for (key,) in borrowers] == [record_key("p", 0) >> 32]
