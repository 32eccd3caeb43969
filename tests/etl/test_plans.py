"""Plans of the statements that read a chunk stay index plans, whether PostgreSQL has statistics or not."""

import re

import pytest

from etl.items import BEHIND_OWN, FIRST_OWN
from runtime.statements import load
from sandbox.dna_rows import record_key
from tests.fix_dna import DnaInThread
from tests.fix_etl import add_many, owner

SQL = load("etl", "items")
OF_A_CHUNK = ("living", "items", "barcodes", "links", "bib_numbers", "bibs", "classes", "headings", "call_numbers")


@pytest.fixture
def full_dna(dna: DnaInThread) -> DnaInThread:
    add_many(dna, 30_000)  # a fortieth of a library, and so of a chunk below
    return dna


@pytest.mark.parametrize("statistics", ["as they are", "of an empty table", "none"])
def test_a_chunk_reads_no_table_from_end_to_end(full_dna: DnaInThread, statistics: str) -> None:
    with owner(full_dna) as session:
        if statistics == "of an empty table":
            session.execute(
                "UPDATE pg_class SET reltuples = 0, relpages = 0 WHERE relnamespace = 'iiirecord'::regnamespace"
            )
        if statistics != "as they are":
            session.execute("DELETE FROM pg_statistic WHERE starelid::regclass::text LIKE 'iiirecord.%'")
        if statistics == "none":
            session.execute("UPDATE pg_class SET reltuples = -1 WHERE relnamespace = 'iiirecord'::regnamespace")
    items, bibs = ([record_key(kind, 5_000_001 + number) for number in range(50)] for kind in "ib")
    parameters = {"keys": items, "bibs": bibs, "campus": "", "after": items[0], "below": BEHIND_OWN, "most": 50}
    with full_dna.connect() as session:
        for name in (*OF_A_CHUNK, "keys_after"):
            plan = "\n".join(line for (line,) in session.execute(f"EXPLAIN {SQL[name]}".encode(), parameters))
            assert not re.search(r"Seq Scan", plan), (name, plan)


def test_the_look_behind_the_last_own_item_ends_at_once(full_dna: DnaInThread) -> None:
    with owner(full_dna) as session:  # other libraries' items, which come behind
        session.execute(
            "INSERT INTO iiirecord.record_metadata (id, record_type, record_num, campus_code) "
            "SELECT (21::bigint << 48) + (105::bigint << 32) + number, 'i', number, 'muu' "
            "FROM generate_series(1, 30000) AS number"
        )
        session.execute("ANALYZE")
    parameters = {"after": BEHIND_OWN - 5, "below": BEHIND_OWN, "campus": "", "most": 2000}
    with full_dna.connect() as session:
        explain = f"EXPLAIN (ANALYZE, BUFFERS) {SQL['keys_after']}".encode()
        plan = "\n".join(line for (line,) in session.execute(explain, parameters))
    hits = [int(found) for found in re.findall(r"shared hit=(\d+)", plan)]
    assert hits[0] < 50, plan
    assert FIRST_OWN < BEHIND_OWN
