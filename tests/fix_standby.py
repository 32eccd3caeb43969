"""Fixture `pair`: a primary that streams to a hot standby, and a database on both that follows the primary.

Promotion is never the backend's act: here the test is the tool or the person that promotes.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import psycopg
import pytest

from db.schema.migrate import migrate
from sandbox import standby
from sandbox.postgres import free_port
from sandbox.processes import Process
from sandbox.standby import Member
from sandbox.wire import PostgresWire
from tests.fix_api import add_key
from tests.fix_library import Library, Station
from tests.fix_postgres import PostgresChoice, Server, TestDatabase, memory
from tests.fix_processes import Start

HOST = "127.0.0.1"
NOTIFIER = {"sierra_update_interval_seconds": 3600, "sierra_api_client_timeout_seconds": 2}  # no sweep, leases of 22 s
DRAINED_SECONDS = 60.0
LISTENING = "signum.listener listening"
SESSIONS = """
    SELECT application_name, count(*) FROM pg_stat_activity
    WHERE datname = 'signum' AND application_name <> '' AND pid <> pg_backend_pid() GROUP BY 1
"""
MOST_SESSIONS = {"signum api": 8, "signum notifier": 5, "signum listener": 1, "signum progress": 1}
MOST_WARNINGS = 10  # of a process, per failover
A_MARK_A_LINE = "request was not done"


class Pair(standby.Pair):
    """A pair whose primary has an `address`, as with a proxy or a service of Kubernetes."""

    def __init__(self, servers: standby.Pair, address: PostgresWire) -> None:
        super().__init__(servers.first, servers.second, servers.replication)
        self.address = address
        self.wires = [address]

    @property
    def by_hosts(self) -> dict[str, Any]:
        """The settings of a process that knows the pair by its hosts."""
        return hosts((HOST, self.first.port), (HOST, self.second.port))

    @property
    def by_address(self) -> dict[str, Any]:
        """The settings of a process that knows the pair by its address, not by its hosts."""
        return {"db_host": self.address.host, "db_port": self.address.port}


def hosts(*addresses: tuple[str, int]) -> dict[str, Any]:
    """The settings of a process that knows these servers."""
    return {
        "db_host": ",".join(host for host, _ in addresses),
        "db_port": ",".join(str(port) for _, port in addresses),
    }


@dataclass
class Running:
    """Real processes at work on a pair."""

    api: Process
    notifier: Process
    station: Station
    library: Library
    numbers: Iterator[int] = field(default_factory=lambda: count(2001))

    @contextmanager
    def marking(self) -> Iterator[None]:
        """The print station marks item after item: before what happens here, and after it, by itself.

        The items are new ones, and enough: the second mark of an item would hide that the first was lost.
        """
        numbers = [next(self.numbers) for _ in range(80)]
        self.library.add(*numbers)
        with self.station.at_work(*numbers):
            self.station.wait_for_marks(3)
            yield
            self.station.forget_marks()
            self.station.wait_for_marks(3)
        assert set(self.station.marks) <= {200, 503}

    def check(self, primary: Member, listened: int = 2) -> None:
        """The notifier hears notifications for the time `listened`, its start included, and each promise is kept."""
        self.notifier.wait_for_words(LISTENING, listened)
        last = next(self.numbers)
        self.library.add(last)
        self.library.mark(last)
        self.library.check(DRAINED_SECONDS)
        self.check_sessions(primary)
        self.check_logs(max(1, listened - 1))

    def check_sessions(self, server: Member) -> None:
        """Nothing has piled up at the server."""
        found = sessions_at(server)
        assert {name: count for name, count in found.items() if count > MOST_SESSIONS.get(name, 0)} == {}

    def wait_until_gone_from(self, server: Member) -> None:
        """Return when no process has a session at the server any more."""
        self.notifier.wait_until(lambda: not sessions_at(server))

    def check_logs(self, failovers: int) -> None:
        """Each process has a line per change; beside these the api has one per mark that it refused."""
        for process in (self.api, self.notifier):
            lines = process.log.read_text().splitlines()
            told = [line for line in lines if re.search(r" (?:WARNING|ERROR) ", line) and A_MARK_A_LINE not in line]
            assert len(told) <= failovers * MOST_WARNINGS, "\n".join(told)


def sessions_at(server: Member) -> dict[str, int]:
    """The number of our processes' sessions at the server, by their names."""
    with psycopg.connect(server.dsn("signum")) as connection:
        return dict(connection.execute(SESSIONS).fetchall())


def waiting_for_standby(server: Member) -> int:
    """The number of sessions whose commit waits for a synchronous standby."""
    with psycopg.connect(server.dsn()) as connection:
        (count,) = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        ).fetchone() or (0,)
        return int(count)


Run = Callable[..., Running]


@pytest.fixture
def run(database: TestDatabase, library: Library, start: Start) -> Run:
    """Start an api, a notifier that never sweeps, and a print station, with these settings of the database."""

    def run(**way: Any) -> Running:
        port = free_port()
        notifier = start("notifier", until="", **{**NOTIFIER, **way})  # which starts while the api does
        api = start("api", api_port=port, **way)
        notifier.wait_for_words(LISTENING)
        station = Station(library, f"http://127.0.0.1:{port}", add_key(database, "desk 1", "signum-printer"))
        return Running(api, notifier, station, library)

    return run


@pytest.fixture
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """A pair with a migrated database `signum`; the standby streams."""
    version = PostgresChoice().test_postgres_version
    with standby.start_pair(memory(), version) as servers, PostgresWire(HOST, servers.first.port) as address:
        servers.first.execute("CREATE DATABASE signum")
        migrate({**parameters_of(servers.first), "dbname": "signum"})
        servers.first.wait_for_standby("second")
        yield Pair(servers, address)


def parameters_of(*servers: Member) -> dict[str, Any]:
    """The parameters of a connection to that one of the servers that takes writes."""
    return {
        "host": ",".join(HOST for _ in servers),
        "port": ",".join(str(server.port) for server in servers),
        "user": servers[0].user,
        "password": servers[0].password,
        "target_session_attrs": "read-write",
        "connect_timeout": 5,
    }


@pytest.fixture
def pair_database(pair: Pair) -> TestDatabase:
    """The pair's database, wherever its primary is. A module whose `database` it is has all fixtures on it."""
    parameters = {**parameters_of(pair.first, pair.second), "dbname": "signum"}
    return TestDatabase(parameters, Server("pair", parameters))
