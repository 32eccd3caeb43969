"""The ETL's process: its parts from the settings, its signals, its exit codes, and its sign of life.

It keeps no state, so a stop may come at any statement: the statement is cancelled at SierraDNA, and the session ended.
"""

import contextlib
import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path

from etl.backend import Backend
from etl.dna import SierraDna, parameters_of
from etl.errors import EtlError, RestartAsked
from etl.metrics import COUNTED, begin_metrics
from etl.plan import Rules
from etl.service import Etl, Sizes
from etl.troubles import Troubles
from runtime.etl_settings import EtlSettings, SierraDnaSettings
from runtime.logging import configure_logging
from runtime.metrics import metrics_served
from runtime.release import release
from runtime.sentry import configure_sentry
from runtime.stderr import exit_now

log = logging.getLogger("signum.etl")

LAST_SECONDS = 9.4
STALLED_SECONDS = 1200.0  # twice the longest pause


def run(settings: EtlSettings, show: Callable[[Etl], AbstractContextManager[None]]) -> int:
    """Run the process until it is told to stop. Return its exit code: 0 stopped as it was told, 4 a bug.

    `show` lets a person see what the ETL is doing.
    """
    configure_logging(settings.log_level, settings.log_format)
    configure_sentry(settings, "etl")
    _stop_on_signals()
    if settings.max_sync_delta_minutes is not None:
        log.warning("MAX_SYNC_DELTA_MINUTES is ignored: this ETL looks back as far as it is asked to")
    begin_metrics(settings.etl_quiet_hours)
    try:
        serving = metrics_served(settings.metrics_host, settings.etl_metrics_port, COUNTED)
        with made(settings) as etl, serving, show(etl):
            log.info("started", extra={"version": release(), "backend": settings.backend_url})
            _loop(etl, settings)
    except KeyboardInterrupt:
        log.info("stopped")
    except Exception:  # the last handler: without it the traceback would bypass the log's format, and Sentry
        log.exception("ended by our own error, please report it")
        return 4
    return 0


@contextlib.contextmanager
def made(settings: EtlSettings) -> Iterator[Etl]:
    """The ETL of these settings, connected to nothing yet."""
    key = settings.etl_client_api_key.get_secret_value()
    state_file = settings.etl_state_file and StateFile(Path(settings.etl_state_file))

    def rest(seconds: float) -> None:
        if state_file:
            state_file.touch()
        time.sleep(max(seconds, 0))

    with dna_of(settings, rest) as dna, Backend(settings.backend_url, key) as backend:
        sizes = Sizes(settings.etl_chunk_items, settings.etl_part_items)
        yield Etl(dna, backend, rules_of(settings), sizes, settings.etl_campus_code, rest)


def dna_of(settings: SierraDnaSettings, rest: Callable[[float], object] = time.sleep) -> SierraDna:
    """The connection to SierraDNA, which rests between its transactions."""
    return SierraDna(
        parameters_of(settings),
        timeout_seconds=settings.etl_statement_timeout_seconds,
        most_busy_share=settings.etl_most_busy_share,
        rest=rest,
    )


def rules_of(settings: EtlSettings) -> Rules:
    """The rules of what is done when."""
    return Rules(
        interval_seconds=settings.sync_job_interval_seconds,
        overlap=timedelta(seconds=settings.etl_overlap_seconds),
        deep_overlap=timedelta(seconds=settings.etl_deep_overlap_seconds),
        deep_interval_seconds=settings.etl_deep_interval_seconds,
        deletions_interval_seconds=settings.etl_deletions_interval_seconds,
        deletions_overlap=timedelta(days=settings.etl_deletions_overlap_days),
        pass_interval=timedelta(days=settings.etl_pass_days) if settings.etl_pass_days else None,
        pass_hours=settings.etl_pass_hours,
    )


class StateFile:
    """The file whose age tells whether the process gets on. One that can't be touched keeps no batch back."""

    def __init__(self, path: Path) -> None:
        self._path, self._is_told = path, False

    def touch(self) -> None:
        """Give it the age of now. Where that fails it is an ERROR, once until it can be done."""
        try:
            self._path.touch()
        except OSError as error:
            if not self._is_told:
                log.error(
                    "ETL_STATE_FILE %s can't be touched, so signum etl --check fails until its folder can be written "
                    "to: %s",
                    self._path,
                    error.strerror,
                )
            self._is_told = True
        else:
            self._is_told = False


def age_of_last_round(state_file: Path) -> float:
    """The seconds since the process that touches this file last ended a round. FileNotFoundError: none did."""
    return time.time() - state_file.stat().st_mtime


def _loop(etl: Etl, settings: EtlSettings) -> None:
    troubles = Troubles(settings.etl_quiet_hours)
    while True:
        pause = _round(etl, troubles, settings.sync_job_interval_seconds)
        etl.rest(pause)


def _round(etl: Etl, troubles: Troubles, interval_seconds: float) -> float:
    """Do one round. Return the pause after it."""
    try:
        step = etl.round()
    except RestartAsked as error:
        log.info("%s", error)
        return 0
    except EtlError as error:
        local = datetime.now().astimezone().time()
        level, pause = troubles.failed(error, time.monotonic(), local, interval_seconds)
        (log.error if level == logging.ERROR else log.warning)(
            "round failed, and is tried again in %d s: %s", pause, error
        )
        return pause
    if step.kind != "rest":
        troubles.succeeded()
    return step.rest_seconds


def _stop_on_signals() -> None:
    def stop(number: int, frame: object) -> None:
        signal.signal(number, lambda *_: exit_now(1))  # asked twice
        timer = threading.Timer(LAST_SECONDS, exit_now, [0])  # a silent connection can hold up an orderly end
        timer.daemon = True
        timer.start()
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
