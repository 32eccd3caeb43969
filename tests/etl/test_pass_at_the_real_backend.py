"""A pass finds in the real backend what no stamp tells, deletes what is no more, and empties nothing."""

from collections.abc import Iterator
from typing import Any

import pytest

from etl.service import Etl
from tests.fix_dna import ITEMS, DnaInThread, bib_key, item_key
from tests.fix_etl import running, until_rest
from tests.fix_real_backend import RealBackend
from tests.fix_sierra import SierraInThread

ITEM, OTHER = ITEMS[0], ITEMS[1]
NUMBER, ITEM_KEY = str(ITEM.number), item_key(ITEM)
UNKNOWN = ITEM_KEY - 1


@pytest.fixture
def etl(dna: DnaInThread, real_backend: RealBackend) -> Iterator[Etl]:
    """An ETL that has brought all items; ranges have 20."""
    with running(dna, real_backend.url, real_backend.key) as etl:
        etl._sizes = type(etl._sizes)(chunk=7, part=20)
        until_rest(etl)
        yield etl


def compare(etl: Etl) -> None:
    """Have it compare all items, with the names of types as they are now."""
    etl._reader._names = None
    etl.begin_pass()
    until_rest(etl)


def of_item(backend: RealBackend, columns: str, key: int = ITEM_KEY) -> tuple[Any, ...] | None:
    found = backend.database.fetch(f"SELECT {columns} FROM sierra_item WHERE item_record_id = %s", key)
    return found[0] if found else None


def add_unknown(backend: RealBackend, updated_at: str) -> None:
    """Have an item here that Sierra does not know."""
    statement = f"INSERT INTO sierra_item (item_record_id, updated_at) VALUES (%s, {updated_at})"
    backend.database.fetch(statement, UNKNOWN)


def test_a_transfer_without_stamp_is_found(etl: Etl, real_backend: RealBackend, sierra: SierraInThread) -> None:
    sierra.run(sierra._sierra.records.link, NUMBER, [str(OTHER.bibs[0].number)])
    compare(etl)
    assert of_item(real_backend, "bib_record_id") == (bib_key(OTHER),)


def test_an_item_that_never_came_is_found_and_one_that_is_no_more_is_deleted(
    etl: Etl, real_backend: RealBackend
) -> None:
    real_backend.database.fetch("DELETE FROM sierra_item WHERE item_record_id = %s", ITEM_KEY)
    add_unknown(real_backend, "'2020-01-01Z'")
    compare(etl)
    assert of_item(real_backend, "deleted_on IS NULL") == (True,)
    assert of_item(real_backend, "deleted_on IS NULL", UNKNOWN) == (False,)


def test_an_item_changed_since_the_reading_is_left_alone(etl: Etl, real_backend: RealBackend) -> None:
    add_unknown(real_backend, "now() + interval '1 hour'")
    compare(etl)
    assert of_item(real_backend, "deleted_on", UNKNOWN) == (None,)


def test_a_renamed_type_reaches_every_item(etl: Etl, real_backend: RealBackend, dna: DnaInThread) -> None:
    dna.do(lambda real: real.rename("itype", 1, "Nide"))
    compare(etl)
    names = "SELECT DISTINCT item_type_name FROM sierra_item WHERE itype_code_num = 1"
    assert real_backend.database.fetch(names) == [("Nide",)]


@pytest.mark.parametrize("views", [("record_metadata", "item_record"), ("record_metadata",), ("item_record",)])
def test_an_empty_view_deletes_nothing_and_the_next_pass_takes_it_back(
    etl: Etl, real_backend: RealBackend, dna: DnaInThread, views: tuple[str, ...]
) -> None:
    before = real_backend.living()
    dna.fault(empty_views=views)
    compare(etl)
    assert real_backend.living() == before
    held = "SELECT deletions_held FROM sync_overview"
    assert real_backend.database.fetch(held) == [(len(before),)]
    dna.fault()
    compare(etl)
    assert real_backend.database.fetch(held) == [(0,)]


def test_a_pass_moves_no_position_and_is_done_once(etl: Etl, real_backend: RealBackend) -> None:
    position = "SELECT sync_mode, sync_changes_since, passed_at IS NOT NULL FROM sync_state"
    (before,) = real_backend.database.fetch(position)
    assert before[2], "the first pass came after the full sync"
    compare(etl)
    assert real_backend.database.fetch(position) == [before]
    assert until_rest(etl) == []
