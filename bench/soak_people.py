"""The people of a soak: print stations, DBAs, Sierra's staff and the deployed ETL, by seeded dice, until told to stop.

They note the promises made to them in bench/soak_notes.py.
"""

import contextlib
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta

import httpx
import psycopg
from psycopg.rows import dict_row

from bench.soak_faults import LATE_WRITE_SECONDS
from bench.soak_notes import Notes
from bench.soak_staff import Staff
from db import history, queue_people
from sandbox.catalogue import Item
from sandbox.etl import Etl, Row, SyncRefused
from sandbox.system import System

AWAY = (psycopg.OperationalError, psycopg.errors.ReadOnlySqlTransaction)  # nothing was promised
CLOCK_AHEAD_SHARE = 0.2
CLASSES = ("84.2", "84.31", "85.22", "86.25", "59.35")
OF_THE_DBA = {"person": "dba", "late_seconds": LATE_WRITE_SECONDS}
MARK = """
    INSERT INTO update_queue (item_record_id) SELECT unnest(%s::bigint[]) ON CONFLICT (item_record_id) DO UPDATE
    SET revision = update_queue.revision + 1, due_at = now(), attempts = 0, last_error = NULL
"""
LATEST = """
    SELECT update_log_id, item_number FROM update_log WHERE outcome = 'pushed' ORDER BY update_log_id DESC LIMIT 50
"""


class People:
    """All of them, each in a thread, from entry to exit; `done` is set when enough marks are acknowledged."""

    def __init__(
        self,
        system: System,
        notes: Notes,
        staff: Staff,
        seed: int,
        stations: int,
        marks: int | None,
        dba_pause_seconds: float,
    ) -> None:
        self._system, self._notes, self._staff = system, notes, staff
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
            lambda die: staff.work(die, self._stop),
        ]
        dice = [random.Random(f"{seed} {place}") for place in range(len(jobs))]
        self._failures: list[Exception] = []
        self._threads = [
            threading.Thread(target=self._work, args=(job, die), daemon=True)
            for job, die in zip(jobs, dice, strict=True)
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

    def mark_again(self, numbers: Collection[str]) -> None:
        """Mark these items, as a person does who sees that Sierra shows the old text."""
        chosen, sent_at = [item for item in self._notes.items if str(item.number) in numbers], datetime.now(UTC)
        with psycopg.connect(self._system.postgres.dsn(), autocommit=True) as connection:
            connection.execute(MARK, [sorted(item.record_id for item in chosen)])
        self._note(chosen, sent_at, True)

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
                item = die.choice(die.choice([self._notes.busy, self._notes.others]))
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
            chosen = die.sample(self._notes.others, die.randint(1, 50))
            sent_at, acknowledged = datetime.now(UTC), False
            try:
                with psycopg.connect(self._system.postgres.dsn(), autocommit=True) as connection:
                    connection.execute(MARK, [sorted(item.record_id for item in chosen)])
                    acknowledged = True
            except AWAY:
                pass
            self._note(chosen, sent_at, acknowledged)

    def _tend(self, die: random.Random) -> None:
        """Act as a DBA who dismisses, retries and pauses, as `signum queue` does; a pause is over by itself in 3 s."""
        while not self._stop.wait(die.uniform(0.2, 1.5)):
            numbers = [str(item.number) for item in die.sample(self._notes.items, 5)]
            choices: list[tuple[str, dict[str, object]]] = [
                (queue_people.SQL["dismiss"], {"item_numbers": numbers}),
                (queue_people.SQL["dismiss"], {"reason": "Sierra"}),
                (queue_people.SQL["retry"], {"reason": ""}),
                (queue_people.SQL["pause"], {"reason": "soak", "seconds": die.uniform(0.1, 3)}),
                (queue_people.SQL["resume"], {}),
            ]
            statement, parameters = die.choice(choices)
            with (
                contextlib.suppress(*AWAY),
                psycopg.connect(self._system.postgres.dsn(), autocommit=True) as connection,
            ):
                # What the DBA leaves unsaid is NULL, whatever else a person may say.
                connection.execute(statement, defaultdict(lambda: None, {**OF_THE_DBA, **parameters}))
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
            except AWAY:
                pass
            now = datetime.now(UTC)
            self._notes.undoings += [(number, now) for number in asked.values()]

    def _note(self, chosen: Sequence[Item], sent_at: datetime, acknowledged: bool) -> None:
        self._notes.add(chosen, sent_at, acknowledged)
        if self._most is not None and self._notes.acknowledged >= self._most:
            self.done.set()

    def _sync(self, die: random.Random) -> None:
        """Act as the deployed ETL: send new classes, which the bibs have by now, and repeat a batch until it is taken.

        Its clock is years ahead now and then. That batch has the classes as they are, and keeps no later one out.
        """
        etl, notes = Etl(self._system.api_url, self._system.etl_key), self._notes
        while not self._stop.wait(die.uniform(0.3, 1.5)):
            items = {item.number: item for item in (*notes.busy, *die.sample(notes.plain, min(20, len(notes.plain))))}
            chosen = [items[number] for number in sorted(items)]
            if die.random() < CLOCK_AHEAD_SHARE:
                known = [_rows(item, notes.class_of(item), best_title="of a clock ahead") for item in chosen]
                self._send_until_taken(etl, known, timedelta(days=die.choice([1, 4000])))
            changes = [(item, die.choice(CLASSES)) for item in chosen]
            for item, classification in changes:
                self._staff.class_bib(item, classification)
            self._send_until_taken(etl, [_rows(item, classification) for item, classification in changes])
            now = datetime.now(UTC)
            for item, classification in changes:
                notes.classifications[str(item.number)].append((now, classification))
            notes.syncs += 1
        etl.close()

    def _send_until_taken(self, etl: Etl, rows: Sequence[Sequence[Row]], ahead: timedelta = timedelta()) -> None:
        while True:
            try:
                etl.send([row for of_item in rows for row in of_item], datetime.now(UTC) + ahead)
            except (httpx.TransportError, SyncRefused):
                time.sleep(0.2)
            else:
                return


def _rows(item: Item, classification: str | None, **more: object) -> list[Row]:
    return [row | {"classification": classification, **more} for row in item.rows()]
