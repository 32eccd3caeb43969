"""Fixture `unread_log`: a pipe for a process's log that is full already, and that no one reads until the test does."""

import os
import select
import time
from collections.abc import Iterator

import pytest

PATIENCE_SECONDS = 30.0


class UnreadLog:
    """A pipe; a process gets `write_end` as its stderr."""

    def __init__(self) -> None:
        self._read_end, self.write_end = os.pipe()
        self._heard = b""

    def fill(self) -> None:
        """Leave no room for a single byte."""
        os.set_blocking(self.write_end, False)
        for size in (4096, 1):
            try:
                while True:
                    os.write(self.write_end, b"#" * size)
            except BlockingIOError:
                pass
        os.set_blocking(self.write_end, True)

    def read_until(self, words: str) -> str:
        """All that was read so far, once it has these words and the line is complete."""
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while b"\n" not in self._heard.partition(words.encode())[2]:
            readable, _, _ = select.select([self._read_end], [], [], max(0, give_up_at - time.monotonic()))
            assert readable, f"{words!r} was not read, but: {self._heard[-2000:]!r}"
            self._heard += os.read(self._read_end, 65536)
        return self._heard.decode().lstrip("#")

    def close(self) -> None:
        """Let go of both ends."""
        for end in (self._read_end, self.write_end):
            os.close(end)


@pytest.fixture
def unread_log() -> Iterator[UnreadLog]:
    """A full one."""
    log = UnreadLog()
    log.fill()
    yield log
    log.close()
