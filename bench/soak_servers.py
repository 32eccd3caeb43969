"""The faults of a soak's two database servers: one takes the other's place, and marks wait for a standby that is gone.

The pair is synchronous, so no acknowledged mark may be lost, whichever server is lost. After each fault the old
primary is a standby again, and what api and notifiers do by themselves is waited for.
"""

import contextlib
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg

from sandbox.processes import Process
from sandbox.standby import Member, Pair
from sandbox.system import System, is_ready

HEARD = "SELECT count(*) FROM notifier_state WHERE notifier LIKE %s AND seen_at > %s AND mode = 'listening'"
# Those that wait for the standby that was promoted end with their server only: their clients have left them.
SESSIONS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE application_name LIKE 'signum %' AND wait_event IS DISTINCT FROM 'SyncRep'
"""


class ServerFaults:
    """The faults of the servers, by the names of the methods."""

    def __init__(self, system: System, die: random.Random) -> None:
        self._system, self._die = system, die

    def rest(self, least: float, most: float) -> None:
        """Let the system work for a while."""
        time.sleep(self._die.uniform(least, most))

    def lose_standby(self) -> None:
        """Lose the synchronous standby for some seconds: no mark can be acknowledged meanwhile."""
        with self._without_standby():
            self.rest(0.5, 7)

    def fail_over(self) -> None:
        """Crash the primary, half of the times while its standby is away, and promote the standby."""
        if self._die.random() < 0.5:
            with self._without_standby():
                self.rest(0.5, 7)
                self._pair.primary.stop("immediate")
        else:
            self._pair.primary.stop("immediate")
        self._pair.promote()
        self._follow()
        self._restore()

    def switch_over(self) -> None:
        """Stop the primary in order, and promote the standby."""
        self._pair.switch_over()
        self._follow()
        self._restore()

    def leave_read_only(self) -> None:
        """Leave the old primary up, read-only, as the standby is promoted: the sessions there must be given up."""
        old = self._pair.primary
        for wire in self._pair.wires:  # or sessions whose clients left them long ago would be waited for
            wire.end_silent()
        old.set("default_transaction_read_only", "on")
        self._pair.promote()
        self._follow()
        for process in self._system.backend:
            process.wait_until(lambda: not _sessions_at(old))
        self._restore()

    @property
    def _pair(self) -> Pair:
        assert self._system.pair
        return self._system.pair

    @contextlib.contextmanager
    def _without_standby(self) -> Iterator[None]:
        self._pair.standby.stop("immediate")
        yield
        self._pair.standby.start()

    def _follow(self) -> None:
        """Lead the wires to the new primary; wait until the api is ready and all notifiers hear notifications there."""
        since = datetime.now(UTC)
        self._pair.lead_to_primary()
        for process in self._system.backend:
            if process.name == "api":
                process.wait_until(lambda: is_ready(self._system.api_url))
            else:
                process.wait_until(lambda process=process: self._is_heard(process, since))  # type: ignore[misc]

    def _is_heard(self, notifier: Process, since: datetime) -> bool:
        with psycopg.connect(self._system.postgres.dsn()) as connection:
            return connection.execute(HEARD, [f"%:{notifier.pid}:%", since]).fetchone() != (0,)

    def _restore(self) -> None:
        """Make the old primary a synchronous standby of the new one."""
        self._pair.take_back()
        self._pair.be_synchronous()


def _sessions_at(server: Member) -> int:
    with psycopg.connect(server.dsn()) as connection:
        (count,) = connection.execute(SESSIONS).fetchone() or (0,)
        return int(count)
