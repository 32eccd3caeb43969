"""The acts of people, by the console or by a command: a row each, written in the transaction of the act itself."""

from collections.abc import Mapping
from typing import Any, Literal

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from db.queue import Connection
from runtime.statements import load

SQL = load("db", "acts")


async def write_act(
    connection: Connection,
    person: str,
    action: str,
    target: Mapping[str, Any],
    number: int,
    result: str,
    *,
    through: Literal["console", "command"],
    os_user: str | None = None,
    reason: str | None = None,
) -> None:
    """Write what the person does in the transaction that is open: without it, act and row could be parted.

    `action` is in the words of the command, `target` the ids or the filter, `number` how many things were changed: 0 if
    it came to nothing. `result` says in a sentence what came of it.
    """
    given = {"person": person, "through": through, "os_user": os_user, "action": action, "target": Jsonb(dict(target))}
    await connection.execute(SQL["write"], {**given, "reason": reason, "number": number, "result": result})


async def read_acts(
    connection: Connection, limit: int = 100, *, before: int | None = None, person: str | None = None
) -> list[dict[str, Any]]:
    """The acts of people, the newest first: those before the one of that id, and of that person."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(SQL["read"], {"limit": limit, "before": before, "person": person})
        return await cursor.fetchall()


async def prune_acts(connection: Connection, days: int, limit: int = 5_000) -> int:
    """Delete acts older than `days`, `limit` rows at the most. Return how many were deleted."""
    return (await connection.execute(SQL["prune"], {"days": days, "limit": limit})).rowcount
