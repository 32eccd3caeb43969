"""The predecessor's knowledge becomes ours: items, then clients, queue and position, all in one transaction.

Its items go the way of the ETL's rows, with the same checks: a batch of the ETL then finds nothing to change.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import psycopg

from api.ingest.position import CHANGES, FULL, believable
from api.ingest.rows import COLUMNS, Item, Refusal, make_row_reader
from api.ingest.store import columns_of, store_batch
from cli.exit_codes import Refused
from cli.predecessor import database as predecessor
from cli.predecessor.database import OldPosition, Predecessor
from cli.predecessor.mapping import as_row, known_clients
from db import sync

SHOWN_REASONS = 10

Progress = Callable[[int], None]


@dataclass(slots=True)
class Inherited:
    """What an import has brought: items written, clients added, marks queued; and rows that were refused."""

    items: int = 0
    unchanged: int = 0
    refused: int = 0
    clients: int = 0
    queued: int = 0
    sync_mode: str = ""
    remarks: list[str] = field(default_factory=list)


def inherit(
    old: Predecessor, parameters: dict[str, Any], batch_size: int, *, again: bool, progress: Progress
) -> Inherited:
    """Take over what `old` knows. Refused if we know items already, unless `again`; nothing is done then."""
    with psycopg.connect(**parameters) as ours:
        if not sync.take_lock(ours):
            raise Refused("a batch of the ETL is being taken in: stop the ETL, and try again")
        if not again and predecessor.has_items(ours):
            raise Refused("there are items in our database already: add --again to bring what they lack")
        return _Import(old, ours, batch_size, progress).run()


class _Import:
    def __init__(self, old: Predecessor, ours: sync.Transaction, batch_size: int, progress: Progress) -> None:
        self._old, self._ours, self._batch_size, self._progress = old, ours, batch_size, progress
        self._brought = Inherited()
        self._queued: list[int] = []
        self._highest_id = 0

    def run(self) -> Inherited:
        position = self._believable(self._old.position())
        # Older than any batch that comes from now on, and as new as any that the predecessor had.
        self._take_items(position.sync_changes_since or position.initialized_at or datetime.now(UTC))
        self._add_clients()
        self._brought.queued = predecessor.queue_items(self._ours, self._queued)
        self._take_position(position)
        return self._brought

    def _believable(self, old: OldPosition) -> OldPosition:
        """The position without times far ahead of our clock: its items would take no batch, and the ETL no change."""
        clock = sync.read_clock(self._ours)

        def taken(time: datetime | None) -> datetime | None:
            return time and believable(time, clock)

        return replace(
            old,
            initialized_at=taken(old.initialized_at),
            sync_changes_since=taken(old.sync_changes_since),
            last_sync_run_completed_at=taken(old.last_sync_run_completed_at),
            full_sync_completed_at=taken(old.full_sync_completed_at),
        )

    def _take_items(self, timestamp: datetime) -> None:
        rows = enumerate(self._read_rows(), start=1)
        while batch := [columns_of(number, row) for number, row in islice(rows, self._batch_size)]:
            sync.fill_batch(self._ours, batch)
            counts = sync.count_received(self._ours)
            written = store_batch(self._ours, timestamp)
            sync.drop_batch(self._ours)
            self._brought.items += written
            self._brought.unchanged += counts["rows"] - counts["rejected"] - written
            self._highest_id = max(self._highest_id, counts["highest_id"] or 0)
            self._progress(counts["rows"])

    def _read_rows(self) -> Iterator[Item | Refusal]:
        read = make_row_reader(list(COLUMNS))
        for cells, is_queued in self._old.items():
            row = read(as_row(cells))
            if isinstance(row, Refusal):
                row = self._refuse(row, is_queued)
            elif is_queued:
                self._queued.append(row.item_record_id)
            yield row

    def _refuse(self, row: Refusal, is_queued: bool) -> Refusal:
        """The row as it is kept aside. A mark can't stand without its item: whoever reads the reason has to mark it."""
        if is_queued:
            row = row._replace(reason=f"{row.reason}; the item was queued: mark it once it is here")
        self._brought.refused += 1
        if is_queued or self._brought.refused <= SHOWN_REASONS:
            self._brought.remarks.append(f"item {row.item_record_id} was refused: {row.reason}")
        return row

    def _add_clients(self) -> None:
        clients, remarks = known_clients(self._old.clients())
        for client in clients:
            is_added, is_known = predecessor.add_client(self._ours, client)
            self._brought.clients += is_added
            if not is_added and not is_known:
                remarks.append(
                    f"{client['client_name']} is a client here already, and the predecessor's key for it was left out"
                )
        self._brought.remarks += remarks

    def _take_position(self, old: OldPosition) -> None:
        mode = CHANGES if old.sync_mode == CHANGES else FULL
        items = self._brought.items + self._brought.unchanged
        position = {**asdict(old), "sync_mode": mode, "last_synced_id": self._highest_id, "full_sync_items": items}
        if predecessor.take_position(self._ours, position):
            self._brought.sync_mode = mode
        else:
            self._brought.remarks.append("batches of the ETL have come here since: the sync goes on where it stands")


def sentences(brought: Inherited) -> Iterable[str]:
    """What an import has brought, for a person."""
    yield f"{brought.items} items came over; {brought.unchanged} were here already, {brought.refused} were refused"
    yield f"{brought.clients} clients came over, and keep their keys"
    yield f"{brought.queued} items were queued for Sierra"
    if brought.sync_mode:
        yield f"the sync goes on in {brought.sync_mode}"
