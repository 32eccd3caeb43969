"""The API as processes: they wait for the database, then serve on uvicorn, one or several, until told to stop."""

import asyncio
import logging
import multiprocessing
import os
import signal
import threading
from typing import Any

import uvicorn
from fastapi import FastAPI

from api.app import make_app
from api.http_limits import BoundedConnection
from api.metrics import told_to_prometheus
from db.connections import DatabaseUnavailable, connection_parameters
from db.schema.startup import prepare_database
from runtime.logging import configure_logging
from runtime.open_files import raise_limit_of_open_files
from runtime.release import release
from runtime.sentry import configure_sentry
from runtime.settings import ApiSettings, read_settings
from runtime.stderr import write_last_lines

log = logging.getLogger("signum.api")

STOP_SECONDS = 8  # for requests under way; with what follows it is over within 10
# Without a sign of life a worker is replaced. uvicorn's 5 are too few to start in on a busy machine.
WORKER_SECONDS = 20

# How uvicorn speaks. Its own access log is off: api/middleware.py has a line of its own, at DEBUG.
WIRE: dict[str, Any] = {
    "http": BoundedConnection,
    "headers": [("X-Content-Type-Options", "nosniff")],  # no browser is to guess what an answer is
    "server_header": False,
    "access_log": False,
    "log_config": None,
}


def run(settings: ApiSettings) -> int:
    """Serve until SIGTERM or Ctrl-C.

    The exit code: 0 stopped, 1 can't listen there, 3 the database does not answer, 4 a bug.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as Ctrl-C does, wherever it meets us
    configure_logging(settings.log_level, settings.log_format)
    configure_sentry(settings, "api")
    raise_limit_of_open_files()
    log.info("starting", extra={"version": release()})
    try:
        asyncio.run(_prepare(settings))
        with told_to_prometheus(settings):
            _serve(settings)
    except KeyboardInterrupt:  # before it served; uvicorn keeps to itself those that come later
        log.info("stopped before it served")
    except DatabaseUnavailable as error:
        log.error("gave up: %s", error)
        return 3
    except SystemExit:  # uvicorn's way to say that it could not start; it has said why
        return 1
    except Exception:  # the outermost fence: the log has it in its form, and Sentry hears of it
        log.exception("ended by our own error, please report it")
        return 4
    return 0


async def _prepare(settings: ApiSettings) -> None:
    await prepare_database(connection_parameters(settings, "signum api"), migrate=settings.migrate_at_start)


def _serve(settings: ApiSettings) -> None:
    # Several workers are processes that import the application for themselves, so they need a name to import.
    several = settings.api_workers > 1
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
    """The application in a worker process, which has only its environment to go by."""
    settings = read_settings(ApiSettings)
    configure_logging(settings.log_level, settings.log_format)
    configure_sentry(settings, "api")
    _write_out_at_the_last_line()
    threading.Thread(target=_stop_with_parent, name="parent", daemon=True).start()
    return make_app(settings)


def _write_out_at_the_last_line() -> None:
    """See that it comes at any LOG_LEVEL; the log itself still leaves out what is below."""
    uvicorns = logging.getLogger("uvicorn.error")
    uvicorns.setLevel(min(uvicorns.getEffectiveLevel(), logging.INFO))
    logging.getLogger().addHandler(_LastLine())


class _LastLine(logging.Handler):
    """Writes the log out at uvicorn's last line: it then ends a worker by the signal it got, without exit handlers."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.name == "uvicorn.error" and record.getMessage().startswith("Finished server process"):
            write_last_lines()


def _stop_with_parent() -> None:
    """Nobody would ever stop a worker whose parent was killed, and the next parent would find the port taken."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
