"""Fixture `start`: api and notifier as real processes, by their commands, told by their environment; and killed."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from sandbox import processes
from sandbox.guard import Guard
from sandbox.postgres import free_port
from sandbox.processes import Process
from sandbox.system import is_ready
from tests.fix_notifier import sierra_settings
from tests.fix_postgres import TestDatabase
from tests.fix_sierra import SierraInThread

Start = Callable[..., Process]


@pytest.fixture
def start(database: TestDatabase, sierra: SierraInThread, tmp_path: Path) -> Iterator[Start]:
    """Start `api` or `notifier` with these settings; it is ready on return, and stopped at the end of the test.

    A notifier is ready when `until` is found in its log: plain or JSON, it is listening (not: `not listening`).
    With its log at `stderr`, a file descriptor, it is only started.
    """
    with ExitStack() as stack:
        guard = stack.enter_context(Guard())

        def run(name: str, until: str = r'[ "]listening["\n]', stderr: int | None = None, **others: Any) -> Process:
            given = {key.upper(): str(value) for key, value in {**sierra_settings(sierra), **others}.items()}
            settings = {**database.environment(), **given}
            log = tmp_path / f"{name}-{len(list(tmp_path.iterdir()))}.log"
            process = Process(name, "cli.main", name, log=log, settings=settings, guard=guard, stderr=stderr)
            stack.enter_context(process)
            if name == "api":
                process.wait_until(lambda: is_ready(f"http://127.0.0.1:{others['api_port']}"))
            elif stderr is None:
                process.wait_until(lambda: re.search(until, process.log.read_text()) is not None)
            return process

        yield run


@pytest.fixture
def api_url(start: Start) -> str:
    """A running api process."""
    port = free_port()
    start("api", api_port=port)
    return f"http://127.0.0.1:{port}"


@pytest.fixture
def add_client(database: TestDatabase) -> Callable[[str], str]:
    """Add a client of that type; its key."""

    def add(kind: str) -> str:
        made = processes.run(
            "cli.main", "client", "add", f"test {kind}", "--type", kind, "--json", settings=database.environment()
        )
        key: str = json.loads(made)["key"]
        assert re.fullmatch(r"sig_[\w-]{43}", key)
        return key

    return add
