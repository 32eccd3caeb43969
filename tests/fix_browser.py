"""Fixture `browser`: a real Chromium without a window, told by its DevTools protocol what to do."""

import contextlib
import fcntl
import itertools
import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

LIMIT_SECONDS = 60.0
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")

# Chromium talks by the descriptors 3 and 4: it is started by a Python that puts ours there.
_LAUNCHER = "import os, sys; [os.dup2(int(sys.argv[n]), n + 2) for n in (1, 2)]; os.execv(sys.argv[3], sys.argv[3:])"
_OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions"),
    *("--remote-debugging-pipe", "about:blank"),
)


class Browser:
    """A page of a browser: opens addresses, runs scripts, and keeps what the console was told meanwhile."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands = commands
        self._answers = answers
        self._rest = b""
        self._ids = itertools.count(1)
        self._session: str | None = None
        self.complaints: list[str] = []
        target = self._do("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._do("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self._do(f"{domain}.enable")

    def open(self, url: str) -> None:
        """Open the address."""
        self._do("Page.navigate", url=url)

    def run(self, script: str) -> Any:
        """The value of a script's expression in the page; of a promise, once it is kept."""
        done = self._do("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def wait_for(self, expression: str) -> Any:
        """The expression's value as soon as it is true."""
        found = self.run(
            f"new Promise(done => {{ const look = () => {{ const found = {expression}; "
            f"if (found) done(found); else setTimeout(look, 20); }}; look(); }})"
        )
        assert found
        return found

    def _do(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._ids)
        order = {"id": number, "method": method, "params": parameters}
        if self._session is not None:
            order["sessionId"] = self._session
        os.write(self._commands, json.dumps(order).encode() + b"\0")
        until = time.monotonic() + LIMIT_SECONDS
        while True:
            heard = self._hear(until)
            if heard.get("id") == number:
                assert "error" not in heard, heard
                result: dict[str, Any] = heard["result"]
                return result
            self._note(heard)

    def _hear(self, until: float) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._answers], [], [], max(0.0, until - time.monotonic()))
            assert ready, f"the browser said nothing for {LIMIT_SECONDS:g} s; so far: {self.complaints}"
            piece = os.read(self._answers, 1 << 20)
            assert piece, "the browser is gone"
            self._rest += piece
        message, _, self._rest = self._rest.partition(b"\0")
        heard: dict[str, Any] = json.loads(message)
        return heard

    def _note(self, heard: dict[str, Any]) -> None:
        about = heard.get("params", {})
        match heard.get("method"):
            case "Log.entryAdded" if about["entry"]["level"] in ("error", "warning"):
                self.complaints.append(about["entry"]["text"] + " " + about["entry"].get("url", ""))
            case "Runtime.exceptionThrown":
                self.complaints.append(str(about["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if about["type"] in ("error", "warning"):
                self.complaints.append(str([one.get("value") or one.get("description") for one in about["args"]]))


def find_program() -> str:
    """The browser's program. Skip the test where there is none: `.ci/run` goes no further without one."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip(f"no browser is here (looked for {', '.join(NAMES)}): apt-get install chromium")
    return program


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    """A fresh one."""
    program = find_program()
    with contextlib.ExitStack() as stack:

        def pipe() -> tuple[int, int]:
            ends = os.pipe()
            high = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends)
            for end in ends:
                os.close(end)
            for end in high:
                stack.callback(os.close, end)
            return high[0], high[1]

        its_in, commands = pipe()
        answers, its_out = pipe()
        process = subprocess.Popen(
            [sys.executable, "-c", _LAUNCHER, str(its_in), str(its_out), program, *_OPTIONS,
             f"--user-data-dir={tmp_path / 'browser'}"],
            pass_fds=(its_in, its_out),
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        stack.callback(process.wait, LIMIT_SECONDS)
        stack.callback(process.kill)
        yield Browser(commands, answers)
