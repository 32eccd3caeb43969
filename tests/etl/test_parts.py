"""Long answers come in parts, and the position moves with the last one."""

from datetime import datetime

import pytest

from etl.errors import BackendAway, RestartAsked, SierraAway
from sandbox.dna_rows import record_key
from tests.etl.recording import KEY, Recording, recording
from tests.fix_dna import DnaInThread
from tests.fix_etl import add_many, owner, running, until_rest

PART = {"etl_part_items": 100, "etl_chunk_items": 100}


def now(dna: DnaInThread) -> datetime:
    moment: datetime = dna.one("SELECT now()")
    return moment


def changed(backend: Recording) -> list[list[int]]:
    return [batch.ids for batch in backend.batches if "changes_since" in batch.fields]


def many(dna: DnaInThread, count: int) -> list[int]:
    """Items that a batch job edited, with one stamp for all."""
    add_many(dna, count)
    edit = "UPDATE iiirecord.record_metadata SET record_last_updated = now() WHERE id >= %s AND record_type = 'i'"
    with owner(dna) as session:
        session.execute(edit, (record_key("i", 5_000_001),))
    return [record_key("i", 5_000_001 + number) for number in range(count)]


def test_many_items_with_one_stamp_come_in_parts_and_the_position_moves_once(dna: DnaInThread) -> None:
    position = now(dna)
    keys = many(dna, 250)
    with recording(timestamp=position) as backend, running(dna, backend.url, KEY, **PART) as etl:
        etl.round()
        assert changed(backend) == [keys[:100], keys[100:200], keys[200:]]
        until = [batch.time("changes_until") for batch in backend.batches]
        assert until[:2] == [position, position]
        assert until[2] == backend.timestamp == backend.batches[0].time("timestamp") > position
        assert backend.asked == 3


def test_a_backend_without_the_additions_gets_one_batch_of_any_size(dna: DnaInThread) -> None:
    keys = many(dna, 250)
    with recording(timestamp=now(dna), accepts=()) as backend, running(dna, backend.url, KEY, **PART) as etl:
        assert until_rest(etl) == ["changes"]
        assert changed(backend) == [keys]
        (batch,) = backend.batches
        assert batch.fields.keys() == {"timestamp", "changes_since"}
        assert list(batch.rows[0])[-1] == "shelfmark_json"
        assert batch.time("timestamp") == backend.timestamp


def test_a_crash_between_parts_loses_nothing(dna: DnaInThread) -> None:
    position = now(dna)
    keys = many(dna, 250)
    with recording(timestamp=position) as backend:
        backend.on_ask = lambda backend: dna.do(lambda real: real.disconnect()) if backend.asked == 2 else None
        with running(dna, backend.url, KEY, **PART) as etl, pytest.raises(SierraAway):
            etl.round()
        assert (len(backend.items), backend.timestamp) == (100, position)
        with running(dna, backend.url, KEY, **PART) as etl:
            etl.round()
        assert sorted(backend.items) == keys


def test_a_restart_asked_for_between_two_parts_is_obeyed(dna: DnaInThread) -> None:
    many(dna, 250)

    def restart(backend: Recording) -> None:
        if backend.asked == 2:
            backend.mode = "SYNC_FULL"

    with recording(timestamp=now(dna), on_ask=restart, batch_size=100) as backend:
        with running(dna, backend.url, KEY, **PART) as etl:
            with pytest.raises(RestartAsked):
                etl.round()
            assert etl.round().kind == "full page"
        assert [len(batch.rows) for batch in backend.batches] == [100, 100]


def test_a_batch_of_others_between_two_parts_ends_the_run_and_the_position_stays(dna: DnaInThread) -> None:
    position = now(dna)
    many(dna, 250)
    with recording(timestamp=position) as backend, running(dna, backend.url, KEY, **PART) as etl:
        backend.on_ask = lambda backend: setattr(backend, "busy", backend.asked == 2)
        with pytest.raises(BackendAway):
            etl.round()
        assert backend.timestamp == position
