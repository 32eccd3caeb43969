"""Another process acts as Sierra's staff, and disturbs SierraDNA, by the control routes."""

from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
from rich.console import Console

from sandbox.catalogue import ROMANISED, make_catalogue
from sandbox.demo import follow_back, load_catalogue, ordinary_items, print_label
from sandbox.dna_bibs import class_field
from sandbox.system import Dna, start_system
from tests.fix_dna import ITEMS, DnaInThread, bib_key, item_key
from tests.fix_sierra import SierraInThread

ITEM, OTHER = ITEMS[0], ITEMS[1]
CLASS = "SELECT max(content) FROM sierra_view.subfield WHERE record_id = %s AND marc_tag = '097'"
LINKS = "SELECT bib_record_id FROM sierra_view.bib_record_item_record_link WHERE item_record_id = %s"
CALL_NUMBER = "SELECT content FROM sierra_view.subfield WHERE record_id = %s AND field_type_code = 'c'"


@pytest.fixture
def control(sierra: SierraInThread) -> Iterator[httpx.Client]:
    base_url = sierra.endpoint.replace("/iii/sierra-api/v6", "/_sandbox/dna")
    with httpx.Client(base_url=base_url, trust_env=False) as client:
        yield client


def ask(response: httpx.Response) -> Any:
    assert response.status_code == 200, response.text
    return response.json()


def test_a_bib_can_be_read_and_edited(dna: DnaInThread, control: httpx.Client) -> None:
    path = f"/bibs/{ITEM.bibs[0].number}"
    assert ask(control.get(path))["var_fields"][-1]["marcTag"] == "097"
    ask(control.put(path, json={"varFields": [class_field("86.2")]}))
    assert dna.one(CLASS, bib_key(ITEM)) == "86.2"
    assert control.get("/bibs/7").status_code == 404
    assert control.put(path, json={}).json() == {"detail": "the body lacks 'varFields'"}


def test_an_item_can_be_transferred_unlinked_and_deleted(dna: DnaInThread, control: httpx.Client) -> None:
    ask(control.put(f"/links/{ITEM.number}", json=[str(OTHER.bibs[0].number)]))
    assert dna.fetch(LINKS, item_key(ITEM)) == [(bib_key(OTHER),)]
    ask(control.put(f"/links/{ITEM.number}", json=[]))
    assert dna.fetch(LINKS, item_key(ITEM)) == []
    assert control.put(f"/links/{ITEM.number}", json=["7"]).json() == {"detail": "no such bib: 7"}
    ask(control.delete(f"/items/{ITEM.number}"))
    assert dna.fetch("SELECT 1 FROM sierra_view.item_record WHERE record_id = %s", item_key(ITEM)) == []
    assert control.delete("/items/7").status_code == 400


def test_a_batch_job_and_a_renaming_can_be_done(dna: DnaInThread, control: httpx.Client) -> None:
    numbers = [str(ITEM.number), str(OTHER.number)]
    ask(control.put("/items", json={"numbers": numbers, "changes": {"varFields": []}}))
    assert dna.stamp(item_key(ITEM)) == dna.stamp(item_key(OTHER))
    ask(control.put("/names", json={"table": "itype", "code": 300, "name": "Pelit"}))
    assert dna.one("SELECT name FROM sierra_view.itype_property_myuser WHERE code = 300") == "Pelit"
    assert control.put("/names", json={"table": "itype", "code": 299, "name": "?"}).status_code == 404


def test_faults_can_be_set_and_taken_away(dna: DnaInThread, control: httpx.Client) -> None:
    state = ask(control.put("/faults", json={"empty_views": ["varfield"], "clock_seconds": -3}))
    assert (state["faults"]["empty_views"], state["faults"]["clock_seconds"]) == (["varfield"], -3)
    assert dna.one("SELECT count(*) FROM sierra_view.varfield") == 0
    assert control.put("/faults", json={"empty_view": ["varfield"]}).status_code == 400
    ask(control.delete("/faults"))
    assert dna.one("SELECT count(*) FROM sierra_view.varfield") > 0


def test_sessions_can_be_ended_and_a_moment_restored(dna: DnaInThread, control: httpx.Client) -> None:
    assert control.put("/moment").status_code == 404
    ask(control.post("/moment"))
    ask(control.delete(f"/items/{ITEM.number}"))
    ask(control.put("/moment"))
    assert dna.stamp(item_key(ITEM))
    with dna.connect() as session:
        ask(control.post("/disconnect"))
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")


def test_a_simulator_without_sierradna_has_no_such_routes(sierra: SierraInThread, control: httpx.Client) -> None:
    assert control.get("").status_code == 404


@pytest.mark.long
def test_what_a_printed_label_wrote_shows_in_sierradna_and_our_etl_brings_it_back() -> None:
    items = [item for item in make_catalogue(60) if item.oddity not in ROMANISED]
    with start_system(60, lambda _: None, 1, Dna(indexes=True)) as system:
        load_catalogue(system, items, Console(quiet=True))
        item = ordinary_items(items)[0]
        printed = follow_back(system, print_label(system, item))
        assert printed.call_number_in_dna == printed.call_number_after
        assert printed.in_dna_at
        assert printed.brought_back_at
        assert printed.printed_at < printed.in_dna_at < printed.brought_back_at
        with psycopg.connect(system.dna) as session:
            assert session.execute(CALL_NUMBER, [item.record_id]).fetchone() == (printed.call_number_after,)
