"""`signum etl` as a process of its own: it brings the catalogue, gets on, and stops at once, at any statement."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sandbox.guard import Guard
from sandbox.processes import Process
from tests.etl.recording import KEY, recording
from tests.fix_api import ApiClient
from tests.fix_dna import ITEMS, DnaInThread, item_key
from tests.fix_etl import dna_settings, owner
from tests.fix_postgres import TestDatabase
from tests.fix_signum import Signum

KEYS = sorted(map(item_key, ITEMS))
SLOW = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'signum_dna' AND state = 'active'"


@contextmanager
def process(dna: DnaInThread, url: str, key: str, log: Path, **others: Any) -> Iterator[Process]:
    """A running `signum etl`."""
    with ExitStack() as stack:
        guard = stack.enter_context(Guard())
        settings = environment(dna, backend_url=url, etl_client_api_key=key, **others)
        yield stack.enter_context(Process("etl", "cli.main", "etl", log=log, settings=settings, guard=guard))


def environment(dna: DnaInThread, **others: Any) -> dict[str, str]:
    """The settings as environment variables."""
    given = {"settings_file": os.devnull, **dna_settings(dna, **others)}
    return {name.upper(): str(value) for name, value in given.items()}


def test_the_process_brings_the_catalogue_follows_it_and_stops(
    dna: DnaInThread, api: ApiClient, etl_key: str, database: TestDatabase, tmp_path: Path, signum_process: Signum
) -> None:
    state = tmp_path / "state"
    others = {"etl_state_file": state, "sync_job_interval_seconds": 0.5, "max_sync_delta_minutes": 60}
    with process(dna, str(api.base_url), etl_key, tmp_path / "log", **others) as running:
        running.wait_for_words("mode=full")
        running.wait_for_words("mode=changes", times=2)
        assert database.fetch("SELECT count(*) FROM sierra_item") == [(len(ITEMS),)]
        settings = environment(dna, backend_url=api.base_url, etl_client_api_key=etl_key, etl_state_file=state)
        ran = signum_process("etl", "--check", settings=settings)
        assert (ran.code, ran.out.startswith("the ETL did something")) == (0, True)
        assert running.stop() == 0
    log = (tmp_path / "log").read_text()
    assert "WARNING signum.etl MAX_SYNC_DELTA_MINUTES is ignored" in log
    assert "INFO signum.etl stopped" in log
    assert "ERROR" not in log
    os.utime(state, (0, 0))
    stalled = signum_process("etl", "--check", settings=settings)
    assert (stalled.code, "the ETL has stalled" in stalled.err) == (1, True)


def test_a_stop_cancels_the_statement_under_way(dna: DnaInThread, tmp_path: Path) -> None:
    dna.fault(slow_views={"item_record": 5})
    with (
        owner(dna) as watcher,
        recording(mode="SYNC_FULL", batch_size=80) as backend,
        process(dna, backend.url, KEY, tmp_path / "log") as running,
    ):
        running.wait_until(lambda: watcher.execute(SLOW).fetchone() == (1,))
        began = time.monotonic()
        assert running.stop() == 0
        assert time.monotonic() - began < 10
        assert watcher.execute(SLOW).fetchone() == (0,)
        assert backend.batches == []


def test_killed_it_is_started_again_and_goes_on(dna: DnaInThread, tmp_path: Path) -> None:
    with recording(mode="SYNC_FULL", batch_size=20) as backend:
        with process(dna, backend.url, KEY, tmp_path / "log") as running:
            running.wait_for_words("mode=full")
            running.kill()
            running.start()
            running.wait_for_words("mode=pass")  # which comes behind the last page
        assert sorted(backend.items) == KEYS


def test_without_sierradna_it_waits_and_says_so(dna: DnaInThread, tmp_path: Path) -> None:
    dna.fault(connection_limit=0)
    with recording() as backend, process(dna, backend.url, KEY, tmp_path / "log") as running:
        running.wait_for_words("WARNING signum.etl round failed, and is tried again in 5 s: no SierraDNA")
        dna.fault()
        running.wait_for_words("mode=changes")


def test_once_does_what_is_due_and_a_comparison_of_all_only_where_the_backend_takes_it(
    dna: DnaInThread, signum_process: Signum
) -> None:
    with recording(mode="SYNC_FULL", batch_size=20, passed_at="2999-01-01T00:00:00Z") as backend:
        settings = environment(dna, backend_url=backend.url, etl_client_api_key=KEY)
        ran = signum_process("etl", "once", settings=settings)
        assert (ran.code, ran.out) == (0, "done: 6 batches were sent\n")
        ran = signum_process("etl", "once", "--all", "--json", settings=settings)
        assert (ran.code, ran.json) == (0, {"batches_sent": 3})
        assert "pass_complete" in backend.batches[-1].fields
        backend.accepts = ()
        ran = signum_process("etl", "once", "--all", settings=settings)
        assert (ran.code, "takes no comparison of all items" in ran.err) == (1, True)
        backend.busy = True
        ran = signum_process("etl", "once", settings=settings)
        assert (ran.code, "another batch" in ran.err) == (1, True)
        ran = signum_process("etl", "once", settings={**settings, "BACKEND_URL": "http://127.0.0.1:9"})
        assert (ran.code, "had no answer from http://127.0.0.1:9" in ran.err) == (3, True)


def test_export_writes_the_file_and_asks_no_backend(dna: DnaInThread, signum_process: Signum, tmp_path: Path) -> None:
    target, ids, settings = tmp_path / "file.tsv.gz", tmp_path / "ids", environment(dna)
    ran = signum_process("etl", "export", str(target), settings=settings)
    assert (ran.code, ran.out) == (0, f"50 items were written to {target}\n")
    ids.write_text(f"{KEYS[3]}\n{KEYS[1]}\n")
    assert signum_process("etl", "export", str(target), "--ids", str(ids), settings=settings).out[:2] == "2 "
    ran = signum_process("etl", "export", str(target), "--since", "2999-01-01", "--json", settings=settings)
    assert ran.json == {"items_written": 0, "file": str(target)}
    ids.write_text("b1000001")
    refused = signum_process("etl", "export", str(target), "--ids", str(ids), settings=settings)
    assert (refused.code, "is no list of item_record_ids" in refused.err) == (1, True)
    refused = signum_process("etl", "export", str(tmp_path), settings=settings)
    assert (refused.code, refused.err) == (1, f"{tmp_path} can't be written: Is a directory\n")


def test_doctor_tells_what_the_site_is_like(dna: DnaInThread, signum_process: Signum) -> None:
    ran = signum_process("etl", "doctor", "--json", settings=environment(dna))
    found = {one["check"]: one for one in ran.json}
    assert [one for one in ran.json if one["level"] == "problem"] == []
    assert ran.code == 0
    assert "zone Europe/Helsinki" in found["SierraDNA"]["text"]
    assert "5 sessions of this login, 1 open" in found["limits"]["text"]
    assert "record_last_updated nor deletion_date" in found["indexes"]["text"]
    assert found["campus"]["text"] == "living items by campus_code: empty (own): 50, muu: 1"
    assert "50 items were read" in found["chunk"]["text"]
    assert "('84.31', 'ykl')" in found["097"]["text"]
    assert {"clock", "rights", "rows", "look for changed", "look for deleted", "names"} <= found.keys()


def test_doctor_names_what_is_missing_and_what_to_do(dna: DnaInThread, signum_process: Signum) -> None:
    dna.fault(forbidden_views=("subfield",))
    ran = signum_process("etl", "doctor", "--json", settings=environment(dna, etl_campus_code="xyz"))
    problems = {one["check"]: one for one in ran.json if one["level"] == "problem"}
    assert ran.code == 1
    assert problems["rights"]["text"] == "this login can't read sierra_view.subfield"
    assert problems["campus"]["advice"] == "Set ETL_CAMPUS_CODE"
    dna.fault(connection_limit=0)
    ran = signum_process("etl", "doctor", settings=environment(dna))
    assert (ran.code, ran.out.count("too many connections")) == (1, 1)


def test_wrong_settings_stop_the_command_before_it_does_anything(signum_process: Signum) -> None:
    given = {"SIERRA_DNA_HOST": "x", "SIERRA_DNA_USER": "x", "BACKEND_URL": "ftp://x", "ETL_PASS_HOURS": "22-05"}
    ran = signum_process("etl", settings={**given, "ETL_CHUNK_ITEMS": "1", "SIERRA_DNA_SSLMODE": "yes"})
    assert ran.code == 2
    lines = ran.err.splitlines()
    assert {line.partition("=")[0].partition(" ")[0] for line in lines} == {
        *("BACKEND_URL", "ETL_PASS_HOURS", "ETL_CHUNK_ITEMS", "SIERRA_DNA_SSLMODE", "ETL_CLIENT_API_KEY")
    }
    assert "ETL_PASS_HOURS='22-05' is no HH:MM-HH:MM, e.g. 22:00-05:00: Hours for that" in ran.err
