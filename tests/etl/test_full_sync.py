"""A full sync from the backend's cursor to the last item, whatever happens between its pages."""

import math
from dataclasses import replace
from functools import partial

import pytest

from etl.errors import SierraAway, SierraIsEmpty
from etl.plan import NEVER
from sandbox.catalogue import call_number_field
from sandbox.dna import SierraDna
from tests.etl.recording import KEY, Recording, recording
from tests.fix_api import ApiClient, StartApi
from tests.fix_dna import ITEMS, DnaInThread, item_key
from tests.fix_dna_oracle import expected_rows
from tests.fix_etl import owner, running, until_rest
from tests.fix_postgres import TestDatabase
from tests.fix_sierra import SierraInThread

KEYS = sorted(map(item_key, ITEMS))
TO_THE_END = ["full page", "full page", "changes", "pass page"]


def sizes(backend: Recording) -> list[int]:
    return [len(batch.rows) for batch in backend.batches if "changes_since" not in batch.fields]


def test_a_full_page_has_exactly_batch_size_items_although_virtual_and_deleted_ones_lie_between(
    dna: DnaInThread,
) -> None:
    for item in ITEMS[1:30:3]:
        dna.do(partial(SierraDna.delete_item, number=str(item.number)))
    living = len(ITEMS) - len(ITEMS[1:30:3])
    with recording(mode="SYNC_FULL", batch_size=20) as backend, running(dna, backend.url, KEY) as etl:
        until_rest(etl)
        assert (living, sizes(backend)) == (40, [20, 20, 0])
        assert len(backend.items) == living


@pytest.mark.parametrize("batch_size", [25, 50])
def test_the_end_is_an_empty_look_not_a_short_page(dna: DnaInThread, batch_size: int) -> None:
    with recording(mode="SYNC_FULL", batch_size=batch_size) as backend, running(dna, backend.url, KEY) as etl:
        until_rest(etl)
        assert sizes(backend) == [batch_size] * (50 // batch_size) + [0]
        assert sorted(backend.items) == KEYS


def test_items_that_vanish_while_it_reads_do_not_end_the_sync(dna: DnaInThread) -> None:
    with owner(dna) as session:  # their rows of record_metadata are still those of living items
        session.execute("DELETE FROM iiirecord.item_record WHERE record_id = ANY(%s)", (KEYS[:15],))
    with recording(mode="SYNC_FULL", batch_size=20) as backend, running(dna, backend.url, KEY) as etl:
        until_rest(etl)
        assert sizes(backend) == [20, 15]
        assert sorted(backend.items) == KEYS[15:]


def test_a_sierradna_without_any_item_completes_no_full_sync(dna: DnaInThread) -> None:
    with (
        recording(mode="SYNC_FULL", batch_size=20) as backend,
        running(dna, backend.url, KEY, etl_campus_code="wrong") as etl,
        pytest.raises(SierraIsEmpty, match="shows no item of ETL_CAMPUS_CODE 'wrong': run signum etl doctor"),
    ):
        etl.round()
    assert (backend.mode, backend.batches) == ("SYNC_FULL", [])


def test_killed_at_any_statement_it_goes_on_where_it_was(dna: DnaInThread, monkeypatch: pytest.MonkeyPatch) -> None:
    with recording(mode="SYNC_FULL", batch_size=20) as backend:
        for number in range(1, 200):
            with running(dna, backend.url, KEY) as etl:
                kill = _Killer(number, dna)
                monkeypatch.setattr("etl.dna.STATEMENT_SECONDS", kill)
                try:
                    until_rest(etl)
                except SierraAway:
                    continue
                break
        assert number > 15
        assert sorted(backend.items) == KEYS
        with dna.connect() as session:
            assert [row["barcode"] for row in expected_rows(session)] == [
                backend.items[key]["barcode"] for key in sorted(backend.items)
            ]


class _Killer:
    """Ends the session after so many statements of one process."""

    def __init__(self, left: int, dna: DnaInThread) -> None:
        self._left, self._dna = left, dna

    def labels(self, _: str) -> "_Killer":
        return self

    def observe(self, _: float) -> None:
        self._left -= 1
        if self._left == 0:
            self._dna.do(SierraDna.disconnect)


@pytest.fixture
def api(start_api: StartApi, etl_key: str) -> ApiClient:
    """The real backend, whose full syncs go by twenties."""
    api = start_api(full_sync_batch_size=20)
    api.headers["x-api-key"] = etl_key
    return api


def test_changes_between_pages_do_not_end_the_sync(
    dna: DnaInThread, sierra: SierraInThread, api: ApiClient, etl_key: str, database: TestDatabase
) -> None:
    """Two items are edited and one is deleted: all of that is here before the sync ends."""
    first, second, *_, last = (str(item.number) for item in sorted(ITEMS, key=item_key))
    with running(dna, str(api.base_url), etl_key) as etl:
        etl.round()
        before = api.get("/sync").json()
        sierra.edit(first, {"varFields": [call_number_field("85.1 EKA")]})
        sierra.edit(last, {"varFields": [call_number_field("85.9 VIKA")]})
        dna.do(partial(SierraDna.delete_item, number=second))
        assert [etl.round().kind for _ in range(3)] == ["deletions", "changes", "full page"]
        asked = api.get("/sync").json()
        assert (asked["sync_mode"], asked["changes_since"]) == ("SYNC_FULL", before["changes_since"])
        living = dict(database.fetch("SELECT item_number, item_call_number FROM sierra_item WHERE deleted_on IS NULL"))
        assert (living[first], living[last], living.get(second)) == ("85.1 EKA", "85.9 VIKA", None)
        assert until_rest(etl) == TO_THE_END[1:]
    assert database.fetch("SELECT count(*) FROM sierra_item WHERE deleted_on IS NULL") == [(len(ITEMS) - 1,)]


def test_looks_between_pages_go_on_where_the_last_one_ended(dna: DnaInThread) -> None:
    with (
        recording(mode="SYNC_FULL", batch_size=20) as backend,
        running(dna, backend.url, KEY, etl_overlap_seconds=0, etl_deep_overlap_seconds=0) as etl,
    ):
        etl.round()
        for _ in range(2):
            etl.done = replace(etl.done, changes_at=NEVER, deletions_at=math.inf, last="rest")
            assert etl.round().kind == "changes"
        page, first, second = backend.batches
        assert first.fields["changes_since"] == page.fields["timestamp"]
        assert second.time("changes_since") == first.time("timestamp") > page.time("timestamp")


def test_a_backend_that_names_no_moment_gets_no_changes_between_pages(dna: DnaInThread) -> None:
    with recording(mode="SYNC_FULL", batch_size=20, accepts=()) as backend, running(dna, backend.url, KEY) as etl:
        assert until_rest(etl) == ["full page", "full page", "full page", "changes"]


def test_a_full_sync_into_the_real_backend_leaves_the_oracles_catalogue(
    dna: DnaInThread, api: ApiClient, etl_key: str, database: TestDatabase
) -> None:
    with running(dna, str(api.base_url), etl_key) as etl:
        assert until_rest(etl) == ["full page", "deletions", "changes", *TO_THE_END]
    columns = "item_record_id, item_number, barcode, bib_record_id, best_title, itype_code_num, classification"
    found = database.fetch(f"SELECT {columns} FROM sierra_item ORDER BY 1")
    with dna.connect() as session:
        wanted = [tuple(row[name] for name in columns.split(", ")) for row in expected_rows(session)]
    assert found == [(key, str(number), *rest) for key, number, *rest in wanted]
