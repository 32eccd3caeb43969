"""A standard error that its process never waits for: order, gaps, forks and the end of the process."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.stderr import BackgroundStderr
from tests.fix_sentry import Receiver
from tests.fix_unread_log import UnreadLog

LINES = 20_000
HEAD = """
import logging, os, sys, threading, warnings
from runtime.logging import configure_logging
configure_logging("INFO")
log = logging.getLogger("signum")
"""


@pytest.fixture
def written(tmp_path: Path) -> Iterator[tuple[BackgroundStderr, Path]]:
    """A stream to a file, and the file."""
    path = tmp_path / "log"
    with path.open("wb") as file:
        yield BackgroundStderr(file.fileno(), queue_bytes=1 << 30), path


def run(code: str, stderr: int = subprocess.PIPE, **environment: str) -> subprocess.CompletedProcess[str]:
    """A process of its own, for a process has one stderr."""
    return subprocess.run(
        [sys.executable, "-c", HEAD + code],
        env={"PATH": os.environ["PATH"], "SETTINGS_FILE": os.devnull, **environment},
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        timeout=30,
    )


def test_lines_stay_whole_and_each_threads_lines_stay_in_order(written: tuple[BackgroundStderr, Path]) -> None:
    stream, path = written

    def count(name: str) -> None:
        for number in range(LINES // 4):
            stream.write(f"{name} {number}\n")

    threads = [threading.Thread(target=count, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stream.close_within(30)
    lines = path.read_text().splitlines()
    assert len(lines) == LINES
    for name in "abcd":
        own = [line for line in lines if line.startswith(name)]
        assert own == [f"{name} {number}" for number in range(LINES // 4)]


def test_gap_is_told_where_it_is_and_counts_each_missing_line(unread_log: UnreadLog) -> None:
    stream = BackgroundStderr(unread_log.write_end, queue_bytes=500)
    for number in range(100):
        stream.write(f"early {number}\n")
    unread_log.read_until("lines were dropped")
    stream.write("late\n")
    heard = unread_log.read_until("late")
    stream.close_within(30)
    *before, gap, after = heard.splitlines()
    assert before == [f"early {number}" for number in range(len(before))]
    assert 40 < len(before) < 60
    assert gap.startswith(f"{100 - len(before)} log lines were dropped: ")
    assert after == "late"


def test_gap_is_told_at_the_end_too(unread_log: UnreadLog) -> None:
    stream = BackgroundStderr(unread_log.write_end, queue_bytes=500)
    for number in range(100):
        stream.write(f"early {number}\n")
    stream.close_within(0)
    *said, gap = unread_log.read_until("lines were dropped").splitlines()
    assert gap.startswith(f"{100 - len(said)} log lines were dropped: ")


def test_each_line_that_a_descriptor_refused_is_counted_once_it_takes_some_again(tmp_path: Path) -> None:
    descriptor = os.open("/dev/full", os.O_WRONLY)
    stream = BackgroundStderr(descriptor)
    for number in range(100):
        stream.write(f"early {number}\n")
    with (tmp_path / "log").open("wb") as file:
        os.dup2(file.fileno(), descriptor)
    stream.write("late\n")
    stream.close_within(30)
    os.close(descriptor)
    text = (tmp_path / "log").read_text()
    (missing,) = re.findall(r"^(\d+) log lines were dropped", text, re.MULTILINE) or ["0"]
    assert int(missing) + text.count("early") == 100
    assert text.count("late") == 1


def test_line_larger_than_the_queue_is_written(written: tuple[BackgroundStderr, Path]) -> None:
    _, path = written
    with path.open("wb") as file:
        stream = BackgroundStderr(file.fileno(), queue_bytes=10)
        stream.write("x" * 100_000 + "\n")
        stream.close_within(30)
    assert path.stat().st_size == 100_001


def test_non_blocking_pipe_loses_nothing(unread_log: UnreadLog) -> None:
    os.set_blocking(unread_log.write_end, False)
    stream = BackgroundStderr(unread_log.write_end)
    for number in range(1000):
        stream.write(f"line {number}\n")
    assert "dropped" not in unread_log.read_until("line 999")
    stream.close_within(30)


def test_what_libraries_print_threads_die_of_and_warnings_say_goes_the_same_way() -> None:
    done = run(
        """
def die(): raise LookupError("no such shelf")
thread = threading.Thread(target=die); thread.start(); thread.join()
print("printed", file=sys.stderr)
warnings.warn("old")
log.info("last")
raise ValueError("end")
"""
    )
    assert re.search(r"no such shelf.*printed.*WARNING py.warnings.*old.*last.*ValueError: end", done.stderr, re.DOTALL)


def test_each_process_of_a_fork_writes_its_own_lines_once() -> None:
    done = run(
        """
from runtime.stderr import exit_now
warnings.simplefilter("ignore")  # from 3.12 on Python warns of a fork beside threads
for number in range(1000): log.info("before")
if os.fork() == 0:
    log.info("child")
    exit_now(0)
os.wait()
log.info("parent")
"""
    )
    said = [line.rsplit(" ", 1)[1] for line in done.stderr.splitlines()]
    assert sorted(said) == ["before"] * 1000 + ["child", "parent"]


def test_burst_of_lines_that_is_read_loses_none() -> None:
    code = f"{HEAD}for number in range(50_000): log.info('said %d', number)\nsys.stdin.read()"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for number, line in zip(range(50_000), process.stderr, strict=False):
            assert line.endswith(f" said {number}\n")
        process.communicate()


@pytest.mark.parametrize("end", ["", "sys.exit(1)", "from runtime.stderr import exit_now; exit_now(1)"])
def test_end_of_the_process_writes_what_is_queued(end: str) -> None:
    assert run(f"for number in range(1000): log.info('said')\n{end}").stderr.count("said") == 1000


@pytest.mark.parametrize("end", ["", "raise ValueError", "from runtime.stderr import exit_now; exit_now(1)"])
def test_end_of_the_process_does_not_wait_for_a_reader_that_stands_still(end: str, unread_log: UnreadLog) -> None:
    run(f"log.info('said')\n{end}", stderr=unread_log.write_end)


def test_sentry_gets_the_error_that_the_log_has_no_room_for(unread_log: UnreadLog, receiver: Receiver) -> None:
    code = """
from runtime.sentry import configure_sentry
from runtime.settings import DatabaseSettings, read_settings
configure_sentry(read_settings(DatabaseSettings), "api")
for number in range(1000): log.info("x" * 10_000)
log.error("rejected")
"""
    run(code, stderr=unread_log.write_end, SENTRY_DSN=receiver.dsn)
    (event,) = receiver.events()
    assert event["logentry"]["message"] == "rejected"


def test_gap_is_told_in_the_form_of_the_log(unread_log: UnreadLog) -> None:
    code = """
configure_logging("ERROR", "json")
for number in range(1000): log.error("x" * 10_000)
sys.stdout.write("all said"); sys.stdout.flush()
sys.stdin.read()
"""
    command = [sys.executable, "-c", HEAD + code]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=unread_log.write_end
    ) as process:
        assert process.stdout is not None
        assert process.stdout.read(8) == b"all said"
        line = unread_log.read_until("lines were dropped").splitlines()[-1]
        process.communicate()
    assert re.search(r'"level": "WARNING", "logger": "signum.log", "message": "\d+ log lines were dropped', line)
