"""The api's processes: wait for the database, then serve on uvicorn, in one process or several, until a signal."""

import logging
import multiprocessing
import os
import signal
import threading
from functools import partial
from typing import Any

import uvicorn
from fastapi import FastAPI

from api.app import make_app
from api.metrics import api_metrics_served
from db.schema.server_process import run_server
from runtime.http_limits import BoundedConnection
from runtime.logging import configure_logging
from runtime.sentry import configure_sentry
from runtime.settings import ApiSettings, read_settings
from runtime.stderr import write_last_lines

STOP_SECONDS = 8  # for requests under way; the whole stop then takes less than 10
# A worker that is silent for so long is replaced. On a busy machine its start takes more than uvicorn's 5.
WORKER_SECONDS = 20

# How uvicorn speaks HTTP. Its access log is off: api/middleware.py logs each request, at DEBUG.
WIRE: dict[str, Any] = {
    "http": BoundedConnection,
    "headers": [("X-Content-Type-Options", "nosniff")],  # browsers must not guess what an answer is
    "server_header": False,
    "access_log": False,
    "log_config": None,
}


def run(settings: ApiSettings) -> int:
    """Serve until SIGTERM or Ctrl-C. Return the exit code, as run_server does."""
    return run_server("api", settings, partial(_serve, settings))


def _serve(settings: ApiSettings) -> None:
    # Each of several workers is a process that imports the application itself, by this name.
    several = settings.api_workers > 1
    with api_metrics_served(settings):
        uvicorn.run(
            "api.server:make_worker" if several else make_app(settings),
            factory=several,
            workers=settings.api_workers,
            host=settings.api_host,
            port=settings.api_port,
            root_path=settings.api_root_path.rstrip("/"),
            proxy_headers=True,
            forwarded_allow_ips=settings.api_forwarded_allow_ips,
            timeout_graceful_shutdown=STOP_SECONDS,
            timeout_worker_healthcheck=WORKER_SECONDS,
            **WIRE,
        )


def make_worker() -> FastAPI:
    """Return the application of a worker process, which knows the settings from its environment only."""
    settings = read_settings(ApiSettings)
    configure_logging(settings.log_level, settings.log_format)
    configure_sentry(settings, "api")
    _flush_log_at_last_line()
    threading.Thread(target=_stop_with_parent, name="parent", daemon=True).start()
    return make_app(settings)


def _flush_log_at_last_line() -> None:
    """Flush the log when uvicorn logs its last line, which is at INFO: its logger must pass it on at any LOG_LEVEL."""
    uvicorn_log = logging.getLogger("uvicorn.error")
    uvicorn_log.setLevel(min(uvicorn_log.getEffectiveLevel(), logging.INFO))
    logging.getLogger().addHandler(_FlushAtLastLine())


class _FlushAtLastLine(logging.Handler):
    """Handler that flushes the log: a worker then ends by the signal it got, which runs no exit handlers."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.name == "uvicorn.error" and record.getMessage().startswith("Finished server process"):
            write_last_lines()


def _stop_with_parent() -> None:
    """Stop this worker when its parent has ended: else nothing would, and the next parent would find the port taken."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
