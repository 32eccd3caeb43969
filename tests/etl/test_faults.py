"""SierraDNA and the backend at their worst: the ETL asks for less, waits, or says that a person must act."""

import subprocess
import sys
import time as clock

import pytest

from etl.dna import SLACK_SECONDS
from etl.errors import Conflict, SierraAway, SierraRefuses, TooLong
from etl.service import Sizes
from sandbox.wire import PostgresWire
from tests.etl.recording import KEY, recording
from tests.fix_dna import ITEMS, DnaInThread, item_key
from tests.fix_etl import add_many, dna_settings, owner, running, until_rest

KEYS = sorted(map(item_key, ITEMS))
FULL = {"mode": "SYNC_FULL", "batch_size": 80}
NIGHT = "22:00-05:00"


def test_a_statement_that_takes_too_long_halves_the_chunk(dna: DnaInThread, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("etl.chunks.LEAST_ITEMS", 10)
    dna.fault(slow_views={"item_record": 0.03})
    with recording(**FULL) as backend, running(dna, backend.url, KEY, etl_statement_timeout_seconds=1) as etl:
        etl._sizes = Sizes(chunk=50)
        etl.round()
        assert sorted(backend.items) == KEYS


def test_a_range_that_can_not_be_read_ends_a_full_sync_and_is_named(
    dna: DnaInThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("etl.chunks.LEAST_ITEMS", 25)
    dna.fault(slow_views={"item_record": 0.1})
    with recording(**FULL) as backend, running(dna, backend.url, KEY, etl_statement_timeout_seconds=1) as etl:
        etl._sizes = Sizes(chunk=50)
        with pytest.raises(TooLong, match="25 items behind item 0: SierraDNA cancelled a statement"):
            etl.round()
        assert backend.batches == []


def test_without_a_free_session_sierra_is_away_and_then_all_comes(dna: DnaInThread) -> None:
    dna.fault(connection_limit=0)
    with recording(**FULL) as backend, running(dna, backend.url, KEY) as etl:
        with pytest.raises(SierraAway, match="too many connections"):
            etl.round()
        dna.fault()
        etl.round()
        assert sorted(backend.items) == KEYS


def test_a_restart_between_two_rounds_is_met_by_a_new_session(dna: DnaInThread) -> None:
    with recording() as backend, running(dna, backend.url, KEY) as etl:
        etl.round()
        dna.server.restart()
        with pytest.raises(SierraAway):
            etl.round()
        until_rest(etl)
        assert sorted(backend.items) == KEYS  # of the pass


@pytest.mark.parametrize("view", ["subfield", "item_record", "itype_property_myuser"])
def test_a_lost_right_needs_a_person_and_all_comes_once_it_is_back(dna: DnaInThread, view: str) -> None:
    dna.fault(forbidden_views=(view,))
    with recording(**FULL) as backend, running(dna, backend.url, KEY) as etl:
        with pytest.raises(SierraRefuses, match=f"permission denied for view {view}"):
            etl.round()
        dna.fault()
        etl.round()
        assert sorted(backend.items) == KEYS


@pytest.mark.parametrize("view", ["subfield", "item_record", "itype_property_myuser"])
def test_a_missing_view_needs_a_person_and_all_comes_once_it_is_there(dna: DnaInThread, view: str) -> None:
    with owner(dna) as session, recording(**FULL) as backend, running(dna, backend.url, KEY) as etl:
        session.execute(f"ALTER VIEW sierra_view.{view} RENAME TO away".encode())
        with pytest.raises(SierraRefuses, match=rf'42P01.*"sierra_view\.{view}" does not exist'):
            etl.round()
        session.execute(f"ALTER VIEW sierra_view.away RENAME TO {view}".encode())
        etl.round()
        assert sorted(backend.items) == KEYS


def test_a_wrong_password_needs_a_person(dna: DnaInThread) -> None:
    with (
        recording() as backend,
        running(dna, backend.url, KEY, sierra_dna_password="wrong") as etl,
        pytest.raises(SierraRefuses, match="refuses the login"),
    ):
        etl.round()


def test_a_silent_connection_is_given_up_soon_after_the_time_out(dna: DnaInThread) -> None:
    settings = dna_settings(dna)
    with PostgresWire(settings["sierra_dna_host"], settings["sierra_dna_port"]) as wire, recording() as backend:
        slow = {"etl_statement_timeout_seconds": 1, "sierra_dna_port": wire.port, "sierra_dna_host": wire.host}
        with running(dna, backend.url, KEY, **slow) as etl:
            etl.round()
            etl.done = type(etl.done)()
            wire.fall_silent()
            began = clock.monotonic()
            with pytest.raises(SierraAway):
                etl.round()
            assert 1 <= clock.monotonic() - began < 1 + SLACK_SECONDS + 10


def test_there_is_one_session_at_any_time_and_it_reads_only(dna: DnaInThread, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    sessions = """SELECT application_name FROM pg_stat_activity WHERE usename = 'signum_dna'"""
    with owner(dna) as watcher, recording(mode="SYNC_FULL", batch_size=20) as backend:

        class Watch:
            def labels(self, _: str) -> "Watch":
                return self

            def observe(self, _: float) -> None:
                seen.append(watcher.execute(sessions).fetchall())

        monkeypatch.setattr("etl.dna.STATEMENT_SECONDS", Watch())
        with running(dna, backend.url, KEY) as etl:
            until_rest(etl)
            (read_only,) = etl._dna._connected().execute("SHOW transaction_read_only").fetchone() or (None,)
    assert {tuple(rows) for rows in seen} == {(("signum-etl",),)}
    assert read_only == "on"


def test_it_rests_as_long_as_sierra_worked(dna: DnaInThread) -> None:
    rests: list[float] = []
    with recording(**FULL) as backend, running(dna, backend.url, KEY, etl_most_busy_share=0.25) as etl:
        etl._dna._rest = rests.append
        etl.round()
        assert sum(rests) == pytest.approx(3 * etl._dna.worked_seconds)


def test_a_standby_that_cancels_three_times_is_away(dna: DnaInThread, monkeypatch: pytest.MonkeyPatch) -> None:
    with recording(**FULL) as backend, running(dna, backend.url, KEY) as etl:
        tries = []

        def cancelled(*_: object) -> list[int]:
            tries.append(1)
            raise Conflict("cancelled")

        monkeypatch.setattr(etl._reader, "keys_after", cancelled)
        with pytest.raises(SierraAway, match=r"cancelled \(3 times\)"):
            etl.round()
        assert len(tries) == 3


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_does_not_grow_with_the_batch(dna: DnaInThread) -> None:
    """A page of ten times the items needs no more than a few megabytes above that of one chunk."""
    add_many(dna, 20_000)
    small, large = (_peak_mib(dna, most) for most in (2_000, 20_000))
    assert large - small < 12, (small, large)


_READ = r"""
import re, sys
from etl.chunks import Chunks
from etl.file import ItemFile
from etl.items import ItemReader
from etl.process import dna_of
from runtime.etl_settings import SierraDnaSettings
with dna_of(SierraDnaSettings()) as dna, ItemFile() as file:
    for rows in Chunks(dna, ItemReader(""), 1000).page(0, int(sys.argv[1])):
        file.add(rows)
    file.finish()
    assert file.rows == int(sys.argv[1])
status = open("/proc/self/status").read()  # ru_maxrss of a child begins with its parent's
print(int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024)
"""


def _peak_mib(dna: DnaInThread, most: int) -> float:
    environment = {name.upper(): str(value) for name, value in dna_settings(dna).items()}
    command = [sys.executable, "-c", _READ, str(most)]
    return float(subprocess.run(command, env=environment, capture_output=True, check=True, text=True).stdout)
