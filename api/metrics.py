"""The api's metrics: requests and batches, counted here, and the database's figures on queue and sync.

Several workers count into files of one folder, which are added up when Prometheus asks. The database's figures are the
same whichever api is asked. docs/monitoring/README.md has the table.
"""

import contextlib
import logging
import os
import tempfile
from collections.abc import Iterator

import psycopg
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from starlette.types import Scope

from api.ingest.protocol import Result
from db.connections import connection_parameters, one_line
from db.monitoring import DatabaseMetrics, read_metrics
from db.reasons import REASON_CODES
from runtime.metrics import metrics_served
from runtime.settings import ApiSettings

log = logging.getLogger("signum.metrics")

COUNTED = CollectorRegistry()

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_BATCH_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 60, 110)
_BATCH_ROWS = (0, 1, 10, 100, 1_000, 10_000, 20_000, 40_000, 80_000)
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

_requests = Counter(
    "signum_http_requests", "Requests answered, by route and status", ["method", "route", "status"], registry=COUNTED
)
_request_seconds = Histogram(
    "signum_http_request_seconds", "From a request's head to the end of its answer", ["method", "route"],
    buckets=_SECONDS, registry=COUNTED,
)  # fmt: skip
_batch_seconds = Histogram(
    "signum_batch_seconds", "From a batch's first byte to its result, by result", ["result"],
    buckets=_BATCH_SECONDS, registry=COUNTED,
)  # fmt: skip
_batch_size = Histogram(
    "signum_batch_size_rows", "Rows of the batches that were taken in", buckets=_BATCH_ROWS, registry=COUNTED
)
_rows = Counter("signum_batch_rows", "Rows of the batches that were taken in, by result", ["result"], registry=COUNTED)

# Saves two calls of labels() per request. It has no more entries than there are series.
_of_request: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}


def count_request(scope: Scope, status: int, seconds: float) -> None:
    """Count a request that was answered, by its route's template: a path must not make a series of its own."""
    method = scope["method"] if scope["method"] in _METHODS else "other"
    route = getattr(scope.get("route"), "path_format", "none").rstrip("/") or "/"
    found = _of_request.get((method, route, status))
    if found is None:
        found = _requests.labels(method, route, status), _request_seconds.labels(method, route)
        _of_request[method, route, status] = found
    found[0].inc()
    found[1].observe(seconds)


def count_batch(result: Result, seconds: float) -> None:
    """Count a batch and, if it was taken in, its rows."""
    _batch_seconds.labels(result.kind).observe(seconds)
    if result.kind == "taken":
        _batch_size.observe(result.received)
        _rows.labels("written").inc(result.written)
        _rows.labels("unchanged").inc(result.received - result.rejected - result.written)
        _rows.labels("rejected").inc(result.rejected)


@contextlib.contextmanager
def api_metrics_served(settings: ApiSettings) -> Iterator[int | None]:
    """Serve the metrics of this process, or of the workers that it starts. Yield the port, None without one."""
    database = DatabaseCollector(settings)
    with contextlib.ExitStack() as stack:
        counted: Collector = COUNTED
        if settings.api_metrics_port is not None and settings.api_workers > 1:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="signum-metrics-"))
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder  # for the workers: the library reads it nowhere else
            counted = MultiProcessCollector(None, folder)  # type: ignore[no-untyped-call]
        yield stack.enter_context(metrics_served(settings.metrics_host, settings.api_metrics_port, counted, database))


class DatabaseCollector(Collector):
    """A collector that asks the database each time Prometheus asks it."""

    def __init__(self, settings: ApiSettings) -> None:
        # A million items take a second or two to count; Prometheus waits ten.
        self._parameters = connection_parameters(settings, "signum metrics", statement_timeout=8_000)
        self._problem: str | None = None

    def _warn_once(self, problem: str) -> None:
        """Log the problem if it is another than the last time: Prometheus asks every few seconds."""
        if problem != self._problem:
            log.warning("metrics lack the database's figures: %s", problem)
        self._problem = problem

    def collect(self) -> Iterator[Metric]:
        """Yield the database's figures, or only that it is away."""
        try:
            figures = read_metrics(self._parameters)
        except psycopg.Error as error:
            self._warn_once(one_line(error))
            figures = None
        else:
            self._problem = None
        yield _gauge("signum_database_up", "1 if the database tells the figures below, else 0", figures is not None)
        if figures is not None:
            yield from _families(figures)


def _families(figures: DatabaseMetrics) -> Iterator[Metric]:
    items = GaugeMetricFamily("signum_queue_items", "Items in the queue, by state", labels=["state"])
    ages = GaugeMetricFamily(
        "signum_queue_oldest_age_seconds", "How long the oldest item has been due, by state", labels=["state"]
    )
    for state, count, age in figures.queue:
        items.add_metric([state], count)
        if state in ("waiting", "in flight"):  # items in other states are not due
            ages.add_metric([state], age)
    rejected = GaugeMetricFamily("signum_rejected_items", "Items that wait for a person, by reason", labels=["reason"])
    counts: dict[str, int] = {**dict.fromkeys(REASON_CODES, 0), **dict(figures.rejected)}
    for reason, count in counts.items():
        rejected.add_metric([reason], count)
    notifiers = GaugeMetricFamily("signum_notifiers", "Notifiers seen within 30 s, by mode", labels=["mode"])
    for mode, count in figures.notifiers:
        notifiers.add_metric([mode], count)
    yield from (items, ages, rejected, notifiers)
    yield _gauge("signum_queue_paused", "1 while pushes are paused by a person, else 0", figures.is_paused)
    if figures.last_batch_at is not None:
        help_text = "When the last batch was taken in, Unix time; missing before the first"
        yield _gauge("signum_sync_last_batch_timestamp_seconds", help_text, figures.last_batch_at)
    if figures.behind_seconds is not None:
        help_text = (
            "How far changes are behind Sierra, or for how long a full sync has not gone on; missing before the first"
        )
        yield _gauge("signum_sync_behind_seconds", help_text, figures.behind_seconds)
    yield _gauge(
        "signum_sync_gap", "1 while changes are missing that no full sync is bringing, else 0", figures.has_gap
    )
    yield _gauge("signum_sync_rejected_rows", "Rows of the ETL that are kept aside", figures.rejected_rows)
    yield _gauge("signum_sync_deletions_held", "Items whose deletion waits for a person", figures.deletions_held)
    yield _gauge("signum_not_shown_items", "Items whose push SierraDNA does not show", figures.not_shown)


def _gauge(name: str, help_text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help_text, value=value)
