"""An ingest process that ends without a result is a 503: the ETL sends the batch again, and the log says why."""

import asyncio
import logging
import os
import signal
import sys
import time
from asyncio.subprocess import Process
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

import psycopg
import pytest

from api.routes import sync
from tests.fix_api import detail
from tests.fix_batch import Send, row
from tests.fix_postgres import TestDatabase

LIMIT_SECONDS = 30.0


class Held:
    """A batch that can't be merged before it is let go."""

    def __init__(
        self, send: Send, lock: psycopg.Connection[Any], started: "SimpleQueue[Process]", others: Executor
    ) -> None:
        self._lock = lock
        lock.execute("BEGIN")
        lock.execute("LOCK sierra_item IN EXCLUSIVE MODE")
        self.answer = others.submit(send, [row(1)])
        self.pid = started.get(timeout=LIMIT_SECONDS).pid

    def let_go(self) -> None:
        """Let it be merged."""
        self._lock.execute("ROLLBACK")


@pytest.fixture
def held(send: Send, database: TestDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    """A batch under way, with its process and its answer to come."""
    started: SimpleQueue[Process] = SimpleQueue()
    its_own = asyncio.create_subprocess_exec

    async def noticing(*command: str, **options: Any) -> Process:
        process = await its_own(*command, **options)
        started.put(process)
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", noticing)
    with ThreadPoolExecutor(1) as others, database.connect() as connection:
        yield Held(send, connection, started, others)


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    records = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert not any(record.exc_info for record in records), "there is no bug"
    return [record.getMessage() for record in records]


@pytest.mark.parametrize(
    ("number", "words"), [(9, "9 (SIGKILL): out of memory?"), (15, "15 (SIGTERM)"), (35, "35 (real-time)")]
)
def test_process_that_was_killed_is_a_503_and_the_log_says_by_what(
    held: Held, send: Send, database: TestDatabase, caplog: pytest.LogCaptureFixture, number: int, words: str
) -> None:
    os.kill(held.pid, number)
    told = held.answer.result(LIMIT_SECONDS)
    said = f"batch has no result, its ingest process was killed by signal {words}"
    assert (told.status_code, told.headers["Retry-After"]) == (503, "5")
    assert detail(told) == f"The {said}. Send it again"
    assert errors(caplog) == [said]
    held.let_go()
    until = time.monotonic() + LIMIT_SECONDS
    while (again := send([row(1)])).status_code == 409:  # PostgreSQL has yet to notice that the other is gone
        assert time.monotonic() < until
    assert again.json()["written"] == 1


@pytest.fixture
def short_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch may take 3 s."""
    monkeypatch.setattr(sync, "DEADLINE_SECONDS", 3)


def test_process_that_stands_still_is_ended_at_the_deadline(
    short_deadline: None, held: Held, caplog: pytest.LogCaptureFixture
) -> None:
    os.kill(held.pid, signal.SIGSTOP)
    assert held.answer.result(LIMIT_SECONDS).status_code == 503
    assert errors(caplog) == ["batch timed out after 3 s: rolled back, unless its commit had begun"]
    with pytest.raises(ProcessLookupError):
        os.kill(held.pid, 0)


@pytest.mark.parametrize(
    ("program", "cause"),
    [
        ("/bin/false", "ended with code 1 and no result"),
        ("/bin/echo", "ended with code 0 and no result"),  # a line that is no result
        ("/nowhere/python", "could not be started: [Errno 2] No such file or directory"),
    ],
)
def test_process_without_a_result_is_a_503(
    send: Send, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, program: str, cause: str
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(sys, "executable", program)
        answer = send([row(1)])
    assert answer.status_code == 503
    (said,) = errors(caplog)
    assert said.startswith(f"batch has no result, its ingest process {cause}")
    assert send([row(1)]).json()["upserted"] == 1
