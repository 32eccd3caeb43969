"""The queue protocol: claim, finish, postpone, reject, release, give_back, recheck, next_wake.

A function per statement of queue.sql. `keep_seconds`: of a write that had no answer, the seconds from now for which no
claim may take its item. `late_seconds`: for how long such a write may still be done.

Each statement is a commit on an autocommit connection. None of them ever waits for Sierra.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from psycopg import AsyncConnection
from psycopg.errors import LockNotAvailable
from psycopg.rows import class_row

from db.reasons import ReasonCode
from runtime.statements import load

SQL = load("db", "queue")

Connection = AsyncConnection[Any]
Outcome = Literal["pushed", "unchanged"]
Locked = Literal["locked"]
Finish = Literal["finished", "marked again", "unproven", Locked]
Release = Literal["released", Locked]
LATE_SECONDS = 300.0
NOT_CHECKED = "Sierra's answer could not be checked: the record is looked at again"  # the remark of a push


def storable(text: str | None) -> str | None:
    """The text with what PostgreSQL can't store (NUL, half a surrogate pair) shown as U+FFFD."""
    if text is None or (text.isprintable() and text.isascii()):
        return text
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@dataclass(frozen=True, slots=True)
class Claim:
    """An item that is ours to push until `lease_until`, as it was when it was claimed. Times are the database's.

    A revert names the push that is undone; db/history.py looks up its call numbers. None: history has no such push.
    `is_recheck`: it is pushed, and only looked at again; it had `pushed_call_number` then, None: that is not known.
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
    is_recheck: bool
    pushed_call_number: str | None = None
    undone_before: str | None = None
    undone_after: str | None = None


@dataclass(frozen=True, slots=True)
class Pushed:
    """The outcome of a push of one claimed item. `remark` says which part of the update was left out and why, or that
    Sierra's answer could not be checked.

    `unanswered`: it was written, but an earlier sending of that write had no answer. `proven`: the record was read
    again after the write, or that is not needed.
    """

    claim: Claim
    outcome: Outcome
    call_number_before: str | None
    call_number_after: str | None
    remark: str | None
    sierra_ms: int
    unanswered: bool = False
    proven: bool = True


async def claim(
    connection: Connection, notifier: str, limit: int, lease_seconds: float, newest: bool = False
) -> list[Claim]:
    """Claim at most `limit` due items, most urgent first; or the `newest`. Empty if none is due, or at a pause."""
    wish = {"notifier": notifier, "limit": limit, "lease_seconds": lease_seconds, "newest": newest}
    async with connection.cursor(row_factory=class_row(Claim)) as cursor:
        await cursor.execute(SQL["claim"], wish, prepare=True)
        return await cursor.fetchall()


async def finish(
    connection: Connection, notifier: str, pushes: Sequence[Pushed], late_seconds: float = LATE_SECONDS
) -> dict[int, Finish]:
    """Take pushed items off the queue and log them. One of which a write may still be done stays, to be rechecked.

    Return per item_record_id `finished`, or `marked again` if it was meanwhile and is due at once. Nothing was changed
    where it is `locked` by another session: finish it again; or `unproven`: read its record again, for Sierra may not
    have kept the push before. A missing one was ours no more.
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
            "claimed_ats": [push.claim.claimed_at for push in pushes],
            "unanswered": [push.unanswered for push in pushes],
            "proven": [push.proven for push in pushes],
            "late_seconds": late_seconds,
        },
        prepare=True,
    )
    told: dict[int, Finish] = dict(await cursor.fetchall())
    return told | await _locked(connection, notifier, [push.claim for push in pushes], told)


async def _locked(
    connection: Connection, notifier: str, claims: Sequence[Claim], answered: Collection[int] = ()
) -> dict[int, Locked]:
    """The unanswered claims that are ours all the same: another session has locked their rows."""
    missing = [claim for claim in claims if claim.item_record_id not in answered]
    if not missing:
        return {}
    rows = {"item_record_ids": [one.item_record_id for one in missing], "leases": [one.lease_until for one in missing]}
    cursor = await connection.execute(SQL["still_ours"], {"notifier": notifier, **rows})
    return {row[0]: "locked" for row in await cursor.fetchall()}


async def postpone(
    connection: Connection,
    notifier: str,
    claim: Claim,
    delay_seconds: float,
    reason: str,
    keep_seconds: float | None = None,
    reason_code: ReasonCode | None = None,
) -> datetime | Locked | None:
    """Make an item due in `delay_seconds`. Return when it can be claimed; None if it was ours no more.

    `locked`: nothing was done, for another session has locked it.
    """
    told = {"delay_seconds": delay_seconds, "reason": storable(reason), "reason_code": reason_code}
    parameters = {**_held(notifier, claim), **told, "keep_seconds": keep_seconds}
    row = await (await connection.execute(SQL["postpone"], parameters)).fetchone()
    return row[1] if row else (await _locked(connection, notifier, [claim])).get(claim.item_record_id)


async def reject(
    connection: Connection,
    notifier: str,
    claim: Claim,
    reason: str,
    call_number: str | None = None,
    keep_seconds: float | None = None,
    late_seconds: float = LATE_SECONDS,
    reason_code: ReasonCode | None = None,
) -> bool | Locked | None:
    """Make an item due never, until a person acts. None if it was ours no more.

    False if it was marked again and is due at once; or is a revert, due when no write of it may be done late any more.
    `locked` as in postpone.
    """
    told = {"reason": storable(reason), "reason_code": reason_code, "call_number": storable(call_number)}
    late = {"keep_seconds": keep_seconds, "late_seconds": late_seconds, "claimed_at": claim.claimed_at}
    parameters = {**_held(notifier, claim), **told, **late, "revert_of": claim.revert_of}
    row = await (await connection.execute(SQL["reject"], parameters)).fetchone()
    return row[0] if row else (await _locked(connection, notifier, [claim])).get(claim.item_record_id)


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
    keep_seconds: Mapping[int, float] | None = None,
    reason_code: ReasonCode | None = None,
) -> dict[int, Release]:
    """Give claims back, with their attempts. With `delay_seconds` they are due later, for a reason.

    `keep_seconds` by item_record_id: of those that have an unanswered write. Return per item_record_id `released`, or
    `locked` by another session: try again. A missing one was ours no more.
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
            "reason_code": reason_code,
            "keep_seconds": [(keep_seconds or {}).get(claim.item_record_id) for claim in claims],
        },
    )
    told: dict[int, Release] = {row[0]: "released" for row in await cursor.fetchall()}
    return told | await _locked(connection, notifier, claims, told)


async def give_back(connection: Connection, notifier: str, in_hand: Collection[int]) -> list[int]:
    """Give back all that is claimed in the notifier's name, but for what it has in hand. Return their ids."""
    cursor = await connection.execute(SQL["give_back"], {"notifier": notifier, "item_record_ids": list(in_hand)})
    return [row[0] for row in await cursor.fetchall()]


async def recheck(
    connection: Connection, notifier: str, item_record_id: int, late_seconds: float = LATE_SECONDS
) -> Locked | None:
    """Have an item looked at again that was written under a claim which is not the notifier's any more.

    `locked`: another session has its row, or is entering it, which is waited for as long as a lock may be; try again.
    """
    parameters = {"notifier": notifier, "item_record_id": item_record_id, "late_seconds": late_seconds}
    try:
        return "locked" if await (await connection.execute(SQL["recheck"], parameters)).fetchone() else None
    except LockNotAvailable:
        return "locked"


async def next_wake(connection: Connection) -> float | None:
    """Seconds until something is due or a lease lapses, 0 at the least; None if nothing is in sight."""
    row = await (await connection.execute(SQL["next_wake"], prepare=True)).fetchone()
    return None if row is None or row[0] is None else max(0.0, row[0])
