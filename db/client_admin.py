"""How does a client get its key, and how does it lose it? A key is shown once, when it is made; we keep its SHA-256."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from psycopg.rows import dict_row

from db.queue import Connection
from runtime.statements import load

SQL = load("db", "clients")

PREFIX_LENGTH = 8


@dataclass(frozen=True, slots=True)
class NewKey:
    """A client with the key that it has from now on: the only time that it is seen."""

    name: str
    type: str
    key: str


async def add_client(connection: Connection, name: str, client_type: str) -> NewKey | None:
    """Make a client and its key. None if a valid client has that name; a revoked one's name is given anew."""
    return await _give_key(connection, "add", name, type=client_type)


async def rotate_client(connection: Connection, name: str) -> NewKey | None:
    """Give a client a new key; the old one is refused at once. None if no valid client has that name."""
    return await _give_key(connection, "rotate", name)


async def revoke_client(connection: Connection, name: str) -> datetime | None:
    """Refuse a client's key from now on. The time since when it is; None if there is no such client."""
    row = await (await connection.execute(SQL["revoke"], {"name": name})).fetchone()
    return row[0] if row else None


async def list_clients(connection: Connection) -> list[dict[str, Any]]:
    """All clients by name, the revoked ones too."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(SQL["overview"])
        return await cursor.fetchall()


async def _give_key(connection: Connection, statement: str, name: str, **parameters: str) -> NewKey | None:
    key = "sig_" + secrets.token_urlsafe(32)
    stored = {"api_key_sha256": sha256(key.encode()).digest(), "api_key_prefix": key[:PREFIX_LENGTH]}
    cursor = await connection.execute(SQL[statement], {"name": name, **stored, **parameters})
    row = await cursor.fetchone()
    return NewKey(name, row[0], key) if row else None
