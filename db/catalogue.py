"""The catalogue as the console shows it: refused rows and held deletions. A function per statement of its SQL."""

from typing import Any

from psycopg.rows import dict_row

from db.queue import Connection
from runtime.statements import load

SQL = load("db", "catalogue")


async def count_refused_rows(connection: Connection) -> list[dict[str, Any]]:
    """The newest 10,000 refused rows by kind of reason, the most first."""
    return await _read(connection, "refused_by_reason")


async def read_refused_rows(connection: Connection, reason_code: str, limit: int) -> list[dict[str, Any]]:
    """The newest refused rows of one kind of reason."""
    return await _read(connection, "refused_rows", reason_code=reason_code, limit=limit)


async def read_held_deletions(connection: Connection) -> list[dict[str, Any]]:
    """The deletions that wait for a person, by day."""
    return await _read(connection, "held_deletions")


async def _read(connection: Connection, statement: str, **parameters: Any) -> list[dict[str, Any]]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(SQL[statement], parameters)
        return await cursor.fetchall()
