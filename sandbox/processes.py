"""Runs the backend's processes as in production: by their commands, with settings in their environment.

None of the caller's environment is passed on, and no .env is read: the caller's DB_HOST or SENTRY_DSN must not
make a sandbox talk to a real database, or report its faults as real ones.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from sandbox.guard import Guard
from sandbox.log_pipe import LogPipe

HOUSE = Path(__file__).resolve().parents[1]
_START_SECONDS = 60.0
_STOP_SECONDS = 15.0
PLAIN_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "PYTHONUNBUFFERED": "1",
    "PYTHONUTF8": "1",
    "SETTINGS_FILE": os.devnull,
}


class ProcessFailed(Exception):
    """A process of the sandbox has failed. The text ends with its last log lines."""


class Process:
    """A process: started on entry, stopped on exit, its log in a file; stopped too if we are killed.

    With `stderr`, a file descriptor, its log goes there instead; with `pipe`, through that to the file.
    """

    def __init__(
        self,
        name: str,
        module: str,
        *arguments: str,
        log: Path,
        settings: Mapping[str, str],
        guard: Guard,
        stderr: int | None = None,
        pipe: LogPipe | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self.pipe = pipe
        self._stderr = pipe.write_end if pipe else stderr
        self._command = [sys.executable, "-m", module, *arguments]
        self._environment = {**PLAIN_ENVIRONMENT, **settings}
        self._guard = guard

    def __enter__(self) -> Self:
        self.start()
        return self

    def start(self) -> None:
        """Start it, with a new section in its log; after `kill` or `stop` too."""
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603
                self._command,
                cwd=HOUSE,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log if self._stderr is None else self._stderr,
                start_new_session=True,  # Ctrl-C is for us; we stop the others in their order
            )
        self._guard.watch_process(self._process.pid)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Its process id, which is in a notifier's name too."""
        return self._process.pid

    def kill(self) -> None:
        """Kill it with SIGKILL, and wait for its end."""
        self._process.kill()
        self._process.wait()
        self._guard.forget_process(self._process.pid)

    def terminate(self) -> None:
        """Send it SIGTERM; don't wait for its end."""
        self._process.terminate()

    def freeze(self) -> None:
        """Stop it with SIGSTOP, unnoticed by itself."""
        self._process.send_signal(signal.SIGSTOP)
        os.waitpid(self._process.pid, os.WUNTRACED)

    def thaw(self) -> None:
        """Let it continue (SIGCONT)."""
        self._process.send_signal(signal.SIGCONT)

    def wait(self, at_most: float) -> int:
        """Wait for its end. Return its exit code. Raise TimeoutExpired."""
        return self._process.wait(at_most)

    def stop(self) -> int:
        """Stop it, frozen or not, by SIGTERM or, if that takes too long, SIGKILL. Return its exit code."""
        self._process.send_signal(signal.SIGCONT)
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._guard.forget_process(self._process.pid)
        return self._process.returncode

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Wait until `ready` is true. Raise ProcessFailed if the process ends before, or after a minute."""
        give_up_at = time.monotonic() + _START_SECONDS
        while not ready():
            self.check()
            if time.monotonic() > give_up_at:
                raise ProcessFailed(f"{self.name} was not ready within {_START_SECONDS:.0f} s:\n{self.last_words()}")
            time.sleep(0.02)

    def check(self) -> None:
        """Raise ProcessFailed if it does not run any more."""
        code = self._process.poll()
        if code is not None:
            raise ProcessFailed(f"{self.name} ended with {code}:\n{self.last_words()}")

    def wait_for_words(self, words: str, times: int = 1) -> None:
        """Wait until its log has the words so many times. Raise ProcessFailed if it ends before, or after a minute."""
        self.wait_until(lambda: self.count_of(words) >= times)

    def count_of(self, words: str) -> int:
        """Count the words in its log."""
        return self.log.read_text(errors="replace").count(words)

    @property
    def cpu_seconds(self) -> float:
        """The processor time that it has used so far."""
        *_, user, system = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()[:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def said(self, words: str) -> bool:
        """Return whether its log has these words."""
        return words in self.log.read_text(errors="replace")

    def last_words(self) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])


def run(module: str, *arguments: str, settings: Mapping[str, str]) -> str:
    """Run a command that ends by itself. Return its stdout. Raise ProcessFailed if its exit code is not 0."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", module, *arguments],
        cwd=HOUSE,
        env={**PLAIN_ENVIRONMENT, **settings},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_START_SECONDS,
        check=False,
    )
    if done.returncode:
        raise ProcessFailed(f"{module} {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout
