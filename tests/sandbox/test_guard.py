"""The guard ends what we left behind, and nothing else."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from sandbox.guard import Guard


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def test_guard_ends_processes_and_removes_folders_left_at_the_end(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    folder = tmp_path / "left behind"
    folder.mkdir()
    (folder / "file").touch()
    reaper = Thread(target=sleeper.wait)  # init does so for a process without a parent
    reaper.start()
    with Guard() as guard:
        guard.watch_process(sleeper.pid)
        guard.watch_folder(folder)
    reaper.join()
    assert sleeper.returncode != 0
    assert not folder.exists()


def test_a_process_that_was_forgotten_is_left_alone(sleeper: subprocess.Popen[bytes]) -> None:
    with Guard() as guard:
        guard.watch_process(sleeper.pid)
        guard.forget_process(sleeper.pid)
    assert sleeper.poll() is None


def test_ctrl_c_does_not_reach_it() -> None:
    with Guard() as guard:
        assert os.getsid(guard._process.pid) == guard._process.pid, "a session, and so a terminal, of its own"
