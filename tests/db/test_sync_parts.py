"""A batch is stored in parts, and the whole of it all the same."""

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import psycopg
import pytest

from api.ingest.rows import Item
from api.ingest.store import columns_of, store_batch
from db import sync
from tests.fix_postgres import TestDatabase

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
STORED = "SELECT item_record_id, best_title, shelfmark FROM sierra_item ORDER BY item_record_id"
IDS = [sync.LOWEST_ID, -1, *range(1, 20), (1 << 63) - 1]  # the lowest, the highest, and no order of lines


@pytest.fixture(autouse=True)
def parts_of_few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync, "PART_BYTES", 200)


def item(item_record_id: int, title: str, author: str) -> Item:
    """An item whose shelfmark is the first letters of its author."""
    subfields = f'[{{"marc_tag": "100", "marc_ind1": "1", "tag": "a", "content": "{author}"}}]'
    cells: dict[str, Any] = dict.fromkeys(Item._fields) | {"item_record_id": item_record_id}
    return Item(**cells | {"best_title": title, "shelfmark_json": subfields})


def store(connection: sync.Transaction, rows: list[Item]) -> int:
    """Store them as a batch. Return the number of items written."""
    sync.fill_batch(connection, [columns_of(line, row) for line, row in enumerate(rows)])
    written = store_batch(connection, NOON)
    sync.drop_batch(connection)
    return written


def test_each_item_of_each_part_gets_its_own_shelfmark(database: TestDatabase) -> None:
    names = [f"A{chr(ord('a') + place)}o" for place in range(len(IDS))]
    rows = [item(key, name, name) for key, name in zip(IDS, names, strict=True)]
    with psycopg.connect(**database.parameters) as connection:
        assert store(connection, rows[::-1]) == len(rows)
        assert connection.execute(STORED).fetchall() == [
            (key, name, name.upper()) for key, name in zip(IDS, names, strict=True)
        ]
        assert store(connection, rows) == 0
        assert store(connection, [*rows[:-2], item(IDS[-2], "New", "Zola"), item(IDS[-1], "New", "Zola")]) == 2
        assert connection.execute(STORED).fetchall()[-2:] == [(key, "New", "ZOL") for key in IDS[-2:]]


def test_parts_hold_every_id_once_and_few_rows_each(database: TestDatabase) -> None:
    with psycopg.connect(**database.parameters) as connection:
        sync.fill_batch(connection, [columns_of(line, item(key, "", "Aho")) for line, key in enumerate(IDS)])
        parts = sync.find_parts(connection)
        held = [[key for key in IDS if first <= key <= last] for first, last in parts]
        connection.rollback()
    assert [key for keys in held for key in keys] == IDS
    assert max(map(len, held)) <= 4
    assert all(above.last_id + 1 == part.first_id for above, part in pairwise(parts))


def test_part_that_cannot_be_stored_fails_the_batch(database: TestDatabase) -> None:
    """It is stored beside the work on the next one, in another thread."""
    with psycopg.connect(**database.parameters) as connection:
        wide = item(IDS[3], "", "Aho")._replace(barcode="".join(map(chr, range(256, 20_000))))
        with pytest.raises(psycopg.errors.ProgramLimitExceeded):
            store(connection, [wide if key == IDS[3] else item(key, "", "Aho") for key in IDS])
