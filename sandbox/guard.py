"""Cleans up after us if we are killed: a small process ends the processes that we started and removes our folders.

It reads from a pipe the processes started and ended. The pipe's end means that we are gone, for whatever reason.
Run as a script of its own, it imports nothing but the standard library and is ready in some 20 ms.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

_PATIENCE_SECONDS = 10.0


class Guard:
    """The guard of processes and folders, which outlive neither this context nor us."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-I", "-S", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is meant for us, not for the process that cleans up after us
            cwd="/",
            text=True,
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.communicate()

    def watch_process(self, pid: int) -> None:
        """Send it SIGINT when we are gone (PostgreSQL rolls back and ends), and SIGKILL if that is not enough."""
        self._order(f"process {pid}")

    def forget_process(self, pid: int) -> None:
        """Forget a process that has ended: another one may get its number."""
        self._order(f"ended {pid}")

    def watch_folder(self, folder: Path) -> None:
        """Remove the folder when we are gone, after the processes."""
        self._order(f"folder {folder}")

    def _order(self, words: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(words + "\n")
        self._process.stdin.flush()


def stand_guard(orders: Iterable[str]) -> None:
    """Remember processes and folders until the orders end; then clean up those that are still there."""
    processes: set[int] = set()
    folders: list[str] = []
    change: dict[str, Callable[[str], object]] = {
        "process": lambda text: processes.add(int(text)),
        "ended": lambda text: processes.discard(int(text)),
        "folder": folders.append,
    }
    for order in orders:
        verb, _, rest = order.rstrip("\n").partition(" ")
        change[verb](rest)
    end_processes(processes)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def end_processes(processes: set[int]) -> None:
    """End these processes, and wait for it by polling: they are not our children."""
    _signal(processes, signal.SIGINT)
    give_up_at = time.monotonic() + _PATIENCE_SECONDS
    while any(map(_runs, processes)) and time.monotonic() < give_up_at:
        time.sleep(0.02)
    _signal(filter(_runs, processes), signal.SIGKILL)


def _signal(processes: Iterable[int], number: signal.Signals) -> None:
    for pid in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    stand_guard(sys.stdin)
