"""Who is it that calls? A client is known by the SHA-256 of its API key; the key itself is nowhere here."""

from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from sqlalchemy import ColumnElement, and_, bindparam, func, or_, update
from sqlmodel import col, select

from db.engine import Database
from db.models import Client, SyncState

ClientType = Literal["etl", "signum-printer"]

SEEN_EVERY = timedelta(seconds=5)  # how far behind last_seen_at may be: printers call every two seconds


def valid(client_type: ClientType) -> ColumnElement[bool]:
    """True of the client whose key hashes to the parameter `api_key_sha256`, if it may make this type's requests."""
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


class SyncTimes(NamedTuple):
    """Where the sync stands, as the print stations show it."""

    full_sync_completed_at: datetime | None
    initialized_at: datetime
    last_sync_run_completed_at: datetime | None
    sync_changes_since: datetime | None
    sync_mode: str


_FIND = select(*(col(getattr(Client, name)) for name in Known._fields)).where(
    col(Client.api_key_sha256) == bindparam("api_key_sha256")
)

_SEEN = (
    update(Client)
    .where(
        col(Client.client_id) == bindparam("known_id"),
        or_(
            col(Client.internal_hostname).is_distinct_from(bindparam("hostname")),
            col(Client.internal_ip_address).is_distinct_from(bindparam("ip_address")),
            col(Client.last_seen_at).is_(None),
            col(Client.last_seen_at) < func.now() - SEEN_EVERY,
        ),
    )
    .values(
        internal_hostname=bindparam("hostname"),
        internal_ip_address=bindparam("ip_address"),
        last_seen_at=func.now(),
    )
    .returning(col(Client.client_id))
    .cte("seen")
)

_REPORT = select(*(col(getattr(SyncState, name)) for name in SyncTimes._fields)).add_cte(_SEEN)


async def find_client(database: Database, key_sha256: bytes) -> Known | None:
    """The client with this key, also one that was revoked; None if the key is nobody's."""
    rows = await database.fetch(_FIND, {"api_key_sha256": key_sha256})
    return Known._make(rows[0]) if rows else None


async def report_status(database: Database, client_id: int, hostname: str | None, ip_address: str | None) -> SyncTimes:
    """Note where the client is and that it was seen, and tell it where the sync stands.

    The note is left out where it would change nothing but the time, by less than SEEN_EVERY.
    """
    parameters = {"known_id": client_id, "hostname": hostname, "ip_address": ip_address}
    (row,) = await database.fetch(_REPORT, parameters, may_wait=True)
    return SyncTimes._make(row)
