"""The file holds what the deployed ETL would send, value by value."""

import json
import re
from pathlib import Path

import pytest

from etl.export import export
from etl.items import COLUMNS, OLD_COLUMNS
from etl.process import dna_of
from runtime.etl_settings import SierraDnaSettings
from runtime.statements import load
from sandbox import etl as deployed
from sandbox.catalogue import Item
from sandbox.dna_bibs import class_field
from sandbox.dna_catalogue import CAMPUS_CODE, THEIR_BARCODE
from tests.fix_dna import ITEMS, DnaInThread, bib_key, item_key
from tests.fix_dna_oracle import HEADINGS, expected_rows
from tests.fix_etl import Row, dna_settings, exported, owner, rows_of, texts_of
from tests.fix_sierra import SierraInThread

ITEM, OTHER = ITEMS[0], ITEMS[1]


def read(dna: DnaInThread, target: Path, *items: Item) -> list[Row]:
    return exported(dna, target, ids=[item_key(item) for item in items])


def as_text(row: Row | None) -> Row:
    """The oracle's row, with the numbers that come as text as text."""
    assert row
    return {**row, **{name: str(row[name]) for name in ("item_number", "bib_number") if row[name] is not None}}


def test_the_file_is_what_the_deployed_etl_would_have_sent(dna: DnaInThread, tmp_path: Path) -> None:
    rows = exported(dna, tmp_path / "all.tsv.gz")
    with dna.connect() as session:
        assert rows == [as_text(row) for row in expected_rows(session)]
    assert len(rows) == len(ITEMS)
    assert tuple(rows[0]) == deployed.COLUMNS == COLUMNS[:OLD_COLUMNS]


def test_by_ids_the_same_rows_come_and_none_of_what_is_no_living_item_of_ours(dna: DnaInThread, tmp_path: Path) -> None:
    keys = [key for (key,) in dna.fetch("SELECT id FROM sierra_view.record_metadata")]
    rows = exported(dna, tmp_path / "ids.tsv.gz", ids=keys)
    assert [row["item_record_id"] for row in rows] == sorted(map(item_key, ITEMS))


def test_another_campus_has_its_own_items_and_no_others(dna: DnaInThread, tmp_path: Path) -> None:
    settings = SierraDnaSettings(**dna_settings(dna, etl_campus_code=CAMPUS_CODE))
    with dna_of(settings) as connection:
        export(connection, settings.etl_campus_code, settings.etl_chunk_items, tmp_path / "muu")
    (row,) = rows_of((tmp_path / "muu").read_bytes())
    assert row["barcode"] == THEIR_BARCODE


def test_of_several_bibs_the_highest_is_sent(dna: DnaInThread, sierra: SierraInThread, tmp_path: Path) -> None:
    bibs = [str(item.bibs[0].number) for item in ITEMS[:3]]
    sierra.run(sierra._sierra.records.link, str(ITEM.number), [bibs[1], bibs[2], bibs[0]])
    (row,) = read(dna, tmp_path / "one", ITEM)
    assert row["bib_record_id"] == max(map(bib_key, ITEMS[:3]))


def test_class_is_the_greatest_text_of_all_097_in_the_databases_collation(dna: DnaInThread, tmp_path: Path) -> None:
    fields = [class_field("85.22", ("2", "ykl")), class_field("9"), class_field("a"), class_field("Ä")]
    dna.do(lambda real: real.edit_bib(str(ITEM.bibs[0].number), fields))
    (row,) = read(dna, tmp_path / "one", ITEM)
    greatest = "SELECT max(content) FROM sierra_view.subfield WHERE record_id = %s AND marc_tag = '097'"
    assert row["classification"] == dna.one(greatest, bib_key(ITEM))


def test_class_is_sent_untouched(dna: DnaInThread, tmp_path: Path) -> None:
    text = '  84.2\tä "x"\r\n '
    dna.do(lambda real: real.edit_bib(str(ITEM.bibs[0].number), [class_field(text)]))
    (row,) = read(dna, tmp_path / "one", ITEM)
    assert row["classification"] == text


@pytest.mark.parametrize("text", ["a\rb", "a\nb", "a\tb", '"', "a\r\nb", "\u0098Der \u009cTod", "\u2028", "''", "é"])
def test_text_that_a_line_or_a_field_could_end_at_comes_whole(dna: DnaInThread, tmp_path: Path, text: str) -> None:
    dna.do(lambda real: real.edit_bib(str(ITEM.bibs[0].number), [class_field(text)]))
    first, second = read(dna, tmp_path / "two", ITEM, OTHER)
    assert (first["classification"], second["item_record_id"]) == (text, item_key(OTHER))


def test_itype_300_is_sent_as_300(dna: DnaInThread, sierra: SierraInThread, tmp_path: Path) -> None:
    sierra.edit(str(ITEM.number), {"fixedFields": {"61": {"label": "I TYPE", "value": "300"}}})
    (row,) = read(dna, tmp_path / "one", ITEM)
    assert (row["itype_code_num"], row["item_type_name"]) == (300, "Lautapeli")


def test_an_item_without_bib_is_sent_in_full_and_in_changes(
    dna: DnaInThread, sierra: SierraInThread, tmp_path: Path
) -> None:
    sierra.run(sierra._sierra.records.link, str(ITEM.number), [])
    since = dna.one("SELECT now()")
    sierra.edit(str(ITEM.number), {"fixedFields": {"61": {"label": "I TYPE", "value": "17"}}})
    full = exported(dna, tmp_path / "full")
    (changed,) = exported(dna, tmp_path / "changes", since=since.replace(microsecond=0))
    assert changed in full
    assert (changed["item_record_id"], changed["bib_record_id"]) == (item_key(ITEM), None)


def test_an_item_without_property_row_has_no_barcode(dna: DnaInThread, tmp_path: Path) -> None:
    (row,) = read(dna, tmp_path / "one", ITEMS[8])
    assert row["barcode"] is None


def test_a_name_that_comes_twice_makes_no_second_row(dna: DnaInThread, tmp_path: Path) -> None:
    with owner(dna) as session:
        session.execute(
            "INSERT INTO iiirecord.itype_property_name (itype_property_id, iii_language_id, name) "
            "SELECT id, 2, 'Aina' FROM iiirecord.itype_property"
        )
    rows = exported(dna, tmp_path / "all")
    assert [row["item_record_id"] for row in rows] == sorted(map(item_key, ITEMS))
    assert {row["item_type_name"] for row in rows} == {"Aina", None}


def test_shelfmark_json_is_the_same_bytes_every_time(dna: DnaInThread, tmp_path: Path) -> None:
    before = _headings(dna, tmp_path / "before")
    with owner(dna) as session:  # other places in the heap
        session.execute("CREATE TABLE moved AS SELECT * FROM iiirecord.subfield ORDER BY content DESC")
        session.execute("TRUNCATE iiirecord.subfield")
        session.execute("INSERT INTO iiirecord.subfield TABLE moved")
    assert _headings(dna, tmp_path / "after") == before
    assert all(
        text == json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":")) for text in before if text
    )
    keys = [list(entry) for text in before if text for entry in json.loads(text)]
    assert set(map(tuple, keys)) == {("marc_tag", "marc_ind1", "marc_ind2", "field_type_code", "tag", "content")}


def _headings(dna: DnaInThread, target: Path) -> list[str]:
    exported(dna, target)
    return [row["shelfmark_json"] for row in texts_of(target.read_bytes())]


def test_no_view_of_patrons_is_read() -> None:
    statements = [*load("etl", "items").items(), *load("etl", "changes").items()]
    views = {view for _, text in statements for view in re.findall(r"sierra_view\.(\w+)", text)}
    assert views == {
        *("record_metadata", "item_record", "item_record_property", "bib_record_property", "subfield"),
        *("bib_record_item_record_link", "itype_property_myuser", "material_property_myuser", "location_myuser"),
    }
    assert not any("patron" in text for _, text in statements)


def test_the_oracle_has_the_headings_that_the_statement_asks_for() -> None:
    asked = load("etl", "items")["headings"]
    assert tuple(re.findall(r"'(\d{3})'", asked)) == HEADINGS
