"""A hot standby of the server that SierraDNA is on, as some hosted sites are given to read. It lags when told to.

There `pg_is_in_recovery()` is true and temporary tables can't be made. While its replay is paused, `now()` runs ahead
of the data by the time since `pg_last_xact_replay_timestamp()` (NULL until a first transaction was replayed); a
statement in the way of replay may be cancelled once it goes on (SQLSTATE 40001).
"""

import time
from pathlib import Path
from typing import Any

import psycopg

from sandbox.postgres import EmbeddedPostgres, PostgresFailed
from sandbox.standby import FLUSH, Member

_PATIENCE_SECONDS = 20.0


class LaggingStandby(Member):
    """Replays what the primary does, unless it is paused. Its databases, roles and passwords are the primary's."""

    def __init__(self, primary: EmbeddedPostgres, within: Path | None = None) -> None:
        """`primary`: one with TCP, which runs."""
        super().__init__("sierradna", within, source=primary.dsn(tcp=True))
        self._primary = primary

    def pause(self) -> None:
        """Stop replaying: what is committed at the primary from now on does not show here."""
        self.execute("SELECT pg_wal_replay_pause()")
        self._wait_for("SELECT pg_get_wal_replay_pause_state() = 'paused'")

    def resume(self) -> None:
        """Replay again."""
        self.execute("SELECT pg_wal_replay_resume()")

    def catch_up(self) -> None:
        """Wait until everything that is committed at the primary now shows here. Raise PostgresFailed."""
        self._wait_for("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", self._position())

    def receive(self) -> None:
        """Wait until it is here, whether it shows or not. Raise PostgresFailed."""
        self._wait_for("SELECT pg_last_wal_receive_lsn() >= %s::pg_lsn", self._position())

    def _position(self) -> str:
        """The primary's position in its log, with all that is committed there on disk before it."""
        with psycopg.connect(self._primary.dsn(), autocommit=True) as primary:
            primary.execute(FLUSH)
            row = primary.execute("SELECT pg_current_wal_lsn()::text").fetchone()
        assert row
        return str(row[0])

    def _wait_for(self, question: str, *parameters: Any) -> None:
        """Ask until the answer is true."""
        give_up_at = time.monotonic() + _PATIENCE_SECONDS
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            while connection.execute(question.encode(), parameters).fetchone() != (True,):
                if time.monotonic() > give_up_at:
                    raise PostgresFailed(f"the standby did not get there: {question}")
                time.sleep(0.02)
