"""How full is the queue, how old is the catalogue, who goes round? What monitoring asks the database."""

from dataclasses import dataclass
from typing import Any

import psycopg

from db.connections import Parameters
from runtime.statements import load

SQL = load("db", "monitoring")


@dataclass(frozen=True, slots=True)
class Figures:
    """The database's own figures; the same whichever process asks."""

    queue: list[tuple[str, int, float]]  # state, items, seconds that the oldest has been due
    notifiers: list[tuple[str, int]]  # mode, how many
    is_paused: bool
    last_batch_at: float | None  # Unix time; None: none yet
    has_gap: bool
    rejected_rows: int


def read_figures(parameters: Parameters) -> Figures:
    """The figures of now, over a connection that is made for them. Raises psycopg.Error where they can't be had."""
    with psycopg.connect(**parameters, autocommit=True) as connection:  # type: ignore[arg-type]

        def rows(statement: str) -> list[tuple[Any, ...]]:
            return connection.execute(SQL[statement]).fetchall()

        ((last_batch_at, has_gap, rejected_rows),) = rows("sync")
        ((is_paused,),) = rows("pause")
        return Figures(rows("queue"), rows("notifiers"), is_paused, last_batch_at, has_gap, rejected_rows)
