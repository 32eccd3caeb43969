"""Changes come whatever their stamps do not tell, and the position moves only behind what was read."""

import tracemalloc
from array import array
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import cast

import psycopg
import pytest

from etl.changes import find_changed
from etl.chunks import Chunks
from etl.items import FIRST_OWN
from etl.process import made
from sandbox.catalogue import call_number_field
from sandbox.dna_bibs import class_field
from sandbox.dna_standby import LaggingStandby
from sandbox.etl import Etl as DeployedEtl
from tests.etl.recording import KEY, Recording, recording
from tests.fix_api import ApiClient
from tests.fix_dna import ITEMS, DnaInThread, bib_key, item_key
from tests.fix_dna_oracle import expected_row
from tests.fix_etl import etl_settings, running, until_rest
from tests.fix_postgres import TestDatabase, memory
from tests.fix_sierra import SierraInThread

ITEM = ITEMS[0]
NUMBER, ITEM_KEY, BIB = str(ITEM.number), item_key(ITEM), str(ITEM.bibs[0].number)
PART = {"etl_part_items": 100, "etl_chunk_items": 100}


def sync_clock(sierra: SierraInThread, moment: datetime) -> None:
    sierra._sierra.records.now = lambda: moment


def edit(sierra: SierraInThread, number: str = NUMBER, text: str = "85.2") -> None:
    sierra.edit(number, {"varFields": [call_number_field(text)]})


def now(dna: DnaInThread) -> datetime:
    moment: datetime = dna.one("SELECT now()")
    return moment


def changed(backend: Recording) -> list[list[int]]:
    return [batch.ids for batch in backend.batches if "changes_since" in batch.fields]


def test_a_change_committed_after_the_run_that_its_stamp_precedes_is_brought(
    dna: DnaInThread, sierra: SierraInThread
) -> None:
    with recording(timestamp=now(dna)) as backend, running(dna, backend.url, KEY) as etl:
        dna.fault(commits_held=True)
        edit(sierra)
        etl.round()
        dna.fault()
        etl.done = type(etl.done)(deep_at=etl.done.deep_at)  # the interval is over
        etl.round()
        assert changed(backend) == [[], [ITEM_KEY]]


@pytest.mark.parametrize("milliseconds", [-1, 0, 1, 250, 500, 750, 998, 999, 1000, 1001, 1500, 2000])
def test_a_change_in_the_second_of_now_is_brought(dna: DnaInThread, sierra: SierraInThread, milliseconds: int) -> None:
    position = now(dna).replace(microsecond=0) - timedelta(seconds=10)
    sync_clock(sierra, position + timedelta(milliseconds=milliseconds))
    with recording(timestamp=position + timedelta(milliseconds=999)) as backend:
        edit(sierra)  # its stamp is cut to the second
        with running(dna, backend.url, KEY, etl_deep_overlap_seconds=0, etl_overlap_seconds=1) as etl:
            etl.done = type(etl.done)(deep_at=float("inf"))
            etl.round()
        assert changed(backend) == [[ITEM_KEY] if milliseconds >= 0 else []]


def test_a_stamp_from_a_clock_two_minutes_slow_is_brought(dna: DnaInThread, sierra: SierraInThread) -> None:
    with recording(timestamp=now(dna)) as backend, running(dna, backend.url, KEY) as etl:
        dna.fault(clock_seconds=-119)
        edit(sierra)
        etl.done = type(etl.done)(deep_at=float("inf"))
        etl.round()
        assert changed(backend) == [[ITEM_KEY]]


def test_a_stamp_from_a_clock_ahead_is_brought_and_moves_no_position_ahead(
    dna: DnaInThread, sierra: SierraInThread
) -> None:
    with recording(timestamp=now(dna)) as backend, running(dna, backend.url, KEY) as etl:
        dna.fault(clock_seconds=7200)
        edit(sierra)
        etl.round()
        assert changed(backend) == [[ITEM_KEY]]
        assert backend.timestamp <= now(dna) < dna.stamp(ITEM_KEY)


def test_a_deep_look_brings_what_a_batch_job_committed_after_an_hour(dna: DnaInThread, sierra: SierraInThread) -> None:
    with recording(timestamp=now(dna)) as backend, running(dna, backend.url, KEY) as etl:
        dna.fault(clock_seconds=-3500)
        edit(sierra)
        etl.done = type(etl.done)(deep_at=float("inf"))
        etl.round()
        etl.done = type(etl.done)()
        etl.round()
        assert changed(backend) == [[], [ITEM_KEY]]


def test_a_bibs_heading_brings_all_its_items(dna: DnaInThread, sierra: SierraInThread) -> None:
    sierra.run(sierra._sierra.records.link, str(ITEMS[1].number), [BIB])
    with recording(timestamp=now(dna)) as backend, running(dna, backend.url, KEY) as etl:
        dna.do(lambda real: real.edit_bib(BIB, [class_field("99.1")]))
        etl.round()
        assert changed(backend) == [[ITEM_KEY, item_key(ITEMS[1])]]
        assert {row["classification"] for row in backend.items.values()} == {"99.1"}


@pytest.mark.parametrize("accepts", [("changes_since",), ()])
def test_ten_days_away_loses_nothing(dna: DnaInThread, sierra: SierraInThread, accepts: tuple[str, ...]) -> None:
    position = now(dna) - timedelta(days=10)
    sync_clock(sierra, position + timedelta(minutes=1))
    edit(sierra)
    with recording(timestamp=position, accepts=accepts) as backend, running(dna, backend.url, KEY) as etl:
        etl.round()
        assert changed(backend) == [[ITEM_KEY]]
        assert backend.timestamp > position + timedelta(days=9)


def test_a_row_that_the_backend_did_not_keep_is_sent_again(dna: DnaInThread, sierra: SierraInThread) -> None:
    with recording(timestamp=now(dna)) as backend, running(dna, backend.url, KEY) as etl:
        edit(sierra)
        etl.round()
        backend.items.clear()
        etl.done = type(etl.done)(deep_at=float("inf"))
        etl.round()
        assert list(backend.items) == [ITEM_KEY]


def test_the_position_never_passes_the_replay_of_a_standby(dna: DnaInThread, sierra: SierraInThread) -> None:
    with LaggingStandby(dna.server, memory()) as standby:
        edit(sierra)  # so that it has replayed a transaction
        standby.catch_up()
        standby.pause()
        edit(sierra, text="86.1")
        standby.receive()
        with (
            recording(timestamp=now(dna) - timedelta(days=1)) as backend,
            running(dna, backend.url, KEY, sierra_dna_port=standby.port) as etl,
        ):
            etl.round()
            with psycopg.connect(dna.login, port=standby.port) as session:
                replayed = session.execute("SELECT pg_last_xact_replay_timestamp()").fetchone()
            assert (backend.timestamp,) == replayed
            standby.resume()
            standby.catch_up()
            etl.done = type(etl.done)()
            etl.round()
            assert ITEM_KEY in backend.items


def test_a_clock_set_back_loses_nothing(
    dna: DnaInThread, sierra: SierraInThread, caplog: pytest.LogCaptureFixture
) -> None:
    edit(sierra)
    with recording(timestamp=now(dna) + timedelta(days=1)) as backend, running(dna, backend.url, KEY) as etl:
        etl.round()
        assert [batch.rows for batch in backend.batches] == [[]]
        assert "SierraDNA's clock is behind the position" in caplog.text
        assert [etl.round().kind for _ in range(2)] == ["deletions", "changes"]
        assert list(backend.items) == [ITEM_KEY]
        assert backend.timestamp <= now(dna)


def test_an_item_transferred_and_back_is_at_its_first_bib(
    dna: DnaInThread, sierra: SierraInThread, api: ApiClient, etl_key: str, database: TestDatabase
) -> None:
    """As the real backend has it, which noted both bibs in a full sync of the deployed ETL: our lower one is taken."""
    stored = "SELECT bib_record_id FROM sierra_item WHERE item_record_id = %s"
    with dna.connect() as session:
        row = expected_row(session, ITEM_KEY)
    assert row
    deployed = DeployedEtl(str(api.base_url), etl_key)
    deployed.ask()
    deployed.send([row, {**row, "bib_record_id": bib_key(ITEMS[1])}], now(dna))
    deployed.close()
    assert database.fetch(stored, ITEM_KEY) == [(bib_key(ITEMS[1]),)]
    sierra.run(sierra._sierra.records.link, NUMBER, [BIB])
    edit(sierra)
    with running(dna, str(api.base_url), etl_key) as etl:
        until_rest(etl)
    assert database.fetch(stored, ITEM_KEY) == [(bib_key(ITEM),)]


def test_a_loan_changes_nothing_here(
    dna: DnaInThread, sierra: SierraInThread, api: ApiClient, etl_key: str, database: TestDatabase
) -> None:
    stored = "SELECT item_record_id, xmin::text FROM sierra_item ORDER BY 1"
    with running(dna, str(api.base_url), etl_key) as etl:
        until_rest(etl)
        before = database.fetch(stored)
        sierra.edit(NUMBER, {"fixedFields": {"78": {"label": "OUT DATE", "value": "2026-11-20T10:00:00Z"}}})
        etl.done = type(etl.done)()
        etl.round()
        assert database.fetch(stored) == before
        (position,) = database.fetch("SELECT sync_changes_since FROM sync_state")[0]
        assert position > dna.stamp(ITEM_KEY)


def test_what_staff_edit_reaches_the_real_backend(
    dna: DnaInThread, api: ApiClient, etl_key: str, database: TestDatabase
) -> None:
    with running(dna, str(api.base_url), etl_key) as etl:
        until_rest(etl)
        dna.do(lambda real: real.edit_bib(BIB, [class_field("77.5")]))
        etl.done = type(etl.done)()
        etl.round()
    with dna.connect() as session:
        row = expected_row(session, ITEM_KEY)
    assert row
    assert row["classification"] == "77.5"
    stored = "SELECT classification, best_title FROM sierra_item WHERE item_record_id = %s"
    assert database.fetch(stored, ITEM_KEY) == [("77.5", row["best_title"])]


def test_the_keys_of_a_whole_catalogue_come_once_in_order_and_in_a_few_bytes_each() -> None:
    """A reindex stamps every record: the container has 256 MiB."""
    count = 500_000
    keys = array("q", reversed(range(FIRST_OWN, FIRST_OWN + count)))
    keys.extend(keys[:1000])
    chunks = cast("Chunks", SimpleNamespace(size=2000, attempt=lambda read: keys))
    tracemalloc.start()
    found = find_changed(chunks, datetime.now(UTC))
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == array("q", range(FIRST_OWN, FIRST_OWN + count))
    assert most_bytes < 40 * count


def test_a_busy_backend_is_sent_nothing(dna: DnaInThread) -> None:
    with recording(busy=True) as backend, made(etl_settings(dna, backend.url, KEY)) as etl:
        step = etl.round()
        assert (step.kind, step.rest_seconds, backend.batches) == ("rest", 30, [])
