"""A log's pipe brings all to the file, and can be left full and unread meanwhile."""

import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.log_pipe import LogPipe

SAY = "import sys; print('ready', flush=True); print('said', file=sys.stderr, flush=True)"


def test_process_waits_for_a_log_that_is_not_read_and_loses_nothing(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    log.write_text("begun\n")
    with LogPipe(log) as pipe:
        with pipe.unread():
            command = [sys.executable, "-c", SAY]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=pipe.write_end, text=True)
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.2)
            assert log.read_text() == "begun\n"
        assert process.wait(10) == 0
        process.stdout.close()
    heard = log.read_text()
    assert (heard.startswith("begun\n"), heard.endswith("\nsaid\n")) == (True, True)
