"""Our own ETL in the test's process, on the test's SierraDNA, and files as a reader of them has them."""

import csv
import gzip
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from etl.export import export
from etl.process import dna_of, made
from etl.service import Etl
from runtime.etl_settings import EtlSettings, SierraDnaSettings
from tests.fix_dna import DnaInThread

NUMBERS = ("item_record_id", "bib_record_id", "itype_code_num")
Row = dict[str, Any]


def dna_settings(dna: DnaInThread, **others: Any) -> dict[str, Any]:
    """The settings that lead to the test's SierraDNA, without rests."""
    login = conninfo_to_dict(dna.login)
    return {
        "sierra_dna_host": login["host"],
        "sierra_dna_port": int(str(login["port"])),
        "sierra_dna_name": login["dbname"],
        "sierra_dna_user": login["user"],
        "sierra_dna_password": login["password"],
        "sierra_dna_sslmode": "prefer",
        "etl_most_busy_share": 1,
        **others,
    }


def etl_settings(dna: DnaInThread, backend_url: str, key: str, **others: Any) -> EtlSettings:
    """The settings of an ETL between the two."""
    return EtlSettings(**dna_settings(dna, **{"backend_url": backend_url, "etl_client_api_key": key, **others}))


def exported(dna: DnaInThread, target: Path, **what: Any) -> list[Row]:
    """The rows of `signum etl export`."""
    settings = SierraDnaSettings(**dna_settings(dna))
    with dna_of(settings) as connection:
        export(connection, settings.etl_campus_code, settings.etl_chunk_items, target, **what)
    return rows_of(target.read_bytes())


def rows_of(file: bytes) -> list[Row]:
    """The file's rows: numbers as numbers, JSON as what it says, an empty field as None."""
    return [_values(row) for row in texts_of(file)]


def texts_of(file: bytes) -> list[dict[str, str]]:
    """The file's rows as text."""
    return list(csv.DictReader(io.StringIO(gzip.decompress(file).decode(), newline=""), delimiter="\t"))


def _values(row: dict[str, str]) -> Row:
    values: Row = {name: text or None for name, text in row.items()}
    values |= {name: int(values[name]) for name in NUMBERS if values.get(name)}
    if values.get("shelfmark_json"):
        values["shelfmark_json"] = json.loads(values["shelfmark_json"])
    return values


@contextmanager
def running(dna: DnaInThread, url: str, key: str, **others: Any) -> Iterator[Etl]:
    """An ETL between the two, whose rests are none."""
    with made(etl_settings(dna, url, key, **others)) as etl:
        etl.rest = lambda seconds: None
        yield etl


def until_rest(etl: Etl, most: int = 100) -> list[str]:
    """Have rounds done until none is due. The kinds of their steps."""
    kinds: list[str] = []
    for _ in range(most):
        step = etl.round()
        if step.kind == "rest":
            return kinds
        kinds.append(step.kind)
    raise AssertionError(f"no end after {most} rounds: {kinds}")


def owner(dna: DnaInThread) -> psycopg.Connection[Any]:
    """A session that may change SierraDNA's tables."""
    return psycopg.connect(dna.server.dsn(), dbname="iii", autocommit=True)


_MANY = (
    """INSERT INTO iiirecord.record_metadata (id, record_type, record_num, creation_date, record_last_updated)
        SELECT (ascii(kind)::bigint << 32) + number, kind, number, now(), now() - interval '1 year'
        FROM generate_series(5000001, 5000000 + %(count)s) AS number, unnest(ARRAY['b', 'i']) AS kind""",
    """INSERT INTO iiirecord.item_record (id, record_id, itype_code_num, location_code)
        SELECT (105::bigint << 32) + number, (105::bigint << 32) + number, 1, 'mainl'
        FROM generate_series(5000001, 5000000 + %(count)s) AS number""",
    """INSERT INTO iiirecord.item_record_property (id, item_record_id, barcode)
        SELECT number, (105::bigint << 32) + number, '3301' || number
        FROM generate_series(5000001, 5000000 + %(count)s) AS number""",
    """INSERT INTO iiirecord.bib_record_item_record_link (id, bib_record_id, item_record_id)
        SELECT number, (98::bigint << 32) + number, (105::bigint << 32) + number
        FROM generate_series(5000001, 5000000 + %(count)s) AS number""",
    """INSERT INTO iiirecord.bib_record_property (id, bib_record_id, best_title, best_author, material_code)
        SELECT number, (98::bigint << 32) + number, 'Sinuhe ' || number, 'Waltari, Mika', 'a'
        FROM generate_series(5000001, 5000000 + %(count)s) AS number""",
    """INSERT INTO iiirecord.subfield (record_id, varfield_id, field_type_code, marc_tag, marc_ind1, marc_ind2,
            occ_num, display_order, tag, content)
        SELECT (98::bigint << 32) + number, number * 20::bigint + field, field_type, marc_tag, '1', '0',
            0, field, chr(97 + field), CASE marc_tag WHEN '097' THEN '84.2' ELSE repeat(md5(number::text), 3) END
        FROM generate_series(5000001, 5000000 + %(count)s) AS number,
            (VALUES (0, 'a', '100'), (1, 'a', '100'), (2, 't', '245'), (3, 't', '245'), (4, 't', '245'),
                (5, 't', '245'), (6, 'c', '097'), (7, 'n', '500'), (8, 'n', '505'), (9, 'd', '650'))
                AS fields (field, field_type, marc_tag)
        ORDER BY number, field""",
)


def add_many(dna: DnaInThread, count: int) -> None:
    """Add items, each with a bib of its own that has about a kilobyte of fields."""
    with owner(dna) as session:
        for statement in _MANY:
            session.execute(statement.encode(), {"count": count})
        session.execute("ANALYZE")
