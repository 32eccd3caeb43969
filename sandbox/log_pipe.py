"""Takes a process's log through a pipe into a file, and can leave the pipe unread, and full, for a while."""

import contextlib
import os
import select
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self


class LogPipe:
    """A pipe, from entry to exit. A process gets `write_end` as its stderr; a thread appends what comes to the file."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._path = log.with_suffix(".pipe")
        self._reading = threading.Lock()
        self._thread = threading.Thread(target=self._read, name=f"log of {log.stem}", daemon=True)

    def __enter__(self) -> Self:
        os.mkfifo(self._path)
        self._read_end = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK)
        self.write_end = os.open(self._path, os.O_WRONLY)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self.write_end)  # the processes have ended: so does what there is to read
        self._thread.join()
        os.close(self._read_end)

    @contextlib.contextmanager
    def unread(self) -> Iterator[None]:
        """Leave the pipe unread, without room for a single byte."""
        with self._reading:
            self._fill()
            yield

    def _fill(self) -> None:
        """Fill it through an end of our own: the process's must block as it did."""
        end = os.open(self._path, os.O_WRONLY | os.O_NONBLOCK)
        try:
            for size in (4096, 1):
                with contextlib.suppress(BlockingIOError):
                    while True:
                        os.write(end, b"\n" * size)
        finally:
            os.close(end)

    def _read(self) -> None:
        while True:
            select.select([self._read_end], [], [])
            with self._reading:
                piece = os.read(self._read_end, 65536)
            if not piece:
                return
            with self._log.open("ab") as log:
                log.write(piece)
