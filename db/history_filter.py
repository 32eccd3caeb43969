"""History as a person filters it: a page of outcomes, and pushes that are to be undone, with a preview."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, cast

from psycopg.rows import dict_row

from db.queue import Connection
from runtime.statements import load

SQL = load("db", "history_filter")
Row = dict[str, Any]

PORTION = 1_000  # rows that are fetched at once for a download
MOST_LOOKED = 100_000  # rows that a page looks through, so that it answers in time also where few or none match
KINDS = (
    *("to undo", "changed", "queued", "older push", "no push", "nothing to undo"),
    *("no call number before", "not in the catalogue"),
)


@dataclass(frozen=True, slots=True)
class HistoryFilter:
    """Conditions that a row of history meets, each that is not None. `person` marked it or ended it."""

    finished_from: datetime | None = None
    finished_until: datetime | None = None
    outcome: str | None = None
    reason_code: str | None = None
    person: str | None = None
    barcode: str | None = None
    update_log_ids: Sequence[int] | None = None
    asked_at: datetime | None = None


async def look_for_rows(
    connection: Connection, wanted: HistoryFilter, before: int | None, limit: int
) -> tuple[list[int], int | None]:
    """The newest ids before one, and the id before which the next look begins; None: there are no more.

    One look goes through MOST_LOOKED rows, from the end of the wanted days on. A barcode has an index.
    """
    since, goes_on = None, False
    if before is None and wanted.finished_until:
        before = await _find_end(connection, wanted.finished_until)
    if wanted != HistoryFilter() and not wanted.barcode:
        given = {"before": before, "others": MOST_LOOKED - 1, "finished_from": wanted.finished_from}
        cursor = await connection.execute(SQL["look_since"], given, prepare=False)
        since, goes_on = await cursor.fetchone() or (None, False)
    ids = await choose_rows(connection, wanted, before, limit, since)
    if len(ids) == limit:
        return ids, ids[-1]
    return ids, since if goes_on else None


async def _find_end(connection: Connection, until: datetime) -> int | None:
    """The number behind the last row before that time; None where the month before it has no row."""
    for days in (1, 7, 31):  # most days have rows, and a week has many
        cursor = await connection.execute(SQL["end_of_days"], {"until": until, "days": days}, prepare=False)
        ((end,),) = await cursor.fetchall()
        if end is not None:
            return cast("int", end)
    return None


async def choose_rows(
    connection: Connection,
    wanted: HistoryFilter,
    before: int | None = None,
    limit: int | None = None,
    since: int | None = None,
) -> list[int]:
    """The ids of the rows, the newest first, older than `before` down to `since`; all of them without a limit."""
    given = {**asdict(wanted), "before": before, "since": since, "limit": limit}
    cursor = await connection.execute(SQL["choose"], given, prepare=False)
    return [row[0] for row in await cursor.fetchall()]


async def show_rows(connection: Connection, update_log_ids: Sequence[int]) -> list[Row]:
    """These rows as update_history shows them, the newest first."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(SQL["show"], {"update_log_ids": list(update_log_ids)})
        return await cursor.fetchall()


async def preview_reverts(connection: Connection, update_log_ids: Sequence[int]) -> dict[str, int]:
    """The number of these pushes by what would come of having them undone: KINDS has the words."""
    cursor = await connection.execute(SQL["preview_reverts"], {"update_log_ids": list(update_log_ids)})
    found = dict(await cursor.fetchall())
    return {kind: found.get(kind, 0) for kind in KINDS}
