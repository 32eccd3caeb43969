"""Runs pairs of PostgreSQL servers: one streams to the other, which can be promoted and take the first one's place."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from sandbox.postgres import EmbeddedPostgres, PostgresFailed, Version
from sandbox.wire import Wire

FLUSH = "SELECT pg_logical_emit_message(true, 'signum', 'flush')"  # commits of others, which did not wait for the disk
STREAMING = """
    SELECT sync_state FROM pg_stat_replication
    WHERE application_name = %s AND state = 'streaming' AND replay_lsn >= pg_current_wal_lsn()
"""
_PATIENCE_SECONDS = 20.0


class Member(EmbeddedPostgres):
    """One server of a pair: a primary, or with `source`, a connection string, a hot standby of the server there.

    Its data are a base backup of the source then, its roles and passwords too. On 127.0.0.1 only.
    """

    def __init__(self, name: str, within: Path | None = None, *, source: str | None = None, version: Version = 18):
        """`name` is the standby's in its primary's `synchronous_standby_names` and `pg_stat_replication`."""
        super().__init__(within, tcp=True, version=version)
        self.name = name
        self._source = source
        if source is not None:
            self.password = str(conninfo_to_dict(source)["password"])

    def promote(self) -> None:
        """Promote it: it takes writes on return. The old primary is not told."""
        self.execute("SELECT pg_promote(true, 60)")

    def follow(self, source: str) -> None:
        """Become a standby of the server at `source`, at the same address: stop, take a new base backup, start."""
        self.stop("immediate")
        shutil.rmtree(self.folder / "data")
        self._source = source
        self._make_cluster()
        self.start()

    def execute(self, *statements: str) -> None:
        """Run the statements, each by itself, outside a transaction."""
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def set(self, name: str, value: str) -> None:
        """Set a setting of the whole server, sessions at work too."""
        self.execute(f"ALTER SYSTEM SET {name} = '{value}'", "SELECT pg_reload_conf()")

    def wait_for_standby(self, name: str, sync_state: str = "async") -> None:
        """Return when the standby of that name streams from it, in that state, and has all that is here."""
        give_up_at, found = time.monotonic() + _PATIENCE_SECONDS, None
        with psycopg.connect(self.dsn(), autocommit=True, options="-c synchronous_commit=local") as connection:
            connection.execute(FLUSH)
            while found != (sync_state,):
                if time.monotonic() > give_up_at:
                    raise PostgresFailed(f"standby {name} is {found}, not {sync_state}: {self.log.read_text()[-2000:]}")
                time.sleep(0.02)
                found = connection.execute(STREAMING, [name]).fetchone()

    def _make_cluster(self) -> None:
        if self._source is None:
            super()._make_cluster()
        else:
            self._copy(f"{self._source} application_name={self.name}")

    def _copy(self, source: str) -> None:
        data = self.folder / "data"
        done = subprocess.run(  # noqa: S603
            [
                *(self.program("pg_basebackup"), "--pgdata", data, "--dbname", source),
                *("--write-recovery-conf", "--checkpoint=fast", "--no-sync"),
            ],
            capture_output=True,
            text=True,
            check=False,
            **self._as_owner(),
        )
        if done.returncode:
            raise PostgresFailed(f"pg_basebackup ended with {done.returncode}: {done.stderr}")
        own = {"port": self.port, "unix_socket_directories": self.folder, "synchronous_standby_names": ""}
        with (data / "postgresql.auto.conf").open("a") as settings:
            settings.writelines(f"{name} = '{value}'\n" for name, value in own.items())


class Pair:
    """Two servers: `primary` takes writes, `standby` follows it; `first` and `second` stay what they were at the start.

    `replication` is the wire on which the second follows the first. `wires` lead to the primary, as a proxy or a
    service of Kubernetes does: `lead_to_primary` moves them for new connections, those that are there stay.
    """

    def __init__(self, first: Member, second: Member, replication: Wire) -> None:
        self.first, self.second, self.replication = first, second, replication
        self.primary, self.standby = first, second
        self.wires: list[Wire] = []

    def be_synchronous(self) -> None:
        """Have the primary acknowledge no commit before the standby has it."""
        self.primary.set("synchronous_standby_names", f'"{self.standby.name}"')  # `first` is a word of its syntax
        self.primary.wait_for_standby(self.standby.name, "sync")

    def cut_replication(self) -> None:
        """Let the standby have all that is here by now, and nothing that comes later."""
        self.primary.wait_for_standby(self.standby.name)
        self.replication.refuse()

    def promote(self) -> None:
        """Promote the standby, whatever the old primary does."""
        self.standby.promote()
        self.primary, self.standby = self.standby, self.primary

    def fail_over(self) -> None:
        """Crash the primary, and promote the standby."""
        self.primary.stop("immediate")
        self.promote()

    def switch_over(self) -> None:
        """Stop the primary in order, which sends the standby all that it has, and promote the standby."""
        self.primary.stop("fast")
        self.promote()

    def take_back(self) -> None:
        """Make the old primary the new one's standby."""
        self.standby.follow(self.primary.dsn(tcp=True))
        self.primary.wait_for_standby(self.standby.name)

    def lead_to_primary(self) -> None:
        """Have the wires lead new connections to the primary."""
        for wire in self.wires:
            wire.lead_to(self.primary.tcp_host, self.primary.port)


@contextmanager
def start_pair(within: Path | None = None, version: Version = 18) -> Iterator[Pair]:
    """A pair that streams, gone on exit."""
    with ExitStack() as stack:
        first = stack.enter_context(Member("first", within, version=version))
        first.set("wal_retrieve_retry_interval", "100ms")  # for a standby whose primary was restarted; else 5 s
        replication = stack.enter_context(Wire(first.tcp_host, first.port))
        source = first.dsn(tcp=True).replace(f"port={first.port}", f"port={replication.port}")
        second = stack.enter_context(Member("second", within, source=source, version=version))
        first.wait_for_standby("second")
        yield Pair(first, second, replication)
