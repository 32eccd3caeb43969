"""SierraDNA with as many items as wanted, made within itself, and the naive query for all of them.

A bib has three items and about 1 kB of headings, and as many fields that are not read. Each tenth item is of a bib far
from its neighbours'. Tables that the ETL does not read stay empty.
"""

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Literal

from bench.catalogue import WORDS
from sandbox.dna import SierraDna, login
from sandbox.postgres import EmbeddedPostgres
from sandbox.records import Records

ITEM, BIB = "(105::bigint << 32) + 5000000 + ", "(98::bigint << 32) + 3000000 + "
FIRST_BARCODE = 33_010_000_000_000
EDITED_AT_LAST = "2010-02-03T10:00:00Z"

PHRASE = """
CREATE FUNCTION pg_temp.phrase(place integer, salt integer) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT ({words}::text[])[1 + (place + salt * 5) % 17] || ' ' || ({words}::text[])[1 + (place / 17 + salt * 3) % 17]
        || ' ' || ({words}::text[])[1 + (place / 289 + salt * 7) % 17] || ' ' || place
$$
"""
BIB_OF = "CASE WHEN place %% 10 = 0 THEN place::bigint * 7919 %% %(bibs)s ELSE place / 3 END"
FILL = (
    f"""
    INSERT INTO iiirecord.record_metadata (id, record_type, record_num, creation_date, record_last_updated)
    SELECT {BIB} place, 'b', 3000000 + place, %(at)s, %(at)s FROM generate_series(0, %(bibs)s - 1) AS place
    """,
    f"""
    INSERT INTO iiirecord.record_metadata (id, record_type, record_num, creation_date, record_last_updated)
    SELECT {ITEM} place, 'i', 5000000 + place, %(at)s, %(at)s FROM generate_series(0, %(items)s - 1) AS place
    """,
    f"""
    INSERT INTO iiirecord.item_record (id, record_id, itype_code_num, location_code, item_status_code, is_suppressed)
    SELECT {ITEM} place, {ITEM} place, 1, 'mainl', '-', false FROM generate_series(0, %(items)s - 1) AS place
    """,
    f"""
    INSERT INTO iiirecord.item_record_property (id, item_record_id, call_number, call_number_norm, barcode)
    SELECT place, {ITEM} place, '|a84.2', '84.2', (%(barcode)s + place)::text
    FROM generate_series(0, %(items)s - 1) AS place
    """,
    f"""
    INSERT INTO iiirecord.bib_record_item_record_link (id, bib_record_id, item_record_id)
    SELECT place, {BIB} {BIB_OF}, {ITEM} place FROM generate_series(0, %(items)s - 1) AS place
    """,
    f"""
    INSERT INTO iiirecord.bib_record_property (id, bib_record_id, best_title, best_title_norm, material_code,
        best_author, best_author_norm)
    SELECT place, {BIB} place, pg_temp.phrase(place, 1), pg_temp.phrase(place, 1), 'a', 'Aalto, Aino', 'aalto aino'
    FROM generate_series(0, %(bibs)s - 1) AS place
    """,
    f"""
    INSERT INTO iiirecord.subfield (record_id, varfield_id, field_type_code, marc_tag, marc_ind1, marc_ind2,
        occ_num, display_order, tag, content)
    SELECT {BIB} place, place * 10::bigint + field, type, marc_tag, '1', '0', 0, part, tag,
        CASE marc_tag WHEN '097' THEN '84.' || place %% 100 ELSE pg_temp.phrase(place, field * 3 + part) END
    FROM generate_series(0, %(bibs)s - 1) AS place CROSS JOIN LATERAL (
        VALUES (0, 'c', '097', 0, 'a'), (1, 'a', '100', 0, 'a'), (1, 'a', '100', 1, 'e'), (2, 't', '245', 0, 'a'),
            (2, 't', '245', 1, 'b'), (2, 't', '245', 2, 'n'), (2, 't', '245', 3, 'p'), (2, 't', '245', 4, 'c'),
            (3, 'p', '260', 0, 'a'), (3, 'p', '260', 1, 'b'), (4, 'r', '300', 0, 'a'), (5, 'n', '500', 0, 'a'),
            (6, 'd', '650', 0, 'a'), (7, 'd', '650', 0, 'a'), (8, 'b', '700', 0, 'a'), (8, 'b', '700', 1, 'e')
    ) AS fields (field, type, marc_tag, part, tag)
    """,
    f"""
    INSERT INTO iiirecord.subfield (record_id, varfield_id, field_type_code, marc_tag, marc_ind1, marc_ind2,
        occ_num, display_order, tag, content)
    SELECT {ITEM} place, 1000000000 + place, 'c', '099', ' ', ' ', 0, 0, 'a', '84.2 Jännitys'
    FROM generate_series(0, %(items)s - 1) AS place
    """,
)
# Of the first items: the barcode, and the stamp as staff's edits move it.
EDIT = (
    f"UPDATE iiirecord.item_record_property SET barcode = barcode || '0' WHERE item_record_id < {ITEM} %(items)s",
    f"""UPDATE iiirecord.record_metadata SET record_last_updated = date_trunc('second', now())
        WHERE record_type = 'i' AND id < {ITEM} %(items)s""",
)
# The catalogue in one statement, as it comes to mind: each value as the ETL sends it.
NAIVE = """
COPY (
    SELECT
        m.id, m.record_num, p.barcode, l.bib_record_id, bm.record_num, b.best_author, b.best_title, i.itype_code_num,
        t.name, b.material_code, n.name, c.class, h.headings, o.call_number, m.record_last_updated_gmt,
        i.location_code, w.name
    FROM sierra_view.record_metadata AS m
    JOIN sierra_view.item_record AS i ON i.record_id = m.id
    LEFT JOIN sierra_view.item_record_property AS p ON p.item_record_id = m.id
    LEFT JOIN (
        SELECT item_record_id, max(bib_record_id) AS bib_record_id
        FROM sierra_view.bib_record_item_record_link GROUP BY item_record_id
    ) AS l ON l.item_record_id = m.id
    LEFT JOIN sierra_view.record_metadata AS bm ON bm.id = l.bib_record_id
    LEFT JOIN sierra_view.bib_record_property AS b ON b.bib_record_id = l.bib_record_id
    LEFT JOIN (
        SELECT record_id, max(content) AS class FROM sierra_view.subfield WHERE marc_tag = '097' GROUP BY record_id
    ) AS c ON c.record_id = l.bib_record_id
    LEFT JOIN (
        SELECT record_id, json_agg(
            json_build_object('marc_tag', marc_tag, 'marc_ind1', marc_ind1, 'marc_ind2', marc_ind2,
                'field_type_code', field_type_code, 'tag', tag, 'content', content)
            ORDER BY marc_tag, occ_num, varfield_id, display_order, tag, content
        ) AS headings
        FROM sierra_view.subfield WHERE marc_tag IN ('100', '110', '111', '130', '245') GROUP BY record_id
    ) AS h ON h.record_id = l.bib_record_id
    LEFT JOIN (
        SELECT record_id, min(content) AS call_number
        FROM sierra_view.subfield WHERE marc_tag = '099' AND field_type_code = 'c' AND tag = 'a' GROUP BY record_id
    ) AS o ON o.record_id = m.id
    LEFT JOIN sierra_view.itype_property_myuser AS t ON t.code = i.itype_code_num
    LEFT JOIN sierra_view.material_property_myuser AS n ON n.code = b.material_code
    LEFT JOIN sierra_view.location_myuser AS w ON w.code = i.location_code
    WHERE m.record_type_code = 'i' AND m.campus_code = '' AND m.deletion_date_gmt IS NULL
) TO STDOUT
"""


class FullDna:
    """A SierraDNA at `server`, on 127.0.0.1, with that many items."""

    def __init__(self, server: EmbeddedPostgres, items: int) -> None:
        self._server, self.items = server, items

    @property
    def pid(self) -> int:
        """The process id of its server."""
        return self._server.pid

    @property
    def settings(self) -> dict[str, str]:
        """The settings that lead the ETL to it, without rests."""
        access = conninfo_to_dict(login(self._server.dsn(tcp=True)))
        named = {"HOST": "host", "PORT": "port", "NAME": "dbname", "USER": "user", "PASSWORD": "password"}
        settings = {f"SIERRA_DNA_{name}": str(access[key]) for name, key in named.items()}
        return {**settings, "SIERRA_DNA_SSLMODE": "disable", "ETL_MOST_BUSY_SHARE": "1"}

    def edit(self, items: int) -> None:
        """Give the first items other barcodes, all now."""
        with self._connect() as connection, connection.transaction():
            for statement in EDIT:
                connection.execute(statement.encode(), {"items": items})

    def copy_naively(self) -> float:
        """Seconds that all items take in one statement, read and thrown away."""
        with psycopg.connect(login(self._server.dsn(tcp=True)), options="-c statement_timeout=0") as connection:
            began = time.perf_counter()
            with connection.cursor().copy(NAIVE) as copy:
                for _ in copy:
                    pass
            return time.perf_counter() - began

    def _fill(self) -> None:
        bibs = -(-self.items // 3)
        parameters = {"items": self.items, "bibs": bibs, "barcode": FIRST_BARCODE, "at": EDITED_AT_LAST}
        with self._connect() as connection:
            connection.execute(SQL(PHRASE).format(words=Literal(WORDS)))
            for statement in FILL:
                connection.execute(statement.encode(), parameters)
            connection.execute("VACUUM (ANALYZE)")
            connection.execute("CHECKPOINT")

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self._server.dsn(), dbname="iii", autocommit=True)


@contextlib.contextmanager
def fill_dna(items: int) -> Iterator[FullDna]:
    """A server of its own with a full SierraDNA, gone on exit. As Sierra makes it: without an index on the stamps."""
    with EmbeddedPostgres(tcp=True) as server, SierraDna(server.dsn(), Records(), ()):
        dna = FullDna(server, items)
        dna._fill()
        yield dna
