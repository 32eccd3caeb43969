"""Fixture `library`: the items of both sides, all that marks, classifies and reads them, and each promise of a mark.

A test does what it likes to the processes meanwhile, and ends with `library.check()`.
"""

import contextlib
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import psycopg
import pytest

from sandbox.invariants import Logged, Story, broken
from sandbox.records import Record
from tests.fix_notifier import mark
from tests.fix_postgres import TestDatabase
from tests.fix_sierra import SierraInThread, make_record

OLD, NEW = "84.2 Jännitys", "84.31"
WAITING = """
    SELECT item_number FROM update_queue JOIN sierra_item USING (item_record_id)
    WHERE due_at IS NOT NULL AND pushed_revision IS DISTINCT FROM revision
"""
LOG = "SELECT item_number, outcome, finished_at, error, call_number_after FROM update_log ORDER BY update_log_id"


class Library:
    """Keeps what the invariants are checked against."""

    def __init__(self, database: TestDatabase, sierra: SierraInThread) -> None:
        self._database, self._sierra = database, sierra
        self._marks: list[tuple[str, datetime]] = []
        self._classifications: dict[str, list[tuple[datetime, str | None]]] = {}
        self._before: dict[str, Record] = {}
        self.ids: dict[str, int] = {}
        self.reads: list[int] = []

    def add(self, *numbers: int) -> list[int]:
        """Items to be classified `NEW`, which are `OLD` in Sierra; their item_record_ids."""
        records = [make_record(str(number), OLD) for number in numbers]
        self._sierra.add(*records)
        self._before |= {record.number: record for record in records}
        for number in numbers:
            self._classifications[str(number)] = [(datetime.now(UTC), NEW)]
            self.ids[str(number)] = self._database.add_item(number, classification=NEW)
        return [self.ids[str(number)] for number in numbers]

    def classify(self, number: int, classification: str | None) -> None:
        """Store a new class, as the ETL does."""
        self._database.fetch(
            "UPDATE sierra_item SET classification = %s WHERE item_number = %s", classification, str(number)
        )
        self._classifications[str(number)].append((datetime.now(UTC), classification))

    def mark(self, *numbers: int) -> None:
        """Mark all in one statement, as a DBA or a script does."""
        sent_at = datetime.now(UTC)
        mark(self._database, *(self.ids[str(number)] for number in numbers))
        self.acknowledged(*numbers, sent_at=sent_at)

    def acknowledged(self, *numbers: int, sent_at: datetime) -> None:
        """Note that a client was told that these are marked."""
        self._marks += [(str(number), sent_at) for number in numbers]

    def wait_until_drained(self, at_most: float) -> float:
        """Return when nothing is due or in flight: how many seconds that took. The database may be away meanwhile."""
        began = time.monotonic()
        waiting: list[str] | None = None
        while time.monotonic() - began < at_most:
            with contextlib.suppress(psycopg.OperationalError):
                waiting = self._waiting()
                if not waiting:
                    return time.monotonic() - began
            time.sleep(0.02)
        pytest.fail(f"not drained after {at_most} s, these wait: {waiting}")

    def check(self, at_most: float = 15, lapsed: tuple[int, ...] = ()) -> float:
        """Every promise was kept, `at_most` seconds from now. `lapsed`: see sandbox/invariants.py. Seconds it took."""
        seconds = self.wait_until_drained(at_most)
        assert self.broken(lapsed) == []
        return seconds

    def broken(self, lapsed: tuple[int, ...] = ()) -> list[str]:
        """A sentence for each promise that is broken now."""
        return broken(self._story(lapsed))

    def _story(self, lapsed: tuple[int, ...]) -> Story:
        return Story(
            marks=self._marks,
            classifications=self._classifications,
            before=self._before,
            after={number: self._sierra.record(number) for number in self._before},
            writes=self._sierra.requests("put_item"),
            waiting=self._waiting(),
            log=[Logged(*row) for row in self._database.fetch(LOG)],
            reads=self.reads,
            lapsed=lapsed,
        )

    def _waiting(self) -> list[str]:
        return [number for (number,) in self._database.fetch(WAITING)]


class Station:
    """A print station at an api process, never content: it reads and marks until it is told to stop."""

    def __init__(self, library: Library, url: str, key: str, patience_seconds: float = 30) -> None:
        self._library = library
        self._http = httpx.Client(base_url=url, headers={"x-api-key": key}, timeout=patience_seconds, trust_env=False)
        self.marks: list[int] = []
        self.acknowledged = threading.Semaphore(0)

    def print_label(self, number: int) -> int:
        """Read, print, mark; the answer to the mark. A client that follows the README takes 503 for "try later"."""
        self._library.reads.append(self._http.get(f"/itemdata/3301{number:010}").status_code)
        sent_at = datetime.now(UTC)
        status = self._http.put(f"/itemdata/{self._library.ids[str(number)]}").status_code
        self.marks.append(status)
        if status == 200:
            self._library.acknowledged(number, sent_at=sent_at)
            self.acknowledged.release()
        return status

    @contextlib.contextmanager
    def at_work(self, *numbers: int, pause_seconds: float = 0.05) -> Iterator[None]:
        """It prints these labels over and over meanwhile. What it meets that is no answer at all is raised here."""
        stop = threading.Event()
        met: list[Exception] = []

        def work() -> None:
            try:
                while not stop.wait(pause_seconds):
                    self.print_label(numbers[len(self.marks) % len(numbers)])
            except Exception as error:
                met.append(error)

        thread = threading.Thread(target=work, name="print station")
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
        if met:
            raise met[0]

    def wait_for_marks(self, count: int, at_most: float = 15) -> None:
        """Return when so many more are acknowledged than when this was last asked."""
        for done in range(count):
            assert self.acknowledged.acquire(timeout=at_most), f"{done} of {count} marks within {at_most} s"

    def forget_marks(self) -> None:
        """Those so far do not count for `wait_for_marks`."""
        while self.acknowledged.acquire(blocking=False):
            pass


@pytest.fixture
def library(database: TestDatabase, sierra: SierraInThread) -> Library:
    """Empty; `library.add(1001)` fills it."""
    return Library(database, sierra)
