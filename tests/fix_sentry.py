"""A Sentry of our own: it takes envelopes over real HTTP, and shows what is in them."""

import gzip
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from typing import Any

import pytest


class Receiver(ThreadingHTTPServer):
    """A Sentry: what is sent to it lands in `envelopes`, uncompressed."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Take)
        self.envelopes: SimpleQueue[bytes] = SimpleQueue()

    @property
    def dsn(self) -> str:
        return f"http://publickey@127.0.0.1:{self.server_port}/1"

    def events(self) -> list[dict[str, Any]]:
        """The errors that have arrived since it was asked for what did."""
        return [event for event in self._arrived() if "level" in event]

    def transactions(self) -> list[dict[str, Any]]:
        """The transactions that have, which tell how long something took."""
        return [event for event in self._arrived() if event.get("type") == "transaction"]

    def _arrived(self) -> Iterator[dict[str, Any]]:
        while not self.envelopes.empty():
            lines = self.envelopes.get().split(b"\n")
            yield from (json.loads(line) for line in lines[1:] if b'"event_id"' in line)


class _Take(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert isinstance(self.server, Receiver)
        self.server.envelopes.put(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
