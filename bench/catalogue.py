"""Makes the items to measure with, as many as wanted, of the sandbox's numbering; and the ETL's batch of 1 kB rows."""

import random
from typing import Any

import psycopg

from sandbox.catalogue import make_catalogue, subfield
from sandbox.etl import encode

LOADED_AT = "2026-11-01T00:00:00+00:00"  # before any batch: an older batch overwrites nothing
REPR_BYTES = 900
WORDS = [
    "kirja",
    "talvi",
    "järvi",
    "meri",
    "yö",
    "päivä",
    "matka",
    "koira",
    "metsä",
    "tähti",
    "äiti",
    "ilta",
    "kaupunki",
    "saari",
    "valo",
    "varjo",
    "stranger's",
]

# Items without subfields: the sync alone reads those. Classifications are those that an item of Sierra hasn't got yet.
FILL = """
INSERT INTO sierra_item (
    item_record_id, item_number, barcode, bib_record_id, bib_number, best_author, best_title, itype_code_num,
    item_type_name, material_code, material_name, classification, shelfmark, updated_at
)
SELECT
    %(first_id)s + place, (%(first_number)s + place)::text, (%(first_barcode)s + place)::text,
    420907800000 + place / 3, (2000000 + place / 3)::text, 'Talvio, Maila', 'Kirja ' || place, 1,
    'Kirja', 'a', 'Kirja', '99.' || place %% 1000, 'TAL', %(loaded_at)s
FROM generate_series(0, %(items)s - 1) AS place
"""


def fill_catalogue(connection: psycopg.Connection[Any], items: int) -> None:
    """Write so many items without the sync."""
    first = make_catalogue(1)[0]
    parameters = {
        "first_id": first.record_id,
        "first_number": first.number,
        "first_barcode": int(first.barcode),
        "loaded_at": LOADED_AT,
        "items": items,
    }
    connection.execute(FILL, parameters)
    connection.execute("VACUUM (ANALYZE) sierra_item")
    connection.execute("CHECKPOINT")


def make_batch(rows: int, version: int = 1) -> bytes:
    """Make a batch as the ETL sends it. Another version has the same items, every one of them changed."""
    luck = random.Random(7)
    return encode([_row(place, version, luck) for place in range(rows)])


def _row(place: int, version: int, luck: random.Random) -> dict[str, Any]:
    title = f"{luck.choice(WORDS)} {luck.choice(WORDS)} {place}"
    subfields = [
        subfield("100", "1", " ", "a", "a", f"{luck.choice(WORDS).title()}, Aino,"),
        subfield("245", "1", "0", "t", "a", f"{title} (painos {version}) /"),
    ]
    while len(repr(subfields)) < REPR_BYTES:
        subfields.append(subfield("245", "1", "0", "t", "n", " ".join(luck.choice(WORDS) for _ in range(6))))
    return {
        "item_record_id": 460_000_000_000 + place,
        "item_number": 9_000_001 + place,
        "barcode": str(44_010_000_000_001 + place),
        "bib_record_id": 430_000_000_000 + place // 3,
        "bib_number": 3_000_000 + place // 3,
        "best_author": "Aalto, Aino",
        "best_title": title,
        "itype_code_num": 100,
        "item_type_name": "Kirja",
        "material_code": "a",
        "material_name": "Kirja",
        "classification": f"84.{version}{place % 100}",
        "shelfmark_json": subfields,
    }
