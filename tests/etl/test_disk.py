"""This machine's disk full or closed: a sentence for a person, and all goes on once there is room."""

import logging
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from etl.errors import DiskRefuses
from etl.process import _round
from etl.troubles import PERSON_PAUSE_SECONDS, Troubles
from tests.etl.recording import KEY, recording
from tests.fix_dna import ITEMS, DnaInThread, item_key
from tests.fix_etl import running

KEYS = sorted(map(item_key, ITEMS))
FULL = {"mode": "SYNC_FULL", "batch_size": 80}
Harm = Callable[[pytest.MonkeyPatch, Path], None]


def fill(patch: pytest.MonkeyPatch, folder: Path) -> None:
    patch.setattr(tempfile, "tempdir", str(folder))
    patch.setattr(tempfile, "TemporaryFile", lambda **_: Path("/dev/full").open("w+b"))  # noqa: SIM115


def remove(patch: pytest.MonkeyPatch, folder: Path) -> None:
    patch.setattr(tempfile, "tempdir", str(folder / "none"))


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full")
@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (fill, "the temporary folder {} takes no batch: No space left on device. Free room there, or set TMPDIR"),
        (remove, "the temporary folder {}/none takes no batch: No such file or directory"),
    ],
)
def test_a_temporary_folder_that_takes_no_batch_needs_a_person_and_all_comes_once_it_does(
    dna: DnaInThread, tmp_path: Path, caplog: pytest.LogCaptureFixture, harm: Harm, told: str
) -> None:
    with recording(**FULL) as backend, running(dna, backend.url, KEY) as etl:
        with pytest.MonkeyPatch.context() as patch:
            harm(patch, tmp_path)
            assert _round(etl, Troubles(), 30) == PERSON_PAUSE_SECONDS
            with pytest.raises(DiskRefuses):  # which "signum etl once" shows as this one sentence
                etl.round()
        (line,) = [line for line in caplog.records if line.levelno == logging.ERROR]
        assert told.format(tmp_path) in line.getMessage()
        assert backend.batches == []
        etl.round()
        assert sorted(backend.items) == KEYS


def test_a_state_file_that_can_not_be_touched_is_one_error_and_keeps_no_batch_back(
    dna: DnaInThread, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    state = tmp_path / "none" / "state"
    with recording(**FULL) as backend, running(dna, backend.url, KEY, etl_state_file=str(state)) as etl:
        etl.round()
        assert sorted(backend.items) == KEYS
        state.parent.mkdir()
        etl.round()
        assert state.exists()
    (line,) = [line for line in caplog.records if line.levelno == logging.ERROR]
    assert f"ETL_STATE_FILE {state} can't be touched" in line.getMessage()
