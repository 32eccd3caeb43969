"""Where can Prometheus ask a process for its figures? At `/metrics` on a port of their own, answered by a thread.

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

ASKER_SECONDS = 10.0  # how long somebody may take to ask


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    figures: CollectorRegistry

    def handle_error(self, request: Any, client_address: Any) -> None:
        log.debug("whoever asked for metrics went away", exc_info=True)


class _Answer(BaseHTTPRequestHandler):
    timeout = ASKER_SECONDS

    def do_GET(self) -> None:
        if self.path.partition("?")[0] != "/metrics":
            self.send_error(404)
            return
        encode, content_type = choose_encoder(self.headers.get("Accept", ""))
        try:
            text = encode(cast(_Server, self.server).figures)
        except Exception:  # the outermost fence of this thread
            log.exception("metrics could not be told")
            self.send_error(500)
            return
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Say nothing: it is asked every few seconds."""


@contextlib.contextmanager
def metrics_served(host: str, port: int | None, *collectors: Collector) -> Iterator[int | None]:
    """Tell what the collectors have, meanwhile; on the port in the `as`. Without a port, or if it is taken, nothing."""
    if port is None:
        yield None
        return
    figures = CollectorRegistry()
    for collector in collectors:
        figures.register(collector)
    try:
        server = _Server((host, port), _Answer)
    except OSError as error:
        log.warning("metrics are not told, can't listen at %s:%s: %s", host, port, error)
        yield None
        return
    with server:
        server.figures = figures
        thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
