"""The console's process: waits for the database, then serves on uvicorn until a signal."""

import asyncio
import logging
import signal
import socket

import uvicorn
from fastapi import FastAPI

from console.app import make_app
from db.connections import DatabaseUnavailable, connection_parameters
from db.schema.startup import prepare_database
from runtime.console_settings import ConsoleSettings
from runtime.http_limits import BoundedConnection
from runtime.logging import configure_logging
from runtime.open_files import raise_limit_of_open_files
from runtime.release import release
from runtime.sentry import configure_sentry

log = logging.getLogger("signum.console")

STOP_SECONDS = 8  # for requests under way; the whole stop then takes less than 10


def run(settings: ConsoleSettings) -> int:
    """Serve until SIGTERM or Ctrl-C.

    Return the exit code: 0 stopped, 1 can't listen on that port, 3 the database does not answer, 4 a bug.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # SIGTERM ends it as Ctrl-C does, even before it serves
    configure_logging(settings.log_level, settings.log_format)
    configure_sentry(settings, "console")
    raise_limit_of_open_files()
    log.info("starting", extra={"version": release()})
    try:
        asyncio.run(_prepare(settings))
        ConsoleServer(make_app(settings), settings).run()
    except KeyboardInterrupt:  # before it served: uvicorn handles later ones itself
        log.info("stopped before it served")
    except DatabaseUnavailable as error:
        log.error("gave up: %s", error)
        return 3
    except SystemExit:  # uvicorn could not start, and has logged why
        return 1
    except Exception:  # a bug: logged in LOG_FORMAT and sent to Sentry, rather than a traceback of Python's
        log.exception("ended by our own error, please report it")
        return 4
    return 0


async def _prepare(settings: ConsoleSettings) -> None:
    await prepare_database(connection_parameters(settings, "signum console"), migrate=settings.migrate_at_start)


class ConsoleServer(uvicorn.Server):
    """uvicorn's server, which first ends the events of open pages: they would last as long as the pages."""

    def __init__(self, app: FastAPI, settings: ConsoleSettings) -> None:
        """Bind the application to its address, with the api's limits on slow and oversized clients."""
        self._app = app
        super().__init__(
            uvicorn.Config(
                app,
                host=settings.console_host,
                port=settings.console_port,
                root_path=settings.console_root_path.rstrip("/"),
                http=BoundedConnection,
                proxy_headers=False,  # console/proxy.py reads them
                timeout_graceful_shutdown=STOP_SECONDS,
                server_header=False,
                access_log=False,
                log_config=None,
            )
        )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop."""
        self._app.state.refresher.stop()
        await super().shutdown(sockets)
