"""The queue protocol: claim, finish, postpone, reject, release, next_wake. A function per statement of queue.sql.

Each is one statement and one commit on an autocommit connection. None of them ever waits for Sierra.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from psycopg import AsyncConnection
from psycopg.rows import class_row

from runtime.statements import load

SQL = load("db", "queue")

Connection = AsyncConnection[Any]
Outcome = Literal["pushed", "unchanged"]


def storable(text: str | None) -> str | None:
    """The text with what PostgreSQL can't store (NUL, half a surrogate pair) shown as U+FFFD."""
    if text is None or (text.isprintable() and text.isascii()):
        return text
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@dataclass(frozen=True, slots=True)
class Claim:
    """An item that is ours to push until `lease_until`, as it was when it was claimed. Times are the database's.

    A revert names the push that is undone; db/history.py looks up its call numbers. None: history has no such push.
    """

    item_record_id: int
    revision: int
    queued_at: datetime
    attempts: int
    request_id: str | None
    trace: str | None
    lease_until: datetime
    item_number: str | None
    barcode: str | None
    classification: str | None
    claimed_at: datetime
    revert_of: int | None
    undone_before: str | None = None
    undone_after: str | None = None


@dataclass(frozen=True, slots=True)
class Pushed:
    """The outcome of a push of one claimed item. `remark` says which part of the update was left out and why."""

    claim: Claim
    outcome: Outcome
    call_number_before: str | None
    call_number_after: str | None
    remark: str | None
    sierra_ms: int


async def claim(
    connection: Connection, notifier: str, limit: int, lease_seconds: float, newest: bool = False
) -> list[Claim]:
    """Claim at most `limit` due items, most urgent first; or the `newest`. Empty if none is due, or at a pause."""
    wish = {"notifier": notifier, "limit": limit, "lease_seconds": lease_seconds, "newest": newest}
    async with connection.cursor(row_factory=class_row(Claim)) as cursor:
        await cursor.execute(SQL["claim"], wish, prepare=True)
        return await cursor.fetchall()


async def finish(connection: Connection, notifier: str, pushes: Sequence[Pushed]) -> dict[int, bool | None]:
    """Take pushed items off the queue and log them.

    Return per item_record_id: True if it left; False if it was marked again meanwhile and is due at once; None if
    another session has locked its row and nothing was changed: finish it again. A missing one was ours no more.
    """
    cursor = await connection.execute(
        SQL["finish"],
        {
            "notifier": notifier,
            "item_record_ids": [push.claim.item_record_id for push in pushes],
            "revisions": [push.claim.revision for push in pushes],
            "leases": [push.claim.lease_until for push in pushes],
            "outcomes": [push.outcome for push in pushes],
            "befores": [storable(push.call_number_before) for push in pushes],
            "afters": [storable(push.call_number_after) for push in pushes],
            "remarks": [storable(push.remark) for push in pushes],
            "sierra_ms": [push.sierra_ms for push in pushes],
            "revert_ofs": [push.claim.revert_of for push in pushes],
        },
        prepare=True,
    )
    finished: dict[int, bool | None] = dict(await cursor.fetchall())
    locked = await _still_ours(connection, notifier, [push.claim for push in pushes], finished)
    return {**finished, **dict.fromkeys(locked)}


async def _still_ours(
    connection: Connection, notifier: str, claims: Sequence[Claim], answered: Collection[int]
) -> list[int]:
    """The unanswered claims that are ours all the same: another session has locked their rows."""
    missing = [claim for claim in claims if claim.item_record_id not in answered]
    if not missing:
        return []
    rows = {"item_record_ids": [one.item_record_id for one in missing], "leases": [one.lease_until for one in missing]}
    cursor = await connection.execute(SQL["still_ours"], {"notifier": notifier, **rows})
    return [row[0] for row in await cursor.fetchall()]


async def postpone(
    connection: Connection, notifier: str, claim: Claim, delay_seconds: float, reason: str
) -> datetime | None:
    """Make an item due in `delay_seconds`. Return when it is due; None if it was ours no more."""
    parameters = {**_held(notifier, claim), "delay_seconds": delay_seconds, "reason": storable(reason)}
    row = await (await connection.execute(SQL["postpone"], parameters)).fetchone()
    return row[1] if row else None


async def reject(
    connection: Connection, notifier: str, claim: Claim, reason: str, call_number: str | None = None
) -> bool | None:
    """Make an item due never, until a person acts. False if it was marked again; None if it was ours no more."""
    told = {"reason": storable(reason), "call_number": storable(call_number), "revert_of": claim.revert_of}
    row = await (await connection.execute(SQL["reject"], {**_held(notifier, claim), **told})).fetchone()
    return row[0] if row else None


def _held(notifier: str, claim: Claim) -> dict[str, Any]:
    """The values that a row must still have for a claim to be ours."""
    return {
        "notifier": notifier,
        "item_record_id": claim.item_record_id,
        "revision": claim.revision,
        "lease": claim.lease_until,
    }


async def release(
    connection: Connection,
    notifier: str,
    claims: Sequence[Claim],
    delay_seconds: float = 0,
    reason: str | None = None,
) -> list[int]:
    """Give claims back, with their attempts. With `delay_seconds` they are due later, for a reason.

    Return the ids that were not given back, because another session has locked their rows: try again.
    """
    cursor = await connection.execute(
        SQL["release"],
        {
            "notifier": notifier,
            "item_record_ids": [claim.item_record_id for claim in claims],
            "revisions": [claim.revision for claim in claims],
            "leases": [claim.lease_until for claim in claims],
            "delay_seconds": delay_seconds,
            "reason": storable(reason),
        },
    )
    released = {row[0] for row in await cursor.fetchall()}
    return await _still_ours(connection, notifier, claims, released)


async def next_wake(connection: Connection) -> float | None:
    """Seconds until something is due or a lease lapses, 0 at the least; None if nothing is in sight."""
    row = await (await connection.execute(SQL["next_wake"], prepare=True)).fetchone()
    return None if row is None or row[0] is None else max(0.0, row[0])
