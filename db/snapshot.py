"""The whole at one moment, read in one round trip: what the verdict is made from. No count goes beyond `MOST`."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from psycopg.rows import dict_row

from db.queue import Connection
from db.reasons import REASON_CODES
from runtime.statements import load

SQL = load("db", "snapshot")
MOST = 10_000  # as in the statement: MOST + 1 stands for more


@dataclass(frozen=True, slots=True)
class Group:
    """Items of one state, and where they are postponed or rejected of one reason. `seconds`: how long one was due."""

    state: str
    items: int
    reason_code: str | None = None
    oldest_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Notifier:
    """The last heartbeat of a notifier that has not stopped."""

    notifier: str
    mode: str = "listening"
    breaker: str = "closed"
    reason: str | None = None
    waits_for: str | None = None
    seen_seconds: float = 0
    looped_seconds: float | None = 0
    success_seconds: float | None = None
    started_seconds: float = 0


@dataclass(frozen=True, slots=True)
class Client:
    """A print station or an ETL whose key is valid. `seen_seconds` is None where it was never heard of."""

    client_name: str
    client_type: str
    seen_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Push:
    """A push of late."""

    update_log_id: int
    item_number: str | None
    barcode: str | None
    title: str | None
    call_number_before: str | None
    call_number_after: str | None
    queued_by: str
    ended_seconds: float
    revert_of: int | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of everything that the database knows of, as of one moment."""

    as_of: datetime
    only_reads: bool = False
    named_standbys: str = ""
    standbys: int = 0
    hidden_standbys: int = 0
    synchronous_standbys: int = 0
    silent_triggers: Sequence[str] = ()
    notification_queue: float = 0
    lock_waiters: int = 0
    lock_holders: Sequence[int] = ()
    paused_at: datetime | None = None
    paused_by: str | None = None
    pause_reason: str | None = None
    resume_at: datetime | None = None
    queue: Sequence[Group] = ()
    rejected: Sequence[Group] = ()
    notifiers: Sequence[Notifier] = ()
    clients: Sequence[Client] = ()
    pushes: Sequence[Push] = ()
    labels_today: int = 0
    more_labels_today: bool = False
    finished_lately: int = 0
    sync_mode: str = "SYNC_CHANGES"
    batch_under_way: bool = False
    batch_seconds: float | None = None
    behind_seconds: float | None = None
    gap_from: datetime | None = None
    gap_until: datetime | None = None
    gap_closes: bool = False
    early_ends: int = 0
    rejected_rows: int = 0
    deletions_held: int = 0
    not_shown: int | None = None

    def count(self, state: str) -> int:
        """The number of items in that state of the queue."""
        return sum(group.items for group in (*self.queue, *self.rejected) if group.state == state)


LISTS: dict[str, type[Any]] = {
    "queue": Group,
    "rejected": Group,
    "notifiers": Notifier,
    "clients": Client,
    "pushes": Push,
}


async def read_snapshot(connection: Connection, day_began_at: datetime) -> Snapshot:
    """Read the whole as it is now; today's labels are those since `day_began_at`."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(SQL["snapshot"], {"day_began_at": day_began_at, "reason_codes": list(REASON_CODES)})
        row = await cursor.fetchone() or {}
    for name, kind in LISTS.items():
        row[name] = [kind(**{field.name: one[field.name] for field in fields(kind)}) for one in row[name]]
    return Snapshot(**row)


async def count_not_shown(connection: Connection) -> int:
    """The number of items whose push SierraDNA does not show. It reads a month of history: ask now and then."""
    row = await (await connection.execute(SQL["not_shown"])).fetchone()
    return row[0] if row else 0
