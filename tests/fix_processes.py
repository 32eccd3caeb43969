"""Fixture `start`: api and notifier as real processes, by their commands, told by their environment; and killed."""

import json
import os
import re
import signal
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

Start = Callable[..., "RealProcess"]


class RealProcess(Process):
    """One that can be killed, or stopped in the middle of whatever it does."""

    def kill(self) -> None:
        """Gone on return, and it could do nothing about it."""
        self._process.kill()
        self._process.wait()

    def terminate(self) -> None:
        """Asked to end, not waited for."""
        self._process.terminate()

    def freeze(self) -> None:
        """It does nothing more, and does not know."""
        self._process.send_signal(signal.SIGSTOP)
        os.waitpid(self._process.pid, os.WUNTRACED)

    def thaw(self) -> None:
        """It goes on where it was."""
        self._process.send_signal(signal.SIGCONT)

    def wait(self, at_most: float) -> int:
        """Its exit code, once it has ended. TimeoutExpired."""
        return self._process.wait(at_most)

    def stop(self) -> int:
        """Not running on return, frozen or not. Its exit code."""
        self.thaw()
        return super().stop()

    def wait_for_words(self, words: str, times: int = 1) -> None:
        """Return when its log has them so many times. ProcessFailed if it ends before, or a minute goes by."""
        self.wait_until(lambda: self.count_of(words) >= times)

    def count_of(self, words: str) -> int:
        """How many times its log has them."""
        return self.log.read_text(errors="replace").count(words)

    @property
    def cpu_seconds(self) -> float:
        """How long it has computed so far."""
        *_, user, system = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()[:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@pytest.fixture
def start(database: TestDatabase, sierra: SierraInThread, tmp_path: Path) -> Iterator[Start]:
    """Start `api` or `notifier` with these settings; it is ready on return, and stopped at the end of the test.

    A notifier is ready when `until` is found in its log: plain or JSON, it is listening (not: `not listening`).
    """
    with ExitStack() as stack:
        guard = stack.enter_context(Guard())

        def run(name: str, until: str = r'[ "]listening["\n]', **others: Any) -> RealProcess:
            given = {key.upper(): str(value) for key, value in {**sierra_settings(sierra), **others}.items()}
            settings = {**database.environment(), **given}
            log = tmp_path / f"{name}-{len(list(tmp_path.iterdir()))}.log"
            process = RealProcess(name, "cli.main", name, log=log, settings=settings, guard=guard)
            stack.enter_context(process)
            if name == "api":
                process.wait_until(lambda: is_ready(f"http://127.0.0.1:{others['api_port']}"))
            else:
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
