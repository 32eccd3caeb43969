"""The faults of a soak, one after the other, by seeded dice; after each the system is well again.

A process that a fault ends is started again and waited for, so that the next fault meets a system at work.
"""

import contextlib
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
import psycopg

from bench.soak_notes import Notes
from bench.soak_wires import WireFaults
from sandbox.processes import Process
from sandbox.system import System, is_ready

TERMINATE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND application_name <> ''"
)
SIERRAS: tuple[dict[str, Any], ...] = (
    {"status": 500, "code": 132, "specific_code": 2, "kind": "put_item"},
    {"status": 500, "code": 112},
    {"status": 503, "code": 117},
    {"status": 429, "retry_after": "1"},
    {"html": True, "status": 502},
    {"manner": "empty"},
    {"manner": "hang"},
    {"manner": "cut"},
    {"manner": "empty", "kind": "put_item", "after_applying": True},
    {"manner": "cut", "kind": "get_items"},
    {"delay_seconds": 0.2},
)
DNAS: tuple[dict[str, Any], ...] = (
    {},
    {"connection_limit": 0},
    {"slow_views": {"item_record": 0.05}},
    {"forbidden_views": ["subfield"]},
    {"properties_held": True},
)
# Answers to a PUT that lands later: none, an empty one, which the notifier's client repeats at once, and a proxy's.
LATE: tuple[dict[str, Any], ...] = ({}, {}, {"manner": "empty"}, {"status": 504, "html": True})
LATEST_SECONDS = 5.0
LATE_WRITE_SECONDS = LATEST_SECONDS + 3  # the notifiers' setting: a failover may take longer
BEAT = "SELECT count(*) FROM notifier_state WHERE notifier LIKE %s AND seen_at > %s"


class Chaos(WireFaults):
    """The faults, by the names of the methods here and there, each as often as it is given. `met` counts them."""

    def __init__(self, system: System, seed: int, faults: Sequence[str], notes: Notes) -> None:
        super().__init__(system, random.Random(f"{seed} faults"))
        self._faults, self._notes = faults, notes
        self._deck: list[str] = []
        self._sierra = httpx.Client(base_url=f"{system.sierra_url}/_sandbox", timeout=10, trust_env=False)
        self.met, self.last = Counter[str](), ""

    def strike(self) -> None:
        """Do one fault, end Sierra's last trouble, and bring up again what the fault ended."""
        self._end_troubles()
        if not self._deck:
            self._deck = list(self._faults)
            self._die.shuffle(self._deck)
        name = self._deck.pop()
        self.met[name] += 1
        act: Callable[[], None] = getattr(self, name)
        self.last = name
        act()

    def heal(self) -> None:
        """End Sierra's trouble, once all late writes have landed."""
        self._end_troubles()
        give_up_at = time.monotonic() + 2 * LATEST_SECONDS
        while any(late["write"] == "late" and not late["landed_ns"] for late in self._puts()):
            if time.monotonic() > give_up_at:
                raise TimeoutError("late writes did not land")
            time.sleep(0.25)

    def _end_troubles(self) -> None:
        self._sierra.delete("/faults").raise_for_status()
        self._sierra.delete("/dna/faults").raise_for_status()

    def ignored(self) -> set[str]:
        """Return the numbers of the items of which Sierra ignored a PUT."""
        return {put["item_numbers"][0] for put in self._puts() if put["write"] == "never"}

    def _puts(self) -> list[dict[str, Any]]:
        puts: list[dict[str, Any]] = self._sierra.get("/journal", params={"kind": "put_item"}).json()
        return puts

    def kill_notifier(self) -> None:
        """SIGKILL."""
        self._kill("notifier")

    def end_notifier(self) -> None:
        """SIGTERM."""
        self._end("notifier")

    def freeze_notifier(self) -> None:
        """SIGSTOP for up to three seconds: less than its lease."""
        self._freeze(self._any("notifier"), 3)

    def kill_api(self) -> None:
        """SIGKILL."""
        self._kill("api")

    def end_api(self) -> None:
        """SIGTERM."""
        self._end("api")

    def freeze_api(self) -> None:
        """SIGSTOP for up to two seconds."""
        self._freeze(self._any("api"), 2)

    def kill_etl(self) -> None:
        """SIGKILL."""
        self._kill("etl")

    def end_etl(self) -> None:
        """SIGTERM."""
        self._end("etl")

    def freeze_etl(self) -> None:
        """SIGSTOP for up to three seconds."""
        self._freeze(self._any("etl"), 3)

    def disturb_sierra_dna(self) -> None:
        """End the login's sessions, and have the next ones refused, slow, or told nothing until the next fault."""
        self._sierra.put("/dna/faults", json=self._die.choice(DNAS)).raise_for_status()
        self._sierra.post("/dna/disconnect").raise_for_status()

    def restart_postgres(self) -> None:
        """Restart PostgreSQL in order: sessions are broken off."""
        self._system.postgres.restart("fast")

    def crash_postgres(self) -> None:
        """Crash PostgreSQL: it recovers from its log."""
        self._system.postgres.restart("immediate")

    def end_sessions(self) -> None:
        """End every session but ours, as an administrator or a failover does."""
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self._system.postgres.dsn()) as connection:
            connection.execute(TERMINATE)

    def trouble_sierra(self) -> None:
        """Have requests answered otherwise, late, or not at all, until the next fault."""
        fault = {**self._die.choice(SIERRAS), "times": self._die.randint(1, 200)}
        self._sierra.post("/faults", json=fault).raise_for_status()

    def write_late(self) -> None:
        """Have the next PUT of each busy item land seconds later. Its client hears nothing of it, or an error."""
        for item in self._notes.busy:
            late = {"kind": "put_item", "item": str(item.number), "write": "late", "times": 1}
            late |= {"delay_seconds": self._die.uniform(0.5, LATEST_SECONDS), **self._die.choice(LATE)}
            self._sierra.post("/faults", json=late).raise_for_status()
        self.rest(0.5, 2)

    def fail_over_amid_late_writes(self) -> None:
        """Promote the standby while writes are unanswered: it may not know of their claims."""
        self.write_late()
        self.fail_over()

    def lock_records(self) -> None:
        """Have the PUTs of the busy items answered 204 and not done, until the next fault."""
        for item in self._notes.busy:
            ignored = {"kind": "put_item", "item": str(item.number), "write": "never"}
            self._sierra.post("/faults", json=ignored).raise_for_status()
        self.rest(0.5, 2)

    def leave_log_unread(self) -> None:
        """Leave the log of a process unread, in a full pipe, for up to five seconds, in which it must go on."""
        process = self._any(self._die.choice(["api", "notifier"]))
        assert process.pipe
        since = datetime.now(UTC)
        with process.pipe.unread():
            self.rest(0.5, 5)
            if process.name == "api":
                process.wait_until(lambda: is_ready(self._system.api_url))
            else:
                process.wait_until(lambda: self._beat(process, since))

    def _beat(self, notifier: Process, since: datetime) -> bool:
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self._system.postgres.dsn()) as connection:
            return connection.execute(BEAT, [f"%:{notifier.pid}:%", since]).fetchone() != (0,)
        return False

    def expire_tokens(self) -> None:
        """End the life of all tokens early."""
        self._sierra.post("/tokens/expire").raise_for_status()

    def _any(self, kind: str) -> Process:
        return self._die.choice([process for process in self._system.running if process.name == kind])

    def _kill(self, kind: str) -> None:
        process = self._any(kind)
        process.kill()
        self._start(process)

    def _end(self, kind: str) -> None:
        process = self._any(kind)
        process.stop()
        self._start(process)

    def _freeze(self, process: Process, most_seconds: float) -> None:
        process.freeze()
        try:
            self.rest(0.2, most_seconds)
        finally:
            process.thaw()

    def _start(self, process: Process) -> None:
        process.start()
        if process.name == "api":
            process.wait_until(lambda: is_ready(self._system.api_url))
        else:
            process.wait_for_words(" started" if process.name == "etl" else " listening")
