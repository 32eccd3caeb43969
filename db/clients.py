"""The API's clients: their key checks, their reports, and how a person adds, rotates and revokes them.

Only the SHA-256 of a key is stored. The key itself is shown once, when it is made.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Literal, NamedTuple

from psycopg.rows import dict_row
from sqlalchemy import (
    ColumnElement,
    Double,
    LargeBinary,
    and_,
    bindparam,
    column,
    func,
    literal,
    or_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import col, select

from db.compiled import compile_statement
from db.models import Client, SyncState
from db.queue import Connection
from db.requests import Database
from runtime.statements import load

SQL = load("db", "clients")

ClientType = Literal["etl", "signum-printer"]

PREFIX_LENGTH = 8  # characters of a key that are kept readable, to tell keys apart
SEEN_EVERY = timedelta(seconds=5)  # how often last_seen_at is written: print stations call every two seconds


def valid(client_type: ClientType) -> ColumnElement[bool]:
    """The condition that the client has the key of the parameter `api_key_sha256`, has this type and is not revoked."""
    return and_(
        col(Client.api_key_sha256) == bindparam("api_key_sha256"),
        col(Client.client_type) == client_type,
        col(Client.revoked_at).is_(None),
    )


class Known(NamedTuple):
    """A client, whether its key is valid or not."""

    client_id: int
    client_name: str
    client_type: str
    api_key_prefix: str
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewKey:
    """A client with its new key; nothing shows the key again."""

    name: str
    type: str
    key: str


class SyncTimes(NamedTuple):
    """The state of the sync, as the print stations show it."""

    full_sync_completed_at: datetime | None
    initialized_at: datetime
    last_sync_run_completed_at: datetime | None
    sync_changes_since: datetime | None
    sync_mode: str


FIND = compile_statement(
    select(*(col(getattr(Client, name)) for name in Known._fields)).where(
        col(Client.api_key_sha256) == bindparam("api_key_sha256")
    )
)

_MOVED = (
    update(Client)
    .where(
        col(Client.client_id) == bindparam("known_id"),
        or_(
            col(Client.internal_hostname).is_distinct_from(bindparam("hostname")),
            col(Client.internal_ip_address).is_distinct_from(bindparam("ip_address")),
        ),
    )
    .values(
        internal_hostname=bindparam("hostname"),
        internal_ip_address=bindparam("ip_address"),
        last_seen_at=func.now(),
    )
    .returning(col(Client.client_id))
    .cte("moved")
)

REPORT = compile_statement(select(*(col(getattr(SyncState, name)) for name in SyncTimes._fields)).add_cte(_MOVED))

_NOTED = (
    func.unnest(bindparam("keys_sha256", type_=ARRAY(LargeBinary)), bindparam("seconds_ago", type_=ARRAY(Double)))
    .table_valued(column("api_key_sha256", LargeBinary), column("seconds_ago", Double))
    .render_derived(name="noted")
)
_SEEN_AT = func.now() - _NOTED.c.seconds_ago * literal(timedelta(seconds=1))

# Rows are locked in one order and never waited for: another api process or a person may hold one. Rows that are not far
# behind are left alone, or each of several api processes would write them.
_SEEN = (
    select(col(Client.client_id), _SEEN_AT.label("seen_at"))
    .join(_NOTED, _NOTED.c.api_key_sha256 == col(Client.api_key_sha256))
    .where(
        col(Client.revoked_at).is_(None),
        or_(col(Client.last_seen_at).is_(None), col(Client.last_seen_at) < _SEEN_AT - SEEN_EVERY),
    )
    .order_by(col(Client.client_id))
    .with_for_update(of=Client, key_share=True, skip_locked=True)
    .cte("seen")
)
WRITE_SEEN = compile_statement(
    update(Client)
    .where(col(Client.client_id) == _SEEN.c.client_id)
    .values(last_seen_at=_SEEN.c.seen_at)
    .returning(col(Client.client_id))
)


async def find_client(database: Database, key_sha256: bytes) -> Known | None:
    """The client with this key, also one that was revoked; None if no client has the key."""
    rows = await database.fetch(FIND, {"api_key_sha256": key_sha256})
    return Known._make(rows[0]) if rows else None


async def report_status(database: Database, client_id: int, hostname: str | None, ip_address: str | None) -> SyncTimes:
    """Store the client's host name and address, if they are new, and return the state of the sync."""
    parameters = {"known_id": client_id, "hostname": hostname, "ip_address": ip_address}
    (row,) = await database.fetch(REPORT, parameters, writes=True)
    return SyncTimes._make(row)


async def write_seen(database: Database, seconds_ago: Mapping[bytes, float]) -> None:
    """Set last_seen_at of the clients with these keys, each so many seconds ago. Leave revoked ones alone."""
    parameters = {"keys_sha256": list(seconds_ago), "seconds_ago": list(seconds_ago.values())}
    await database.fetch(WRITE_SEEN, parameters, writes=True)


async def add_client(connection: Connection, name: str, client_type: str) -> NewKey | None:
    """Make a client and its key. None if a valid client has that name; a revoked one's name can be reused."""
    return await _give_key(connection, "add", name, type=client_type)


async def rotate_client(connection: Connection, name: str) -> NewKey | None:
    """Give a client a new key; the old one is refused at once. None if no valid client has that name."""
    return await _give_key(connection, "rotate", name)


async def revoke_client(connection: Connection, name: str) -> datetime | None:
    """Refuse a client's key from now on. Return since when; None if there is no such client."""
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
