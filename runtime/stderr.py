"""A standard error that its process never waits for: a thread writes to it, from a bounded queue.

A reader that stands still (a stuck log collector, a terminal after Ctrl-S, a full disk) stops that thread and nothing
else. Lines that find the queue full are dropped, and a line says how many once there is room again. At exit the queued
lines are written, and a reader that still does not read is waited for a moment only.

All that is written to `sys.stderr` goes this way: the log, warnings, tracebacks of threads, prints of a library.
"""

import atexit
import io
import os
import select
import sys
import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import NoReturn

QUEUE_BYTES = 8 * 1024 * 1024
WHOLE_BYTES = getattr(select, "PIPE_BUF", 512)  # a write of so much to a pipe stays whole beside other writers
EXIT_SECONDS = 0.5
DROPPED = "%d log lines were dropped: the log took them too slowly or not at all"


class BackgroundStderr(io.TextIOBase):
    """A text stream to a file descriptor whose `write` only queues. Each process of a fork has a thread of its own.

    `describe_dropped` makes the line that says how many lines are missing where it stands.
    """

    def __init__(self, descriptor: int, encoding: str = "utf-8", queue_bytes: int = QUEUE_BYTES) -> None:
        self.describe_dropped: Callable[[int], str] = lambda count: DROPPED % count
        self._descriptor = descriptor
        self._encoding = encoding
        self._queue_bytes = queue_bytes
        self._start()

    def write(self, text: str) -> int:
        """Queue the text, or count it as dropped; never wait for the reader and never fail."""
        if self._process != os.getpid():  # after a fork: the thread, and maybe the lock's holder, stayed behind
            self._start()
        data = text.encode(self._encoding, "backslashreplace")
        with self._lock:
            if self._has_room_for(data):
                self._report_dropped()
                self._put(data, data.count(b"\n"))
            else:
                self._dropped += data.count(b"\n")
        return len(text)

    def flush(self) -> None:
        """Do nothing: this stream never waits for its reader."""

    def close_within(self, seconds: float) -> None:
        """Write the queued lines, as far as the reader takes them in this time; later ones are not written."""
        if self._process == os.getpid():
            with self._lock:
                self._report_dropped()  # what is queued behind the end is not written
                self._queue.put(None)
            self._thread.join(seconds)

    def fileno(self) -> int:
        """The file descriptor, for child processes."""
        return self._descriptor

    def isatty(self) -> bool:
        """True if a person reads it."""
        return os.isatty(self._descriptor)

    def writable(self) -> bool:
        """True."""
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of what is written; characters that it lacks are escaped."""
        return self._encoding

    def _start(self) -> None:
        self._process = os.getpid()
        self._lock = threading.RLock()  # a signal's handler may write while this thread is writing
        self._queue: SimpleQueue[tuple[bytes, int] | None] = SimpleQueue()  # a text, and the lines lost without it
        self._waiting_bytes = 0
        self._dropped = 0
        self._line_is_torn = False
        self._thread = threading.Thread(target=self._run, name="stderr", daemon=True)
        self._thread.start()

    def _has_room_for(self, data: bytes) -> bool:
        """True if the queue takes it. Once full it takes nothing until it is half empty: one gap, not a hundred."""
        limit = self._queue_bytes // 2 if self._dropped else self._queue_bytes
        return self._waiting_bytes == 0 or self._waiting_bytes + len(data) <= limit

    def _report_dropped(self) -> None:
        if self._dropped:
            line = self.describe_dropped(self._dropped) + "\n"
            self._put(line.encode(self._encoding, "backslashreplace"), self._dropped)
            self._dropped = 0

    def _put(self, data: bytes, lines: int) -> None:
        self._waiting_bytes += len(data)
        self._queue.put((data, lines))

    def _run(self) -> None:
        for data, lines in self._pieces():
            written = self._write_out(data)
            with self._lock:
                self._waiting_bytes -= len(data)
                if not written:
                    self._dropped += lines
                elif self._waiting_bytes == 0:
                    self._report_dropped()

    def _pieces(self) -> Iterator[tuple[bytes, int]]:
        """The queued texts, until the end; small ones together, for each write costs a turn at the interpreter."""
        data, lines = b"", 0
        while True:
            if data and self._queue.empty():
                yield data, lines
                data, lines = b"", 0
            piece = self._queue.get()
            if data and (piece is None or len(data) + len(piece[0]) > WHOLE_BYTES):
                yield data, lines
                data, lines = b"", 0
            if piece is None:
                return
            data, lines = data + piece[0], lines + piece[1]

    def _write_out(self, data: bytes) -> bool:
        """Write it all, however long that takes. False if the descriptor refuses: no reader, no space."""
        whole = rest = b"\n" + data if self._line_is_torn else data
        try:
            while rest:
                try:
                    rest = rest[os.write(self._descriptor, rest) :]
                except BlockingIOError:  # another process has made the pipe that we share non-blocking
                    select.select([], [self._descriptor], [])
        except OSError:
            self._line_is_torn |= len(rest) < len(whole)
            return False
        self._line_is_torn = False
        return True


def write_stderr_in_background() -> BackgroundStderr:
    """Replace `sys.stderr` for the rest of this process's life, unless that is done already."""
    open_missing_streams()
    if isinstance(sys.stderr, BackgroundStderr):
        return sys.stderr
    stream = BackgroundStderr(sys.stderr.fileno(), sys.stderr.encoding)
    sys.stderr = stream
    atexit.register(stream.close_within, EXIT_SECONDS)
    return stream


def write_last_lines() -> None:
    """Write the queued lines before the process ends without its exit handlers."""
    if isinstance(sys.stderr, BackgroundStderr):
        sys.stderr.close_within(EXIT_SECONDS)


def exit_now(code: int) -> NoReturn:
    """End the process without its `finally` blocks and exit handlers, but with the log's last lines."""
    write_last_lines()
    os._exit(code)


def open_missing_streams() -> None:
    """Open /dev/null for each standard stream that was closed before the process began (`2>&-`).

    Else the next socket gets its number, and what a library prints there goes to the database.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: that stream's
            os.set_inheritable(descriptor, True)
            setattr(sys, name, os.fdopen(descriptor, mode, closefd=False))
