"""The ETL's metrics. docs/monitoring/README.md has the table."""

import time
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from runtime.etl_settings import is_within

COUNTED = CollectorRegistry()
_STATEMENT_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)

LAST_SUCCESS_AT = Gauge(
    "signum_etl_last_success_timestamp_seconds",
    "When the backend last took a batch, or the process started, Unix time",
    registry=COUNTED,
)  # fmt: skip
POSITION_LAG_SECONDS = Gauge(
    "signum_etl_position_lag_seconds", "From the position of the sync to SierraDNA's clock", registry=COUNTED
)
CLOCK_AHEAD_SECONDS = Gauge(
    "signum_etl_clock_ahead_seconds", "How far SierraDNA's clock is ahead of this machine's", registry=COUNTED
)
QUIET_HOURS = Gauge("signum_etl_quiet", "1 within ETL_QUIET_HOURS, else 0", registry=COUNTED)
LOOK_SECONDS = Gauge("signum_etl_look_seconds", "Time of SierraDNA's for the last look for changes", registry=COUNTED)
ITEMS_READ = Counter("signum_etl_items_read", "Items that were read from SierraDNA", registry=COUNTED)
ROWS_SENT = Counter("signum_etl_rows_sent", "Rows that the backend took", ["mode"], registry=COUNTED)
ROWS_WRITTEN = Counter("signum_etl_rows_written", "Those of them that changed something", ["mode"], registry=COUNTED)
STATEMENT_SECONDS = Histogram(
    "signum_etl_statement_seconds", "Time of a statement at SierraDNA",
    ["statement"], buckets=_STATEMENT_SECONDS, registry=COUNTED,
)  # fmt: skip
BUSY_SECONDS = Counter("signum_etl_busy_seconds", "Time that SierraDNA worked for the ETL", registry=COUNTED)
NO_PROPERTY = Counter(
    "signum_etl_items_without_property", "Items read that SierraDNA's indexing knows no barcode of", registry=COUNTED
)
AMBIGUOUS_CLASSES = Counter(
    "signum_etl_classes_ambiguous", "Bibs read whose 097 has several texts, of which the greatest is sent",
    registry=COUNTED,
)  # fmt: skip


def begin_metrics(quiet_hours: str | None) -> None:
    """Give the gauges their values at the start of the process."""
    LAST_SUCCESS_AT.set_to_current_time()
    QUIET_HOURS.set_function(lambda: is_within(quiet_hours, datetime.now().astimezone().time()))


def count_batch(mode: str, rows: int, written: int, clock: datetime, position: datetime) -> None:
    """Count a batch that the backend took. `clock` is SierraDNA's."""
    LAST_SUCCESS_AT.set(time.time())
    CLOCK_AHEAD_SECONDS.set((clock - datetime.now(UTC)).total_seconds())
    POSITION_LAG_SECONDS.set((clock - position).total_seconds())
    ROWS_SENT.labels(mode).inc(rows)
    ROWS_WRITTEN.labels(mode).inc(written)
