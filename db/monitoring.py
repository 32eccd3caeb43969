"""The database's part of the metrics: the queue, the notifiers and the sync, as Prometheus asks for them."""

from dataclasses import dataclass
from typing import Any

from db.connections import Parameters, connect
from runtime.statements import load

SQL = load("db", "monitoring")


@dataclass(frozen=True, slots=True)
class DatabaseMetrics:
    """The database's metrics; the same in every process."""

    queue: list[tuple[str, int, float]]  # state, items, seconds that the oldest has been due
    rejected: list[tuple[str, int]]  # reason, items
    notifiers: list[tuple[str, int]]  # mode, how many
    is_paused: bool
    last_batch_at: float | None  # Unix time; None: none yet
    behind_seconds: float | None
    has_gap: bool
    rejected_rows: int
    deletions_held: int
    not_shown: int


def read_metrics(parameters: Parameters) -> DatabaseMetrics:
    """The metrics of now, read over a connection of their own. Raises psycopg.Error if the database is away."""
    with connect(parameters, autocommit=True) as connection:

        def rows(statement: str) -> list[tuple[Any, ...]]:
            return connection.execute(SQL[statement]).fetchall()

        ((last_batch_at, behind_seconds, has_gap, rejected_rows, held),) = rows("sync")
        ((is_paused,),) = rows("pause")
        ((not_shown,),) = rows("not_shown")
        return DatabaseMetrics(
            rows("queue"),
            rows("rejected"),
            rows("notifiers"),
            is_paused,
            last_batch_at,
            behind_seconds,
            has_gap,
            rejected_rows,
            held,
            not_shown,
        )
