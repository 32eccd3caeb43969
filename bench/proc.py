"""Memory and processor time of processes, as Linux tells them in /proc."""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path


def processor_seconds(pid: int) -> float:
    """The processor's time of a process and its children, those that have ended too."""
    return sum(_processor_seconds(each) for each in (pid, *children(pid)))


def _processor_seconds(pid: int) -> float:
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def children(pid: int) -> Sequence[int]:
    """The children that run now."""
    with contextlib.suppress(OSError):
        files = Path(f"/proc/{pid}/task").glob("*/children")
        return [int(child) for file in files for child in file.read_text().split()]
    return ()


def memory_mib(pid: int) -> float:
    """The memory of a process and its children. A page that several share counts for each."""
    return sum(_mib(each, "VmRSS") for each in (pid, *children(pid)))


def peak_mib(pid: int) -> float:
    """The most memory that a process has had so far, without its children."""
    return _mib(pid, "VmHWM")


def _mib(pid: int, name: str) -> float:
    with contextlib.suppress(OSError):
        _, found, rest = Path(f"/proc/{pid}/status").read_text().partition(f"{name}:")
        return int(rest.split()[0]) / 1024 if found else 0.0
    return 0.0


@contextlib.contextmanager
def watch(mib: Callable[[], float]) -> Iterator[list[float]]:
    """The most that `mib` returns until the end of this context, in a list of one."""
    peak, over = [mib()], threading.Event()

    def look() -> None:
        while not over.wait(0.05):
            peak[0] = max(peak[0], mib())

    watching = threading.Thread(target=look)
    watching.start()
    try:
        yield peak
    finally:
        over.set()
        watching.join()
