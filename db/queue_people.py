"""The queue as a person steers it (retry, dismiss, pause, resume) and sees it (overview, detail, progress)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, TypedDict, Unpack

from psycopg.rows import dict_row

from db.queue import Connection
from runtime.statements import load

SQL = load("db", "queue_people")
Row = dict[str, Any]


class Chosen(TypedDict, total=False):
    """The items that meet every condition that is given.

    `reason` is a part of rejected items' reasons, `reason_code` their kind.
    """

    item_record_ids: Sequence[int] | None
    item_numbers: Sequence[str] | None
    barcodes: Sequence[str] | None
    reason: str | None
    reason_code: str | None


async def retry(connection: Connection, person: str, **chosen: Unpack[Chosen]) -> list[int]:
    """Queue rejected items anew. Return their ids. ValueError without a condition."""
    return await _choose(connection, "retry", {"person": person}, chosen)


async def dismiss(
    connection: Connection,
    person: str,
    late_seconds: float,
    asked_at: datetime | None = None,
    **chosen: Unpack[Chosen],
) -> list[int]:
    """Take items off the queue unpushed, and log it in the person's name. Return their ids. ValueError as in retry.

    Items in flight are left alone, those that were written without an answer within `late_seconds`, and those that
    were marked after `asked_at`.
    """
    others = {"person": person, "late_seconds": late_seconds, "asked_at": asked_at}
    return await _choose(connection, "dismiss", others, chosen)


async def _choose(connection: Connection, statement: str, others: Row, chosen: Chosen) -> list[int]:
    if all(condition is None for condition in chosen.values()):
        raise ValueError(f"{statement} needs items, or a reason")
    numbers, barcodes = (known and list(known) for known in (chosen.get("item_numbers"), chosen.get("barcodes")))
    named = {"item_record_ids": chosen.get("item_record_ids"), "item_numbers": numbers, "barcodes": barcodes}
    reasons = {"reason": chosen.get("reason"), "reason_code": chosen.get("reason_code")}
    cursor = await connection.execute(SQL[statement], {**others, **named, **reasons})
    return [row[0] for row in await cursor.fetchall()]


async def pause(
    connection: Connection,
    person: str,
    reason: str,
    *,
    span: timedelta | None = None,
    until: datetime | None = None,
    is_only: bool = False,
) -> Row | None:
    """Let nothing be claimed from now on. Return the pause as stored; None, with nothing done, if `until` has passed.

    Items claimed already are pushed. With neither `span` nor `until` the pause lasts until a person ends it. It takes
    the place of another; with `is_only` nothing is done if one is in force.
    """
    seconds = None if span is None else span.total_seconds()
    parameters = {"person": person, "reason": reason, "seconds": seconds, "until": until, "is_only": is_only}
    return next(iter(await _rows(connection, "pause", **parameters)), None)


async def resume(connection: Connection, paused_at: datetime | None = None) -> Row | None:
    """End the pause, or only the one of that time, and return it as it was; None if it is not in force."""
    return next(iter(await _rows(connection, "resume", paused_at=paused_at)), None)


async def read_progress(connection: Connection) -> Row:
    """The pause that is in force, and for how long the oldest item could have been claimed; None where is none."""
    (progress,) = await _rows(connection, "progress")
    return progress


async def overview(connection: Connection) -> list[Row]:
    """`state`, `items`, `oldest_age_seconds`, `next_try_at` of each of the four states."""
    return await _rows(connection, "overview")


async def detail(
    connection: Connection, state: str | None = None, limit: int = 100, reason_code: str | None = None
) -> list[Row]:
    """The queue's items with titles and reasons, the most urgent first."""
    return await _rows(connection, "detail", state=state, limit=limit, reason_code=reason_code)


async def _rows(connection: Connection, statement: str, **parameters: Any) -> list[Row]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(SQL[statement], parameters)
        return await cursor.fetchall()
