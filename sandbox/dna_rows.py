"""SierraDNA's rows of a record: from an item or a bib, as the simulator has it, to the base tables' rows. Pure.

A key is 64 bits: 16 of campus, 16 of the record type's character, 32 of the record's number
(https://github.com/SydneyUniLibrary/sierra-record-id, docs/database-id.asciidoc). So keys of one type sort by number,
and another library's records behind all our own.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sandbox.dna_bibs import BibRecord, VarField
from sandbox.records import Record

Row = dict[str, Any]
Rows = dict[str, list[Row]]  # by base table
WIDEST = 20001
_INDEXED = 1000


def record_key(kind: str, number: str | int, campus_id: int = 0) -> int:
    """The key of the record of that kind (`i` item, `b` bib) and number."""
    return campus_id << 48 | ord(kind) << 32 | int(number)


def item_rows(item: Record, ids: Iterator[int], campus_id: int = 0, campus_code: str = "") -> Rows:
    """All rows of an item. Of a deleted one its row in record_metadata alone."""
    key = record_key("i", item.number, campus_id)
    fixed = {number: field.get("value") or None for number, field in item.fixed_fields.items()}
    updated_at = fixed.get("84") or item.created_at
    metadata = _metadata(key, "i", int(item.number), item.created_at, updated_at, int(fixed.get("85") or 0))
    if item.deleted_at:
        return {"record_metadata": [metadata | {"deletion_date": item.deleted_at}]}
    varfields, subfields = field_rows(key, item.var_fields, ids)
    return {
        "record_metadata": [metadata | {"campus_code": campus_code}],
        "item_record": [_item_record(key, fixed)],
        "item_record_property": [_item_property(key, item)],
        "bib_record_item_record_link": [
            {
                "id": next(ids),
                "bib_record_id": record_key("b", bib),
                "item_record_id": key,
                "items_display_order": 0,
                "bibs_display_order": order,
            }
            for order, bib in enumerate(item.bib_numbers)
        ],
        "varfield": varfields,
        "subfield": subfields,
        "phrase_entry": [
            _barcode_entry(next(ids), key, barcode, order) for order, barcode in enumerate(barcodes(item))
        ],
    }


def bib_rows(bib: BibRecord, ids: Iterator[int], at: str = "2010-02-03T10:00:00Z") -> Rows:
    """All rows of a bib but its links, which are the items' here. `at`: when it was made and last edited."""
    key = record_key("b", bib.number)
    varfields, subfields = field_rows(key, bib.var_fields, ids)
    return {
        "record_metadata": [_metadata(key, "b", int(bib.number), at, at, bib.revisions)],
        "bib_record": [_bib_record(key, bib)],
        "bib_record_property": [_bib_property(key, bib)],
        "varfield": varfields,
        "subfield": subfields,
    }


def field_rows(key: int, var_fields: Sequence[VarField], ids: Iterator[int]) -> tuple[list[Row], list[Row]]:
    """The rows of varfield and of subfield. A field that has no subfields is one row of subfield, with no `tag`.

    A MARC field whose content does not begin with `|` has an implied `$a`. Which `tag` the view shows for it is not
    known in public; here it is NULL, the worse case for a reader that asks for `tag = 'a'`.
    """
    varfields: list[Row] = []
    subfields: list[Row] = []
    seen: Counter[str] = Counter()
    for field in var_fields:
        tag, marc_tag = field["fieldTag"], field.get("marcTag")
        common = {
            "record_id": key,
            "marc_tag": marc_tag,
            "marc_ind1": field.get("ind1") if marc_tag else None,
            "marc_ind2": field.get("ind2") if marc_tag else None,
            "occ_num": seen[tag],
        }
        seen[tag] += 1
        parts = field.get("subfields") or ()
        whole = "".join(f"|{part['tag']}{part['content'] or ''}" for part in parts) if parts else field["content"]
        varfield_id = next(ids)
        varfields.append({"id": varfield_id, **common, "field_type_tag": tag, "field_content": whole[:WIDEST]})
        shown = [(part["tag"], part["content"] or "") for part in parts] or [(None, whole)]
        subfields += [
            {
                **common,
                "varfield_id": varfield_id,
                "field_type_code": tag,
                "display_order": order,
                "tag": subfield_tag,
                "content": content[:WIDEST],
            }
            for order, (subfield_tag, content) in enumerate(shown)
        ]
    return varfields, subfields


def barcodes(item: Record) -> list[str]:
    """The item's barcodes, in their order."""
    return [field["content"] for field in item.var_fields if field["fieldTag"] == "b" and field.get("content")]


def _metadata(key: int, kind: str, number: int, created_at: str, updated_at: str, revisions: int) -> Row:
    return {
        "id": key,
        "record_type": kind,
        "record_num": number,
        "creation_date": created_at,
        "deletion_date": None,
        "campus_code": "",
        "num_revisions": revisions,
        "record_last_updated": updated_at,
        "previous_last_updated": created_at,
    }


def _item_record(key: int, fixed: Mapping[str, str | None]) -> Row:
    """The fixed fields by their numbers: https://techdocs.iii.com/sierraapi/Content/zObjects/itemObjectDescription.htm."""
    borrower, icode2 = fixed.get("66"), fixed.get("60") or "-"
    return {
        "id": key,
        "record_id": key,
        "icode1": int(fixed.get("59") or 0),
        "icode2": icode2,
        "itype_code_num": int(fixed.get("61") or 0),
        "location_code": fixed.get("79"),
        "agency_code_num": int(fixed.get("127") or 1),
        "item_status_code": fixed.get("88") or "-",
        "is_inherit_loc": False,
        "price": fixed.get("62") or 0,
        "last_checkin_gmt": fixed.get("68"),
        "checkout_total": int(fixed.get("76") or 0),
        "renewal_total": int(fixed.get("77") or 0),
        "copy_num": int(fixed.get("58") or 1),
        "last_patron_record_metadata_id": borrower and record_key("p", borrower),
        "inventory_gmt": fixed.get("69"),
        "use3_count": int(fixed.get("74") or 0),
        "last_checkout_gmt": fixed.get("78"),
        "internal_use_count": int(fixed.get("93") or 0),
        "copy_use_count": int(fixed.get("94") or 0),
        "item_message_code": fixed.get("97") or "-",
        "opac_message_code": fixed.get("108") or "-",
        "is_suppressed": icode2 != "-",
        "is_available_at_library": not fixed.get("65"),
    }


def _item_property(key: int, item: Record) -> Row:
    call_numbers = item.call_numbers()
    return {
        "id": key,
        "item_record_id": key,
        "call_number": f"|a{call_numbers[0]}"[:_INDEXED] if call_numbers else None,
        "call_number_norm": call_numbers[0].lower()[:_INDEXED] if call_numbers else None,
        "barcode": next(iter(barcodes(item)), None),
    }


def _barcode_entry(entry_id: int, key: int, barcode: str, order: int) -> Row:
    return {
        "id": entry_id,
        "record_key": key,
        "index_tag": "b",
        "field_group_tag": "b",
        "occurrence": order,
        "index_entry": barcode.lower()[:512],
        "original_content": barcode[:_INDEXED],
    }


def _bib_record(key: int, bib: BibRecord) -> Row:
    return {
        "id": key,
        "record_id": key,
        "language_code": "fin",
        "country_code": "fi ",
        "bcode1": "m",
        "bcode2": bib.material_code,
        "bcode3": bib.bcode3,
        "index_change_count": 0,
        "skip_num": 0,
        "marc_type_code": " ",
        "is_suppressed": bib.bcode3 != "-",
    }


def _bib_property(key: int, bib: BibRecord) -> Row:
    title, author = bib.best_title, bib.best_author
    return {
        "id": int(bib.number),
        "bib_record_id": key,
        "best_title": title and title[:_INDEXED],
        "best_title_norm": title and title.lower()[:_INDEXED],
        "bib_level_code": "m",
        "material_code": bib.material_code,
        "best_author": author and author[:_INDEXED],
        "best_author_norm": author and author.lower()[:_INDEXED],
    }
