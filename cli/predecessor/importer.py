"""Imports the predecessor's items, then its clients, queue and sync position, all in one transaction.

Items go the way of the ETL's rows, with the same checks, so that the ETL's next batch finds nothing to change.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from api.ingest.position import CHANGES, FULL, believable
from api.ingest.rows import COLUMNS, Item, Refusal, make_row_reader
from api.ingest.store import columns_of, store_batch
from cli.exit_codes import Refused
from cli.predecessor import database as predecessor
from cli.predecessor.database import OldPosition, Predecessor
from cli.predecessor.mapping import as_row, known_clients
from db import sync
from db.connections import connect
from db.durability import UNCONFIRMED

SHOWN_REASONS = 10

Progress = Callable[[int], None]


@dataclass(slots=True)
class ImportResult:
    """The counts of an import: items written, unchanged or refused, clients added, marks queued; and remarks."""

    items: int = 0
    unchanged: int = 0
    refused: int = 0
    clients: int = 0
    queued: int = 0
    sync_mode: str = ""
    remarks: list[str] = field(default_factory=list)


def import_all(
    old: Predecessor,
    parameters: dict[str, Any],
    batch_size: int,
    person: dict[str, str],
    *,
    again: bool,
    progress: Progress,
) -> ImportResult:
    """Import all of `old`. Refused, with nothing done, if our catalogue has items already, unless `again`.

    It is an act of the `person`: `person`, `os_user` and `source` of it.
    """
    with connect(parameters) as ours:
        if not sync.take_lock(ours):
            raise Refused("a batch of the ETL is being taken in: stop the ETL, and try again")
        if not again and predecessor.has_items(ours):
            raise Refused("there are items in our database already: add --again to bring what they lack")
        result = _Import(old, ours, batch_size, progress).run()
        predecessor.write_act(ours, person, result.items, "; ".join(summary(result)))
        if not sync.commit_in_time(ours):
            result.remarks.append(UNCONFIRMED)
        return result


class _Import:
    def __init__(self, old: Predecessor, ours: sync.Transaction, batch_size: int, progress: Progress) -> None:
        self._old, self._ours, self._batch_size, self._progress = old, ours, batch_size, progress
        self._result = ImportResult()
        self._queued: list[int] = []
        self._highest_id = 0

    def run(self) -> ImportResult:
        position = self._without_future_times(self._old.position())
        # Older than any batch that comes from now on, and as new as any that the predecessor had.
        self._take_items(position.sync_changes_since or position.initialized_at or datetime.now(UTC))
        self._add_clients()
        self._result.queued = predecessor.queue_items(self._ours, self._queued)
        self._take_position(position)
        return self._result

    def _without_future_times(self, old: OldPosition) -> OldPosition:
        """The position, with times far ahead of our clock brought back.

        Items stamped with such a time would take no batch, and the ETL would ask Sierra for no change.
        """
        clock = sync.read_clock(self._ours)

        def checked(time: datetime | None) -> datetime | None:
            return time and believable(time, clock)

        return replace(
            old,
            initialized_at=checked(old.initialized_at),
            sync_changes_since=checked(old.sync_changes_since),
            last_sync_run_completed_at=checked(old.last_sync_run_completed_at),
            full_sync_completed_at=checked(old.full_sync_completed_at),
        )

    def _take_items(self, timestamp: datetime) -> None:
        rows = enumerate(self._read_rows(), start=1)
        while batch := [columns_of(number, row) for number, row in islice(rows, self._batch_size)]:
            sync.fill_batch(self._ours, batch)
            counts = sync.count_received(self._ours)
            written = store_batch(self._ours, timestamp)
            sync.drop_batch(self._ours)
            self._result.items += written
            self._result.unchanged += counts["rows"] - counts["rejected"] - written
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
        """The row as rejected_row keeps it. A mark can't stand without its item, so the reason asks for it."""
        if is_queued:
            row = row._replace(reason=f"{row.reason}; the item was queued: mark it once it is here")
        self._result.refused += 1
        if is_queued or self._result.refused <= SHOWN_REASONS:
            self._result.remarks.append(f"item {row.item_record_id} was refused: {row.reason}")
        return row

    def _add_clients(self) -> None:
        clients, remarks = known_clients(self._old.clients())
        for client in clients:
            is_added, is_known = predecessor.add_client(self._ours, client)
            self._result.clients += is_added
            if not is_added and not is_known:
                remarks.append(
                    f"{client['client_name']} is a client here already, and the predecessor's key for it was left out"
                )
        self._result.remarks += remarks

    def _take_position(self, old: OldPosition) -> None:
        mode = CHANGES if old.sync_mode == CHANGES else FULL
        items = self._result.items + self._result.unchanged
        position = {**asdict(old), "sync_mode": mode, "last_synced_id": self._highest_id, "full_sync_items": items}
        if predecessor.take_position(self._ours, position):
            self._result.sync_mode = mode
        else:
            self._result.remarks.append("batches of the ETL have come here since: the sync goes on where it stands")


def summary(result: ImportResult) -> Iterable[str]:
    """The counts of an import as sentences."""
    yield f"{result.items} items came over; {result.unchanged} were here already, {result.refused} were refused"
    yield f"{result.clients} clients came over, and keep their keys"
    yield f"{result.queued} items were queued for Sierra"
    if result.sync_mode:
        yield f"the sync goes on in {result.sync_mode}"
