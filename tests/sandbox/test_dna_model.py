"""After any changes, SierraDNA shows what the records have: no row too many, none too few, none left as it was."""

import itertools
import random
from dataclasses import replace

from sandbox.catalogue import Oddity, call_number_field
from sandbox.dna import SierraDna
from sandbox.dna_bibs import class_field, var_field
from sandbox.dna_catalogue import DnaOddity
from sandbox.dna_rows import Rows, bib_rows, item_rows
from tests.fix_dna import ITEMS, DnaInThread
from tests.fix_sierra import SierraInThread

ORDINARY = [item for place, item in enumerate(ITEMS) if place not in {*DnaOddity, Oddity.GHOST}]
NUMBERS = [str(item.number) for item in ORDINARY]
BIBS = [str(bib.number) for item in ORDINARY for bib in item.bibs]
STEPS = 400
COMPARED = {
    "varfield": "record_id, varfield_type_code, marc_tag, marc_ind1, occ_num, field_content",
    "subfield": "record_id, field_type_code, marc_tag, occ_num, display_order, tag, content",
    "bib_record_item_record_link": "item_record_id, bib_record_id",
    "item_record": "record_id, itype_code_num, icode2, use3_count, is_suppressed",
    "item_record_property": "item_record_id, call_number, call_number_norm, barcode",
    "bib_record_property": "bib_record_id, best_title, best_author",
    "phrase_entry": "record_id, index_entry, occurrence",
    "record_metadata": "id, num_revisions, deletion_date_gmt::text",
}
BASE_NAMES = {("varfield", "varfield_type_code"): "field_type_tag", ("phrase_entry", "record_id"): "record_key"}


def change_something(real: SierraDna, luck: random.Random) -> None:
    """One change of an item or a bib."""
    records, number = real._records, luck.choice(NUMBERS)
    record = records.by_number[number]
    if record.deleted_at:
        records.add([replace(record, deleted_at=None)])  # restored
        return
    match luck.randrange(8):
        case 0:
            records.put(number, {"varFields": [call_number_field(luck.choice(("84.2", "85.25 Kuv", "")))]})
        case 1:
            value = {"label": "I TYPE", "value": str(luck.choice((1, 2, 300)))}
            records.edit(number, {"fixedFields": {"61": value, "74": {"label": "IUSE3", "value": "1"}}})
        case 2:
            barcodes = [{"fieldTag": "b", "content": f"3301{luck.randrange(99):010}"} for _ in range(luck.randrange(3))]
            records.edit(number, {"varFields": [*barcodes, {"fieldTag": "x", "content": "a|b"}]})
        case 3:
            records.link(number, luck.sample(BIBS, luck.randrange(4)))
        case 4:
            fields = [class_field("86.2", ("2", "ykl")), var_field("t", "245", "1", "0", ("a", luck.choice("ÅÄÖ")))]
            real.edit_bib(luck.choice(BIBS), luck.sample(fields, luck.randrange(3)))
        case 5:
            alive = [one for one in NUMBERS if not records.by_number[one].deleted_at]
            edit = {"fixedFields": {"60": {"label": "ICODE2", "value": luck.choice("-n")}}}
            records.edit_alike(luck.sample(alive, 3), edit)
        case 6:
            real.delete_item(number)
        case 7:
            records.add([replace(record, var_fields=record.var_fields[1:])])


def test_after_any_changes_the_rows_are_those_of_the_records(dna: DnaInThread, sierra: SierraInThread) -> None:
    luck = random.Random(1)
    for _ in range(STEPS):
        dna.do(lambda real: change_something(real, luck))
    rows = [item_rows(sierra.record(number), itertools.count()) for number in NUMBERS]
    rows += [bib_rows(bib, itertools.count()) for bib in dna.do(lambda real: [real.bibs[one] for one in BIBS])]
    keys = [row["id"] for one in rows for row in one["record_metadata"]]
    for view, columns in COMPARED.items():
        key, *_ = columns.split(",")
        shown = dna.fetch(f"SELECT {columns} FROM sierra_view.{view} WHERE {key} = ANY(%s)", keys)
        assert sorted(shown, key=repr) == expected(rows, view), view


def expected(rows: list[Rows], view: str) -> list[tuple[object, ...]]:
    """The view's rows, as records that were never changed have them."""
    columns = [column.strip().removesuffix("::text") for column in COMPARED[view].split(",")]
    names = [BASE_NAMES.get((view, column), column.removesuffix("_gmt")) for column in columns]
    return sorted((tuple(row[name] for name in names) for one in rows for row in one.get(view, [])), key=repr)
