"""Makes the items to measure with, as many as wanted, of the sandbox's numbering, and years of their history.

And the ETL's batch of 1 kB rows.
"""

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

# Items of 30 locations without subfields: the sync alone reads those. Half of them count as relabelled; the sandbox's
# Sierra has none of the classifications yet.
FILL = """
INSERT INTO sierra_item (
    item_record_id, item_number, barcode, bib_record_id, bib_number, best_author, best_title, itype_code_num,
    item_type_name, material_code, material_name, classification, shelfmark, updated_at, item_call_number,
    location_code, location_name, is_relabelled
)
SELECT
    %(first_id)s + place, (%(first_number)s + place)::text, (%(first_barcode)s + place)::text,
    420907800000 + place / 3, (2000000 + place / 3)::text, 'Talvio, Maila', 'Kirja ' || place, 1,
    'Kirja', 'a', 'Kirja', '99.' || place %% 1000, 'TAL', %(loaded_at)s,
    CASE WHEN place %% 2 = 0 THEN '84.2' ELSE '99.' || place %% 1000 END,
    'k' || place %% 30, 'Kirjasto ' || place %% 30, place %% 2 = 1
FROM generate_series(0, %(items)s - 1) AS place
"""

# Label after label, shelf after shelf, and from the first shelf again; spread evenly from `years` ago until now.
FILL_HISTORY = """
INSERT INTO update_log (
    item_record_id, item_number, barcode, title, queued_at, queued_by, finished_at, finished_by, outcome, attempts,
    call_number_before, call_number_after, sierra_ms
)
SELECT
    %(first_id)s + place, (%(first_number)s + place)::text, (%(first_barcode)s + place)::text, 'Kirja ' || place,
    ended_at, 'desk ' || label %% 20, ended_at, 'host:1',
    CASE WHEN label %% 10 = 0 THEN 'unchanged' ELSE 'pushed' END, 1, '84.2', '99.' || place %% 1000, 12
FROM (
    SELECT
        label, %(skipped)s + label %% (%(items)s - %(skipped)s) AS place,
        now() - (%(labels)s - label) * (%(years)s * interval '1 year' / %(labels)s) AS ended_at
    FROM generate_series(0, %(labels)s - 1) AS label
) AS past
"""
DESKS = """
INSERT INTO client (client_name, client_type, api_key_sha256, api_key_prefix)
SELECT 'desk ' || place, 'signum-printer', sha256(('desk ' || place)::bytea), 'sig_'
FROM generate_series(0, 19) AS place
"""


def fill_catalogue(connection: psycopg.Connection[Any], items: int) -> None:
    """Write so many items without the sync."""
    connection.execute(FILL, {**_first_item(), "loaded_at": LOADED_AT, "items": items})
    connection.execute("VACUUM (ANALYZE) sierra_item")
    connection.execute("CHECKPOINT")


def fill_history(connection: psycopg.Connection[Any], items: int, skipped: int, labels: int, years: int) -> None:
    """Write what came of so many labels of twenty desks in these years; none of the first `skipped` items."""
    amounts = {"items": items, "skipped": skipped, "labels": labels, "years": years}
    connection.execute(DESKS)
    connection.execute(FILL_HISTORY, {**_first_item(), **amounts})
    connection.execute("VACUUM (ANALYZE) update_log")
    connection.execute("CHECKPOINT")


def _first_item() -> dict[str, int]:
    first = make_catalogue(1)[0]
    return {"first_id": first.record_id, "first_number": first.number, "first_barcode": int(first.barcode)}


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
