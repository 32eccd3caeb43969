"""The check of `x-api-key`: 401 without the header, 403 if its key is unknown, revoked or of the other type.

The log says which of these it was, the answer does not. Keys are compared by their SHA-256, and never logged.
"""

import logging
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated

from fastapi import Depends, HTTPException, Request, Security
from fastapi.security import APIKeyHeader
from starlette.requests import HTTPConnection

from api.last_seen import LastSeen
from api.problems import PATH_IN_LOG
from api.repeats import REPEATS_SECONDS, Repeats
from db.clients import ClientType, Known, find_client
from db.requests import Database

log = logging.getLogger("signum.api")

MOST_SHOWN = 8  # characters of a key in the log, of 47


@dataclass(frozen=True, slots=True)
class Key:
    """The key of a request: its hash, and the first characters, by which people may recognise it."""

    sha256: bytes
    shown: str


class _KeyHeader(APIKeyHeader):
    async def __call__(self, request: HTTPConnection) -> Key:  # type: ignore[override]
        text = await super().__call__(request)
        assert text is not None  # without the header it has raised
        return Key(sha256(text.encode("latin-1")).digest(), text[: min(MOST_SHOWN, len(text) // 3)])


SentKey = Annotated[
    Key,
    Security(_KeyHeader(name="x-api-key", scheme_name="x-api-key", description="Key of a print station or of the ETL")),
]


def database_of(request: HTTPConnection) -> Database:
    """Return the database of this process."""
    database: Database = request.app.state.database
    return database


def note_seen(request: Request, key: Key) -> None:
    """Note that the client with this valid key was seen."""
    last_seen: LastSeen = request.app.state.last_seen
    last_seen.note(key.sha256)


async def refuse(request: Request, key: Key, wanted: ClientType) -> HTTPException:
    """Log why this key is refused where that type is wanted, and return the 403 to raise."""
    return _refusal(request, await find_client(database_of(request), key.sha256), key, wanted)


def _refusal(request: Request, known: Known | None, key: Key, wanted: ClientType) -> HTTPException:
    if known is not None and known.revoked_at is None:  # a valid key, on a route of the other type
        note_seen(request, key)
    _log_refusal(request, known, key, wanted)
    return HTTPException(403, "Invalid x-api-key")


def _log_refusal(request: Request, known: Known | None, key: Key, wanted: ClientType) -> None:
    if known is None:
        reason, about = "unknown", {"key_prefix": key.shown}
    else:
        reason = "revoked" if known.revoked_at else f"not of type {wanted}"
        about = {"client": known.client_name, "client_type": known.client_type, "key_prefix": known.api_key_prefix}
        if request.method == "PUT":  # its label may be printed: the path says which item to mark again
            about["path"] = request.url.path[:PATH_IN_LOG]

    def log_count(count: int) -> None:
        log.warning("x-api-key refused %d more times within %d s: %s", count, REPEATS_SECONDS, reason, extra=about)

    repeats: Repeats = request.app.state.repeats
    if "path" in about or repeats.is_first((reason, about["key_prefix"]), log_count):
        log.warning("x-api-key refused: %s", reason, extra=about)


async def _of_type(request: Request, key: Key, wanted: ClientType) -> Known:
    known = await find_client(database_of(request), key.sha256)
    if known is None or known.revoked_at or known.client_type != wanted:
        raise _refusal(request, known, key, wanted)
    note_seen(request, key)
    return known


async def printer(request: Request, key: SentKey) -> Known:
    """Return the print station that sent this request. It is checked before the body is read."""
    return await _of_type(request, key, "signum-printer")


async def etl(request: Request, key: SentKey) -> Known:
    """Return the ETL that sent this request. It is checked before the body is read."""
    return await _of_type(request, key, "etl")


Printer = Annotated[Known, Depends(printer)]
Etl = Annotated[Known, Depends(etl)]
