"""`signum etl` on a real pseudo-terminal shows what it is doing; in a pipe it writes a line per batch, and no bar."""

import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.etl.recording import KEY, recording
from tests.etl.test_process import environment
from tests.fix_dna import DnaInThread
from tests.fix_signum import Signum

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@contextmanager
def on_a_terminal(dna: DnaInThread, url: str, *words: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The command with a terminal of 100 columns for its standard error, and the other end of that."""
    ours, its = pty.openpty()
    given = {
        **os.environ,
        **environment(dna, backend_url=url, etl_client_api_key=KEY),
        "COLUMNS": "100",
        "TERM": "xterm",
    }
    command = [sys.executable, "-m", "cli.main", "etl", *words]
    process = subprocess.Popen(command, env=given, stdout=subprocess.DEVNULL, stderr=its)
    os.close(its)
    try:
        yield process, ours
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def read_until(terminal: int, words: str) -> str:
    """All that the terminal is shown until these words, or the end."""
    text = ""
    while words not in text:
        try:
            text += os.read(terminal, 4096).decode()
        except OSError:  # EIO: the process has closed it
            break
    return text


@pytest.mark.parametrize("words", [("once",), ()])
def test_a_person_sees_what_is_read_and_sent_and_whole_lines_of_the_log(
    dna: DnaInThread, words: tuple[str, ...]
) -> None:
    with (
        recording(mode="SYNC_FULL", batch_size=20) as backend,
        on_a_terminal(dna, backend.url, *words) as (_, terminal),
    ):
        shown = read_until(terminal, "mode=changes")
    assert "full: reading" in shown
    assert "full: sending" in shown
    assert "20/20" in shown
    lines = [ESCAPES.sub("", line).rpartition("\r")[2] for line in shown.splitlines() if "mode=full" in line]
    assert lines
    assert all(re.match(r"[\d:.]+ INFO +batch was sent +mode=full", line) for line in lines)


def test_in_a_pipe_there_is_a_line_per_batch_and_no_bar(dna: DnaInThread, signum_process: Signum) -> None:
    with recording(mode="SYNC_FULL", batch_size=20) as backend:
        settings = environment(dna, backend_url=backend.url, etl_client_api_key=KEY)
        ran = signum_process("etl", "once", settings=settings)
    assert (ran.code, ran.err.count("mode=full")) == (0, 3)
    assert "\x1b" not in ran.err
    assert "reading" not in ran.err.replace("reading_seconds", "")
