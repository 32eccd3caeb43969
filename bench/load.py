"""Loads a server with plain HTTP/1.1 requests, as lightly as Python can: requests a second, and each one's time."""

import asyncio
import functools
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import uvloop

from bench.figures import quantile


@dataclass(slots=True)
class Load:
    """The answers of a load. `errors` counts those that are not 200."""

    seconds: float = 0.0
    milliseconds: list[float] = field(default_factory=list)
    errors: int = 0

    @property
    def per_second(self) -> float:
        """The rate of answered requests."""
        return len(self.milliseconds) / self.seconds

    @property
    def p99(self) -> float:
        """The milliseconds that 99 of 100 answers took at most."""
        return quantile(self.milliseconds, 0.99)


class _Connection(asyncio.Protocol):
    """Sends the next request as soon as the last is answered. Answers have a Content-Length and no more."""

    def __init__(self, load: Load, next_request: Callable[[], bytes]) -> None:
        self._load, self._next_request = load, next_request
        self._got = b""
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._send()

    def _send(self) -> None:
        self._sent_at = time.perf_counter()
        self._transport.write(self._next_request())

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, found, body = self._got.partition(b"\r\n\r\n")
        if not found or len(body) < int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]):
            return
        self._load.milliseconds.append((time.perf_counter() - self._sent_at) * 1000)
        self._load.errors += not head.startswith(b"HTTP/1.1 200")
        self._got = b""
        self._send()


def press(url: str, method: str, key: str, paths: Callable[[], str], connections: int, seconds: float) -> Load:
    """Send requests on `connections` at once, one after the other on each."""
    host, _, port = url.removeprefix("http://").partition(":")

    def request() -> bytes:
        return f"{method} {paths()} HTTP/1.1\r\nHost: {host}\r\nx-api-key: {key}\r\nContent-Length: 0\r\n\r\n".encode()

    async def run() -> Load:
        load = Load()
        loop = asyncio.get_running_loop()
        transports = [
            (await loop.create_connection(lambda: _Connection(load, request), host, int(port)))[0]
            for _ in range(connections)
        ]
        await asyncio.sleep(seconds / 5)  # warm
        load.milliseconds.clear()
        began = time.perf_counter()
        await asyncio.sleep(seconds)
        load.seconds = time.perf_counter() - began
        for transport in transports:
            transport.abort()
        return load

    return uvloop.run(run())


def any_of(prefix: str, first: int, count: int) -> Callable[[], str]:
    """Paths that end with a random number of `count` from `first` on. They can be sent to another process."""
    return functools.partial(_any_of, prefix, first, count)


def _any_of(prefix: str, first: int, count: int) -> str:
    return f"{prefix}{random.randrange(first, first + count)}"
