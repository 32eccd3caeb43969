"""History as a person filters it: a page of outcomes, and pushes that are to be undone, with a preview."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import dict_row

from db.queue import Connection
from runtime.statements import load

SQL = load("db", "history_filter")
Row = dict[str, Any]

PORTION = 1_000  # rows that are fetched at once for a download
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


async def choose_rows(
    connection: Connection, wanted: HistoryFilter, before: int | None = None, limit: int | None = None
) -> list[int]:
    """The ids of the rows, the newest first, older than `before`; all of them without a limit."""
    given = {**asdict(wanted), "before": before, "limit": limit}
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
