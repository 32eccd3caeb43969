"""The people of a soak: print stations, DBAs and the ETL, each by seeded dice, until told to stop.

They note the promises made to them: a mark counts when it was acknowledged, a classification when its batch was.
"""

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
import psycopg
from psycopg.rows import dict_row

from db import history, queue_people
from sandbox.catalogue import Item
from sandbox.etl import Etl, SyncRefused
from sandbox.system import System

CLASSES = ("84.2", "84.31", "85.22", "86.25", "59.35")
MARK = """
    INSERT INTO update_queue (item_record_id) SELECT unnest(%s::bigint[]) ON CONFLICT (item_record_id) DO UPDATE
    SET revision = update_queue.revision + 1, due_at = now(), attempts = 0, last_error = NULL
"""
LATEST = """
    SELECT update_log_id, item_number FROM update_log WHERE outcome = 'pushed' ORDER BY update_log_id DESC LIMIT 50
"""


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark of one item. `answered_at` is when the answer came, or was given up."""

    number: str
    sent_at: datetime
    answered_at: datetime
    acknowledged: bool


@dataclass
class Notes:
    """The acts of the people and the answers to them. `acknowledged` counts the acknowledged marks."""

    items: Sequence[Item]
    marks: list[Mark] = field(default_factory=list)
    reads: list[int] = field(default_factory=list)
    reverts: list[tuple[str, datetime]] = field(default_factory=list)
    undoings: list[tuple[str, datetime]] = field(default_factory=list)
    classifications: dict[str, list[tuple[datetime, str | None]]] = field(default_factory=dict)
    acknowledged: int = 0
    syncs: int = 0
    tended: int = 0

    def __post_init__(self) -> None:
        self.classifications = {str(item.number): [(datetime.now(UTC), item.classification)] for item in self.items}

    def wishes(self) -> Iterator[tuple[str, datetime]]:
        """The marks that may have entered the queue, acknowledged or not, and when the answer came, or was given up."""
        yield from ((mark.number, mark.answered_at) for mark in self.marks)
        yield from self.undoings

    def add(self, chosen: Sequence[Item], sent_at: datetime, acknowledged: bool) -> None:
        """Note marks that were made together."""
        now = datetime.now(UTC)
        self.marks += [Mark(str(item.number), sent_at, now, acknowledged) for item in chosen]
        self.acknowledged += len(chosen) * acknowledged


class People:
    """All of them, each in a thread, from entry to exit; `done` is set when enough marks are acknowledged."""

    def __init__(
        self, system: System, notes: Notes, seed: int, stations: int, marks: int | None, dba_pause_seconds: float
    ) -> None:
        self._system, self._notes = system, notes
        self._most, self._dba_pause_seconds = marks, dba_pause_seconds
        self._stop = threading.Event()
        self.done = threading.Event()
        station_jobs = [self._print_labels] * stations
        jobs: list[Callable[[random.Random], None]] = [
            *station_jobs,
            self._mark_many,
            self._tend,
            self._undo,
            self._sync,
        ]
        dice = [random.Random(f"{seed} {place}") for place in range(len(jobs))]
        self._failures: list[Exception] = []
        self._threads = [
            threading.Thread(target=self._work, args=(job, die)) for job, die in zip(jobs, dice, strict=True)
        ]

    def __enter__(self) -> "People":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()

    def join(self) -> None:
        """Wait for all of them, and raise any unexpected error. The system must be well by now."""
        for thread in self._threads:
            thread.join()
        if self._failures:
            raise self._failures[0]

    def _work(self, job: Callable[[random.Random], None], die: random.Random) -> None:
        try:
            job(die)
        except Exception as error:
            self._failures.append(error)

    def _print_labels(self, die: random.Random) -> None:
        """Act as a print station: read an item and mark it, again and again."""
        headers = {"x-api-key": self._system.printer_key}
        with httpx.Client(base_url=self._system.api_url, headers=headers, timeout=5, trust_env=False) as api:
            while not self._stop.is_set():
                item = die.choice(self._notes.items)
                status = self._ask(lambda item=item: api.get(f"/itemdata/{item.barcode}"))  # type: ignore[misc]
                if status is not None:
                    self._notes.reads.append(status)
                if not self.done.is_set():
                    sent_at = datetime.now(UTC)
                    status = self._ask(lambda item=item: api.put(f"/itemdata/{item.record_id}"))  # type: ignore[misc]
                    self._note([item], sent_at, status == 200)
                self._stop.wait(die.uniform(0, 0.15))

    def _ask(self, request: Callable[[], httpx.Response]) -> int | None:
        """Send a request. Return its status, or None without an answer: the api may be dead just now."""
        try:
            return request().status_code
        except httpx.TransportError:
            time.sleep(0.05)
            return None

    def _mark_many(self, die: random.Random) -> None:
        """Act as a DBA who marks up to fifty items with a statement."""
        while not self._stop.wait(die.uniform(0, self._dba_pause_seconds)) and not self.done.is_set():
            chosen = die.sample(self._notes.items, die.randint(1, 50))
            sent_at, acknowledged = datetime.now(UTC), False
            try:
                with psycopg.connect(self._system.postgres.dsn(), autocommit=True) as connection:
                    connection.execute(MARK, [sorted(item.record_id for item in chosen)])
                    acknowledged = True
            except psycopg.OperationalError:
                pass  # the database is away, or ended the session: nothing was promised
            self._note(chosen, sent_at, acknowledged)

    def _tend(self, die: random.Random) -> None:
        """Act as a DBA who dismisses, retries and pauses, as `signum queue` does; a pause is over by itself in 3 s."""
        while not self._stop.wait(die.uniform(0.2, 1.5)):
            numbers = [str(item.number) for item in die.sample(self._notes.items, 5)]
            choices: list[tuple[str, dict[str, object]]] = [
                (queue_people.SQL["dismiss"], {"item_numbers": numbers, "barcodes": None, "reason": None}),
                (queue_people.SQL["dismiss"], {"item_numbers": None, "barcodes": None, "reason": "Sierra"}),
                (queue_people.SQL["retry"], {"item_numbers": None, "barcodes": None, "reason": ""}),
                (queue_people.SQL["pause"], {"reason": "soak", "seconds": die.uniform(0.1, 3), "until": None}),
                (queue_people.SQL["resume"], {}),
            ]
            statement, parameters = die.choice(choices)
            with (
                contextlib.suppress(psycopg.OperationalError),
                psycopg.connect(self._system.postgres.dsn(), autocommit=True) as connection,
            ):
                connection.execute(statement, {"person": "dba", **parameters})
                self._notes.tended += 1

    def _undo(self, die: random.Random) -> None:
        """Act as a DBA who undoes up to five of the latest pushes, as `signum revert` does. Queued items stay so."""
        while not self._stop.wait(die.uniform(0.2, 1)):
            sent_at, asked = datetime.now(UTC), dict[int, str]()
            try:
                with psycopg.connect(self._system.postgres.dsn(), autocommit=True) as connection:
                    asked = dict(connection.execute(LATEST).fetchall())
                    ids = die.sample(sorted(asked), min(5, len(asked)))
                    asked = {update_log_id: asked[update_log_id] for update_log_id in ids}
                    cursor = connection.cursor(row_factory=dict_row)
                    rows = cursor.execute(history.SQL["revert"], {"person": "dba", "ids": ids}).fetchall()
                    self._notes.reverts += [(row["item_number"], sent_at) for row in rows if row["queued"]]
            except psycopg.OperationalError:
                pass  # the same: nothing was promised
            now = datetime.now(UTC)
            self._notes.undoings += [(number, now) for number in asked.values()]

    def _note(self, chosen: Sequence[Item], sent_at: datetime, acknowledged: bool) -> None:
        self._notes.add(chosen, sent_at, acknowledged)
        if self._most is not None and self._notes.acknowledged >= self._most:
            self.done.set()

    def _sync(self, die: random.Random) -> None:
        """Act as the ETL: send new classifications now and then, and repeat a batch until it is taken."""
        etl = Etl(self._system.api_url, self._system.etl_key)
        plain = [item for item in self._notes.items if item.oddity is None]
        while not self._stop.wait(die.uniform(1, 3)):
            changes = {item.number: die.choice(CLASSES) for item in die.sample(plain, min(20, len(plain)))}
            rows = [
                row | {"classification": changes[item.number]}
                for item in plain
                if item.number in changes
                for row in item.rows()
            ]
            self._send_until_taken(etl, rows)
            now = datetime.now(UTC)
            for number, classification in changes.items():
                self._notes.classifications[str(number)].append((now, classification))
            self._notes.syncs += 1
        etl.close()

    def _send_until_taken(self, etl: Etl, rows: list[dict[str, object]]) -> None:
        while True:
            try:
                etl.send(rows, datetime.now(UTC))
            except (httpx.TransportError, SyncRefused):
                time.sleep(0.2)
            else:
                return
