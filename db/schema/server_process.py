"""The life of a process that serves HTTP, api or console: it waits for the database, then serves until a signal."""

import asyncio
import logging
import signal
from collections.abc import Callable

from db.connections import DatabaseUnavailable, connection_parameters
from db.schema.startup import prepare_database
from runtime.logging import configure_logging
from runtime.open_files import raise_limit_of_open_files
from runtime.release import release
from runtime.sentry import configure_sentry
from runtime.settings import DatabaseSettings


def run_server(name: str, settings: DatabaseSettings, serve: Callable[[], None]) -> int:
    """Have `serve` do its work until SIGTERM or Ctrl-C.

    Return the exit code: 0 stopped, 1 can't listen on that port, 3 the database does not answer, 4 a bug.
    """
    log = logging.getLogger(f"signum.{name}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # SIGTERM ends it as Ctrl-C does, even before it serves
    configure_logging(settings.log_level, settings.log_format)
    configure_sentry(settings, name)
    raise_limit_of_open_files()
    log.info("starting", extra={"version": release()})
    try:
        parameters = connection_parameters(settings, f"signum {name}")
        asyncio.run(prepare_database(parameters, migrate=settings.migrate_at_start))
        serve()
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
