"""The oracle of the ETL's file: what the deployed ETL would send of one item, asked naively and item by item.

The deployed ETL is https://github.com/City-of-Helsinki/signum-savotta, etl_component/src/main.py. Its values, byte for
byte, but for what its wire format does to them (item types cut to 8 bits, `.0`, the Python repr). Slow and simple on
purpose: a statement per value, no joins of pages, so that an ETL that reads pages can be held against it.
"""

from typing import Any

import psycopg

from sandbox.etl import COLUMNS

HEADINGS = ("100", "110", "111", "130", "245")
_SUBFIELD = ("marc_tag", "marc_ind1", "marc_ind2", "field_type_code", "tag", "content")
_ITEM = "SELECT itype_code_num FROM sierra_view.item_record WHERE record_id = %s"
_NUMBER = "SELECT record_num FROM sierra_view.record_metadata WHERE id = %s"
_BARCODE = "SELECT barcode FROM sierra_view.item_record_property WHERE item_record_id = %s"
_BIB = "SELECT max(bib_record_id) FROM sierra_view.bib_record_item_record_link WHERE item_record_id = %s"
_BIB_PROPERTY = """SELECT best_author, best_title, material_code
    FROM sierra_view.bib_record_property WHERE bib_record_id = %s"""
_TYPE_NAME = "SELECT name FROM sierra_view.itype_property_myuser WHERE code = %s"
_MATERIAL_NAME = "SELECT name FROM sierra_view.material_property_myuser WHERE code = %s"
# The greatest text of every subfield of every 097, by the database's collation.
_CLASS = "SELECT max(content) FROM sierra_view.subfield WHERE record_id = %s AND marc_tag = '097'"
# The deployed ETL's order is undefined. This one is stable.
_HEADINGS = """SELECT marc_tag, marc_ind1, marc_ind2, field_type_code, tag, content FROM sierra_view.subfield
    WHERE record_id = %s AND marc_tag = ANY(%s) ORDER BY marc_tag, occ_num, varfield_id, display_order"""


def expected_row(connection: psycopg.Connection[Any], item_record_id: int) -> dict[str, Any] | None:
    """The item's row; of several bibs the highest, an empty text is NULL. None: there is no such item.

    `shelfmark_json` is still a list.
    """

    def first(statement: str, *parameters: Any) -> tuple[Any, ...] | None:
        return connection.execute(statement, parameters).fetchone()

    item = first(_ITEM, item_record_id)
    if item is None:
        return None
    (bib,) = first(_BIB, item_record_id) or (None,)
    author, title, material = first(_BIB_PROPERTY, bib) or (None, None, None)
    headings = connection.execute(_HEADINGS, (bib, list(HEADINGS))).fetchall()
    values = (
        item_record_id,
        *(first(_NUMBER, item_record_id) or (None,)),
        *(first(_BARCODE, item_record_id) or (None,)),
        bib,
        *(first(_NUMBER, bib) or (None,)),
        *(author, title, item[0]),
        *(first(_TYPE_NAME, item[0]) or (None,)),
        material,
        *(first(_MATERIAL_NAME, material) or (None,)),
        *(first(_CLASS, bib) or (None,)),
        [dict(zip(_SUBFIELD, row, strict=True)) for row in headings] or None,
    )
    return {name: None if value == "" else value for name, value in zip(COLUMNS, values, strict=True)}


def expected_rows(connection: psycopg.Connection[Any], campus_code: str = "") -> list[dict[str, Any]]:
    """The rows of all living items of that campus, in the order of their keys."""
    ids = connection.execute(
        """SELECT item_record.record_id FROM sierra_view.item_record
           JOIN sierra_view.record_metadata ON record_metadata.id = item_record.record_id
           WHERE campus_code = %s AND deletion_date_gmt IS NULL ORDER BY 1""",
        (campus_code,),
    ).fetchall()
    return [row for (key,) in ids if (row := expected_row(connection, key))]
