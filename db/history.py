"""The history of updates, and reverts. A function per statement of db/sql/history.sql.

A revert is a row of the queue that names a row of history. It is pushed as any other, with that row's call numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from psycopg.rows import class_row, dict_row

from db.queue import Claim, Connection
from runtime.statements import load

SQL = load("db", "history")


@dataclass(frozen=True, slots=True)
class Revert:
    """A row of history that was to be undone, and whether that is `queued` now: its item was not, and it can be."""

    update_log_id: int
    item_number: str | None
    barcode: str | None
    outcome: str
    call_number_before: str | None
    call_number_after: str | None
    in_catalogue: bool
    queued: bool


async def read_history(connection: Connection, barcode: str, limit: int = 100) -> list[dict[str, Any]]:
    """The outcomes of a barcode's updates, newest first."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(SQL["history"], {"barcode": barcode, "limit": limit})
        return await cursor.fetchall()


async def read_not_shown(connection: Connection, limit: int | None = None) -> list[dict[str, Any]]:
    """Pushes that SierraDNA does not show, the oldest first: `state` says whether the item has changed since."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(SQL["not_shown"], {"limit": limit})
        return await cursor.fetchall()


async def queue_reverts(connection: Connection, person: str, update_log_ids: Sequence[int]) -> list[Revert]:
    """Queue the reverts of these pushes, where possible, in a person's name. Unknown ids are left out of the answer."""
    async with connection.cursor(row_factory=class_row(Revert)) as cursor:
        await cursor.execute(SQL["revert"], {"person": person, "ids": list(update_log_ids)})
        return await cursor.fetchall()


async def look_up_undone(connection: Connection, claims: list[Claim]) -> list[Claim]:
    """The claims, with call numbers of the undone pushes added to reverts. No statement is sent if there are none."""
    reverts = [claim for claim in claims if claim.revert_of is not None]
    if not reverts:
        return claims
    named = {"ids": [one.revert_of for one in reverts], "item_record_ids": [one.item_record_id for one in reverts]}
    cursor = await connection.execute(SQL["undone"], named)
    undone = {item: {"undone_before": before, "undone_after": after} for item, before, after in await cursor.fetchall()}
    return [replace(claim, **undone.get(claim.item_record_id, {})) for claim in claims]


async def prune_history(connection: Connection, days: int, limit: int = 5_000) -> int:
    """Delete history older than `days`, `limit` rows at the most. Return how many were deleted."""
    return (await connection.execute(SQL["prune"], {"days": days, "limit": limit})).rowcount
