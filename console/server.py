"""The console's process: waits for the database, then serves on uvicorn until a signal."""

import contextlib
import socket

import uvicorn
from fastapi import FastAPI

from console.app import make_app
from db.schema.server_process import run_server
from runtime.console_settings import ConsoleSettings
from runtime.http_limits import BoundedConnection

STOP_SECONDS = 8  # for requests under way; the whole stop then takes less than 10


def run(settings: ConsoleSettings) -> int:
    """Serve until SIGTERM or Ctrl-C. Return the exit code, as run_server does."""
    return run_server("console", settings, lambda: _serve(settings))


def _serve(settings: ConsoleSettings) -> None:
    server = ConsoleServer(make_app(settings), settings)
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn has stopped in order, and raises the signal again
        server.run()


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
