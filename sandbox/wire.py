"""A failing network: a TCP proxy that cuts, resets, delays, falls silent, or refuses.

It runs in a thread with an event loop of its own. A silent wire keeps both ends' kernels content (what is sent is
acknowledged, keepalives are answered), so that only a deadline of the process's own notices.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from sandbox.loops import LoopInThread

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER: on, for no time at all
_ENCRYPTION_REQUESTS = (80877103, 80877104)  # SSLRequest, GSSENCRequest
_NOTIFICATION, _KEY_DATA = b"A", b"K"

Pieces = AsyncIterator[bytes]


class _Line:
    """One connection through the wire: its two ends, and whether anything passes."""

    def __init__(self, near: asyncio.StreamWriter, passes: bool) -> None:
        self.near = near
        self.far: asyncio.StreamWriter | None = None
        self.flowing = asyncio.Event()
        if passes:
            self.flowing.set()

    def end(self, reset: bool = False) -> None:
        for writer in filter(None, (self.near, self.far)):
            if reset:
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
                writer.transport.abort()
            else:
                writer.close()


class Wire:
    """Leads from `host` and `port` to another address. Whole on entry, gone on exit.

    Every fault meets the connections that are there now; those that come later are met only where it says so.
    """

    host = "127.0.0.1"

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._loop = LoopInThread("wire")
        self._lines: set[_Line] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._silent = False
        self._delay_seconds = 0.0
        self.port = 0

    def __enter__(self) -> Self:
        self._loop.__enter__()
        self._loop.block_on(self._listen())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._loop.block_on(self._shut())
        self._loop.__exit__(kind, error, at)

    @property
    def connections(self) -> int:
        """Count the connections through it now."""
        return self._loop.run(lambda: len(self._lines))

    def cut(self) -> None:
        """End the connections politely (FIN) at both ends."""
        self._loop.run(self._end_all)

    def reset(self) -> None:
        """End the connections with RST at both ends: data under way is lost."""
        self._loop.run(self._end_all, True)

    def refuse(self) -> None:
        """Cut, and refuse later connections until it is healed."""
        self._loop.block_on(self._shut())

    def fall_silent(self) -> None:
        """Let nothing pass any more, without an error. Later connections are not met."""
        self._loop.run(self._silence_all)

    def end_silent(self) -> None:
        """End the connections that are silent, at both ends: a server has found that its client is gone."""
        self._loop.run(self._end_silent)

    def black_hole(self) -> None:
        """Fall silent, and accept later connections without passing anything on, until it is healed."""
        self._silent = True
        self.fall_silent()

    def lead_to(self, host: str, port: int) -> None:
        """Lead later connections to another address. Those that are there stay where they are."""
        self._target = (host, port)

    def delay(self, seconds: float) -> None:
        """Delay the data by so much in each direction."""
        self._delay_seconds = seconds

    def heal(self) -> None:
        """Heal the wire for later connections. Silent ones stay silent: a firewall has forgotten them."""
        self._silent, self._delay_seconds = False, 0.0
        self._loop.block_on(self._listen())

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, self.host, self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def _shut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        self._end_all()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _end_all(self, reset: bool = False) -> None:
        for line in self._lines:
            line.end(reset)
            line.flowing.set()

    def _silence_all(self) -> None:
        for line in self._lines:
            line.flowing.clear()

    def _end_silent(self) -> None:
        for line in self._lines:
            if not line.flowing.is_set():
                line.end(reset=True)
                line.flowing.set()

    async def _accept(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        line = _Line(near, passes=not self._silent)
        self._lines.add(line)
        self._tasks.add(task)
        try:
            await self._join(line, reader)
        except (OSError, asyncio.CancelledError):
            pass  # the target refuses, or the wire is shut: the near end is closed
        finally:
            line.end()
            self._lines.discard(line)
            self._tasks.discard(task)

    async def _join(self, line: _Line, reader: asyncio.StreamReader) -> None:
        await line.flowing.wait()
        host, port = self._target
        if host.startswith("/"):
            far_reader, line.far = await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        else:
            far_reader, line.far = await asyncio.open_connection(host, port)
        ways = (
            asyncio.ensure_future(self._carry(self._outward(reader, line.near), line.far, line)),
            asyncio.ensure_future(self._carry(self._homeward(far_reader), line.near, line)),
        )
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _carry(self, pieces: Pieces, to: asyncio.StreamWriter, line: _Line) -> None:
        async for piece in pieces:
            await asyncio.sleep(self._delay_seconds)
            await line.flowing.wait()
            to.write(piece)
            await to.drain()
        await line.flowing.wait()  # the end of a connection waits, too

    def _outward(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> Pieces:
        return _all_of(reader)

    def _homeward(self, reader: asyncio.StreamReader) -> Pieces:
        return _all_of(reader)


async def _all_of(reader: asyncio.StreamReader) -> Pieces:
    while piece := await reader.read(65536):
        yield piece


class PostgresWire(Wire):
    """A wire that understands PostgreSQL. `drop_notifications`: LISTEN works, but nothing is ever heard, as behind a
    pooler that gives each transaction another connection. `change_pids`: a client is told another pid than its
    session's, as by a pooler.

    It declines encryption in the server's name, for it must be able to read along.
    """

    drop_notifications = False
    change_pids = False

    async def _outward(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> Pieces:
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                head = await reader.readexactly(8)
                length, code = struct.unpack("!II", head)
                if code not in _ENCRYPTION_REQUESTS:
                    break
                near.write(b"N")
            yield head + await reader.readexactly(length - len(head))
            async for piece in _all_of(reader):
                yield piece

    async def _homeward(self, reader: asyncio.StreamReader) -> Pieces:
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                head = await reader.readexactly(5)
                body = await reader.readexactly(struct.unpack("!I", head[1:])[0] - 4)
                if self.change_pids and head[:1] == _KEY_DATA:
                    body = bytes([body[0] ^ 0x40]) + body[1:]
                if not (self.drop_notifications and head[:1] == _NOTIFICATION):
                    yield head + body


def wire_to(endpoint: str) -> Wire:
    """Leads to the host of that URL."""
    target = urlsplit(endpoint)
    if target.hostname is None or target.port is None:
        raise ValueError(f"no host and port in {endpoint}")
    return Wire(target.hostname, target.port)


def through(wire: Wire, endpoint: str) -> str:
    """The endpoint, reached through the wire."""
    return urlsplit(endpoint)._replace(netloc=f"{wire.host}:{wire.port}").geturl()
