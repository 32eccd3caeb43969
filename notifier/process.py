"""The notifier's process: its start, its signals, its exit codes."""

import asyncio
import gc
import logging
import os
import secrets
import signal
import socket

import sniffio
import uvloop

from db.connections import DatabaseUnavailable, connection_parameters, notifier_parameters
from db.pool import make_pool
from db.schema.startup import prepare_database
from notifier.config import client_of
from notifier.metrics import COUNTED, ConditionCollector
from notifier.service import Service
from runtime.logging import configure_logging
from runtime.metrics import metrics_served
from runtime.open_files import raise_limit_of_open_files
from runtime.release import release
from runtime.sentry import configure_sentry
from runtime.settings import NotifierSettings, SettingsError
from runtime.stderr import exit_now

log = logging.getLogger("signum.notifier")

NAME = "signum notifier"
POOL_SIZE = 4
LAST_SECONDS = 9.4  # and half a second for the log's last lines: within 10


def run(settings: NotifierSettings) -> int:
    """Run the process. Return its exit code: 0 stopped as it was told, 3 no database, 4 a bug."""
    configure_logging(settings.log_level, settings.log_format)
    configure_sentry(settings, "notifier")
    raise_limit_of_open_files()
    sniffio.current_async_library_cvar.set("asyncio")  # httpcore asks at each lock: Python 3.11 is slow to find out
    try:
        uvloop.run(serve(settings))
    except DatabaseUnavailable as error:
        log.error("no database at %s: %s", settings.database_address, error)
        return 3
    except SettingsError:
        raise
    except Exception:  # the last handler: without it the traceback would bypass the log's format, and Sentry
        log.exception("ended by our own error, please report it")
        return 4
    return 0


async def serve(settings: NotifierSettings) -> None:
    """Run one notifier until SIGTERM or SIGINT; a second one ends it at once. DatabaseUnavailable, SettingsError."""
    await prepare_database(connection_parameters(settings, NAME), migrate=settings.migrate_at_start)
    name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    async with client_of(settings) as sierra, make_pool(notifier_parameters(settings), POOL_SIZE) as pool:
        service = Service(settings, pool, sierra, name)
        _stop_on_signals(service)
        gc.collect()
        gc.freeze()  # objects loaded by now stay: a collection that looks through them again makes pushes wait
        about = {"version": release(), "notifier": name, "sierra": settings.sierra_api_endpoint}
        log.info("started", extra=about)
        condition = ConditionCollector(service.snapshot)
        with metrics_served(settings.metrics_host, settings.notifier_metrics_port, COUNTED, condition):
            await service.run()
        log.info("stopped", extra={"notifier": name})


def _stop_on_signals(service: Service) -> None:
    def stop() -> None:
        if service.wakeup.stopping:
            exit_now(1)  # asked twice: leases lapse by themselves
        log.info("stopping: finishing what is being written")
        service.wakeup.stop()
        # A connection that was cut silently can hold up an orderly end: leases lapse by themselves.
        asyncio.get_running_loop().call_later(LAST_SECONDS, exit_now, 0)

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
