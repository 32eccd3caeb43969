"""Looks that SierraDNA is too slow for: it is asked less, and what can be read is not kept waiting."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from etl.dna import Snapshot
from etl.errors import SierraAway, TooLong
from etl.items import Row
from etl.plan import NEVER
from etl.service import Etl, Sizes
from tests.etl.recording import KEY, recording
from tests.fix_dna import ITEMS, DnaInThread, item_key
from tests.fix_etl import owner, running

KEYS = sorted(map(item_key, ITEMS))


@contextmanager
def first_range_slow(etl: Etl) -> Iterator[None]:
    """The items of the first range can't be read: a lock, a bib without end, a bad block."""
    rows, etl._sizes = etl._reader.rows, Sizes(chunk=20)

    def slow(snapshot: Snapshot, keys: Sequence[int]) -> list[Row]:
        if KEYS[0] in keys:
            raise TooLong("cancelled")
        return rows(snapshot, keys)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("etl.chunks.LEAST_ITEMS", 20)
        patch.setattr(etl._reader, "rows", slow)
        yield


def edit_all(dna: DnaInThread) -> datetime:
    """Stamp all items. Return a position before that."""
    with owner(dna) as session:
        session.execute("UPDATE iiirecord.record_metadata SET record_last_updated = now() WHERE id = ANY(%s)", (KEYS,))
    position: datetime = dna.one("SELECT now() - interval '1 minute'")
    return position


def test_a_range_that_can_not_be_read_holds_back_the_position_of_changes_and_no_other_item(
    dna: DnaInThread, caplog: pytest.LogCaptureFixture
) -> None:
    position = edit_all(dna)
    with recording(timestamp=position) as backend, running(dna, backend.url, KEY) as etl:
        with first_range_slow(etl):
            etl.round()
        assert sorted(backend.items) == KEYS[20:]
        assert backend.timestamp == position
        assert f"items were left out of this round: 20 items from item {KEYS[0]}" in caplog.text


def test_a_deep_look_that_left_items_out_is_done_again(dna: DnaInThread) -> None:
    position = edit_all(dna)
    with recording(timestamp=position) as backend, running(dna, backend.url, KEY) as etl:
        with first_range_slow(etl):
            etl.round()
        etl.done = replace(etl.done, changes_at=NEVER, last="rest")  # the interval of looks is over, of deep ones not
        etl.round()
        assert [position - batch.time("changes_since") for batch in backend.batches] == [timedelta(hours=1)] * 2
        assert sorted(backend.items) == KEYS


def test_a_look_that_meets_its_time_out_is_rested_after_and_comes_less_often(dna: DnaInThread) -> None:
    """Tried again after the interval, it would have SierraDNA work for 120 of 150 seconds."""
    rests: list[float] = []
    short = {"etl_most_busy_share": 0.25, "etl_statement_timeout_seconds": 1}
    dna.fault(slow_views={"record_metadata": 0.1})
    with recording(timestamp=edit_all(dna)) as backend, running(dna, backend.url, KEY, **short) as etl:
        etl._dna._rest = rests.append
        began = time.monotonic()
        with pytest.raises(TooLong):
            etl.round()
        assert etl._dna.worked_seconds >= 1
        assert sum(rests) == pytest.approx(3 * etl._dna.worked_seconds)
        assert etl.done.changes_at > began
        assert etl.done.poll_seconds >= 1


def test_a_look_during_which_sierra_dna_goes_away_is_no_slow_look(dna: DnaInThread) -> None:
    """Its seconds are the outage's: taken for the look's, they would put off the next one for minutes after its end."""
    rests: list[float] = []
    dna.fault(slow_views={"record_metadata": 0.1})
    with recording(timestamp=edit_all(dna)) as backend, running(dna, backend.url, KEY) as etl:
        etl._dna._rest = rests.append
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(etl._dna, "_longest_seconds", 0.5)  # after which a session counts as silent
            with pytest.raises(SierraAway):
                etl.round()
        assert etl._dna.worked_seconds >= 0.5
        assert etl.done.poll_seconds == 0
        assert sum(rests) < 0.1


def test_a_look_for_deletions_that_meets_its_time_out_holds_up_no_changes(
    dna: DnaInThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*_: object) -> None:
        raise TooLong("cancelled")

    monkeypatch.setattr("etl.service.find_deleted", slow)
    with recording(timestamp=edit_all(dna), deletions_since=None) as backend, running(dna, backend.url, KEY) as etl:
        with pytest.raises(TooLong):
            etl.round()
        assert etl.round().kind == "changes"
        assert sorted(backend.items) == KEYS
