"""Batches in any order leave what a naive model of the rules leaves, item by item."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import psycopg
import pytest

from api.ingest.rows import Item, Refusal
from api.ingest.store import columns_of, store_batch
from db import sync
from tests.fix_postgres import TestDatabase

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ITEMS, BATCHES = range(1, 401), 8
KNOWN = "SELECT item_record_id, bib_record_id, classification, updated_at, bib_record_ids FROM sierra_item"

Row = Item | Refusal


@dataclass(frozen=True)
class Stored:
    """An item as it is stored."""

    bib: int | None
    classification: str
    updated_at: datetime
    bibs: list[int] | None


def several(rows: list[Row]) -> list[int] | None:
    """The bibs that these rows name; None: one at most."""
    named = sorted({row.bib_record_id for row in rows if row.bib_record_id is not None})
    return named if len(named) > 1 else None


def after(stored: Stored | None, rows: list[Row], timestamp: datetime, bibs: sync.Bibs) -> Stored | None:
    """The item after a batch with these rows of it: the contract, word for word."""
    good = [row for row in rows if isinstance(row, Item)]
    if not good:
        return stored
    row = max(enumerate(good), key=lambda place: (place[1].bib_record_id or -1, place[0]))[1]
    noted = {"note": several(rows), "heed": stored.bibs if stored else None, "forget": None}[bibs]
    new = Stored(row.bib_record_id, row.classification or "", timestamp, noted)
    if stored is None:
        return new
    if timestamp < stored.updated_at:
        return stored
    old, bib = stored.bib, row.bib_record_id
    if noted and old is not None and bib is not None and {old, bib} <= {*noted} and bib < old:
        return stored
    if (new.bib, new.classification, new.bibs) == (stored.bib, stored.classification, stored.bibs):
        return stored
    return new


def noted_after(stored: Stored | None, rows: list[Row], timestamp: datetime, bibs: sync.Bibs) -> Stored | None:
    """The item, whatever it took, with the bibs that a full sync found: a refused row counts."""
    has_refused = any(isinstance(row, Refusal) for row in rows)
    if bibs != "note" or not has_refused or stored is None or timestamp < stored.updated_at:
        return stored
    return replace(stored, bibs=several(rows))


def some_rows(random: Random, number: int) -> Iterator[Row]:
    """Up to three rows of an item, on few bibs and with few classes, so that they meet often."""
    for _ in range(random.choice((0, 1, 1, 2, 3))):
        bib = random.choice((None, 1, 2, 3, 4))
        if random.random() < 0.15:
            yield Refusal(number, bib, "itype_code_num", "itype_code_num 'x' is no number", "x")
        else:
            cells: dict[str, Any] = dict.fromkeys(Item._fields) | {"item_record_id": number, "bib_record_id": bib}
            yield Item(**cells | {"classification": random.choice("AB")})


@pytest.mark.parametrize("seed", range(5))
def test_histories_of_items_are_those_of_the_model(database: TestDatabase, seed: int) -> None:
    random = Random(seed)
    model: dict[int, Stored | None] = dict.fromkeys(ITEMS)
    with psycopg.connect(**database.parameters) as connection:
        for _ in range(BATCHES):
            bibs: sync.Bibs = random.choice(("note", "heed", "heed", "forget"))
            timestamp = NOON + timedelta(minutes=random.randrange(6))
            rows = {number: list(some_rows(random, number)) for number in ITEMS}
            lines = [row for item_rows in rows.values() for row in item_rows]
            taken = {number: after(model[number], rows[number], timestamp, bibs) for number in ITEMS}
            changed = sum(taken[number] != model[number] for number in ITEMS)
            model = {number: noted_after(taken[number], rows[number], timestamp, bibs) for number in ITEMS}
            sync.fill_batch(connection, [columns_of(line, row) for line, row in enumerate(lines)])
            written = store_batch(connection, timestamp, bibs)
            sync.drop_batch(connection)
            found = {number: Stored(*known) for number, *known in connection.execute(KNOWN)}
            assert found == {number: stored for number, stored in model.items() if stored}
            assert written == changed
