"""The people of the console: how one signs in and out, and how persons are added, rotated and revoked.

Only the SHA-256 of a key is stored, as of a client's. The key itself is shown once, when it is made.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal

from psycopg.rows import class_row, dict_row

from db.queue import Connection
from runtime.statements import load

SQL = load("db", "persons")

Role = Literal["viewer", "operator", "admin"]
ROLES: tuple[Role, ...] = ("viewer", "operator", "admin")  # each may do what those before it may


@dataclass(frozen=True, slots=True)
class Person:
    """A person who is let in. `is_old`: the time when the person was last seen should be written anew."""

    person_id: int
    person_name: str
    role: Role
    language: str | None
    is_old: bool

    def is_at_least(self, role: Role) -> bool:
        """Tell whether the person may do what that role may."""
        return ROLES.index(self.role) >= ROLES.index(role)


@dataclass(frozen=True, slots=True)
class NewPersonKey:
    """A person with a new key; nothing shows the key again."""

    name: str
    role: str
    key: str


async def find_person_by_session(connection: Connection, session: str) -> Person | None:
    """The person whose browser has this cookie, if the session is not over."""
    return await _find(connection, "find_by_session", session_sha256=_hash(session))


async def find_person_by_name(connection: Connection, name: str) -> Person | None:
    """The person of this name, unless revoked."""
    return await _find(connection, "find_by_name", name=name)


async def sign_in(connection: Connection, key: str, session: str) -> str | None:
    """Begin a session, with this cookie, of the person with this key. Return the name; None if there is no such key."""
    given = {"key_sha256": _hash(key), "session_sha256": _hash(session)}
    row = await (await connection.execute(SQL["sign_in"], given)).fetchone()
    return row[0] if row else None


async def see_person(connection: Connection, person: Person, session: str) -> None:
    """Note that the person is here now."""
    await connection.execute(SQL["see"], {"person_id": person.person_id, "session_sha256": _hash(session)})


async def sign_out(connection: Connection, session: str) -> None:
    """End the session with this cookie."""
    await connection.execute(SQL["sign_out"], {"session_sha256": _hash(session)})


async def choose_language(connection: Connection, person: Person, language: str) -> None:
    """Show the person's pages in this language from now on."""
    await connection.execute(SQL["choose_language"], {"person_id": person.person_id, "language": language})


async def add_person(connection: Connection, name: str, role: Role) -> NewPersonKey | None:
    """Make a person and a key. None if a person who is let in has that name, or a client; a revoked one's is free."""
    return await _give_key(connection, "add", name, role=role)


async def rotate_person(connection: Connection, name: str) -> NewPersonKey | None:
    """Give a person a new key, and end the sessions. None if no person who is let in has that name."""
    return await _give_key(connection, "rotate", name)


async def revoke_person(connection: Connection, name: str) -> datetime | None:
    """Let a person in no more, and end the sessions. Return since when; None if there is no such person."""
    row = await (await connection.execute(SQL["revoke"], {"name": name})).fetchone()
    return row[0] if row else None


async def list_persons(connection: Connection) -> list[dict[str, Any]]:
    """All persons by name, the revoked ones too."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(SQL["overview"])
        return await cursor.fetchall()


async def _find(connection: Connection, statement: str, **given: object) -> Person | None:
    async with connection.cursor(row_factory=class_row(Person)) as cursor:
        await cursor.execute(SQL[statement], given)
        return await cursor.fetchone()


async def _give_key(connection: Connection, statement: str, name: str, **given: str) -> NewPersonKey | None:
    key = "sig_" + secrets.token_urlsafe(32)
    row = await (await connection.execute(SQL[statement], {"name": name, "key_sha256": _hash(key), **given})).fetchone()
    return NewPersonKey(name, row[0], key) if row else None


def _hash(secret: str) -> bytes:
    return sha256(secret.encode()).digest()
