"""The process's metrics for Prometheus: `/metrics` on a port of its own, answered by a thread.

So they are never at the address that print stations use, need no key, and leave the process's event loop alone.
"""

import contextlib
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

log = logging.getLogger("signum.metrics")

REQUEST_SECONDS = 10.0  # the longest time for a request to arrive


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    registry: CollectorRegistry

    def handle_error(self, request: Any, client_address: Any) -> None:
        log.debug("a metrics client closed its connection", exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    timeout = REQUEST_SECONDS

    def do_GET(self) -> None:
        if self.path.partition("?")[0] != "/metrics":
            self.send_error(404)
            return
        encode, content_type = choose_encoder(self.headers.get("Accept", ""))
        try:
            text = encode(cast(_Server, self.server).registry)
        except Exception:  # the last handler of this thread
            log.exception("metrics request failed")
            self.send_error(500)
            return
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Log nothing: a request comes every few seconds."""


@contextlib.contextmanager
def metrics_served(host: str, port: int | None, *collectors: Collector) -> Iterator[int | None]:
    """Serve the collectors' metrics inside the `with`, which gives the port: None without a port, or if it is taken."""
    if port is None:
        yield None
        return
    registry = CollectorRegistry()
    for collector in collectors:
        registry.register(collector)
    try:
        server = _Server((host, port), _Handler)
    except OSError as error:
        log.warning("metrics disabled: cannot listen on %s:%s: %s", host, port, error)
        yield None
        return
    with server:
        server.registry = registry
        thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
