"""The wire to PostgreSQL goes silent, or PostgreSQL itself goes: nothing is lost, no process spins, all recover."""

import contextlib
import os
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from notifier.backoff import RECONNECT_BASE_SECONDS
from notifier.listener import ECHO_DEADLINE_SECONDS, ECHO_INTERVAL_SECONDS
from sandbox.postgres import free_port
from sandbox.wire import PostgresWire
from tests.fix_api import add_key
from tests.fix_library import Library, Station
from tests.fix_notifier import eventually
from tests.fix_postgres import Server, TestDatabase
from tests.fix_processes import Start
from tests.fix_sierra import SierraInThread

NO_SWEEP = {"sierra_update_interval_seconds": 3600}
MODE = "SELECT mode FROM notifier_state"


@pytest.fixture
def database(own_database: TestDatabase) -> TestDatabase:
    """On a server that may be restarted."""
    return own_database


@pytest.fixture
def station(database: TestDatabase, library: Library, start: Start) -> Station:
    """A print station with an api process of its own."""
    port = free_port()
    start("api", api_port=port)
    return Station(library, f"http://127.0.0.1:{port}", add_key(database, "desk 1", "signum-printer"))


@pytest.mark.long
async def test_what_is_marked_while_the_listener_is_deaf_without_knowing_is_pushed_within_20_seconds(
    library: Library, wire_to_postgres: PostgresWire, start: Start
) -> None:
    library.add(1001)
    wire = wire_to_postgres
    notifier = start("notifier", listen_db_host=wire.host, listen_db_port=wire.port, **NO_SWEEP)
    wire.fall_silent()
    library.mark(1001)
    assert ECHO_INTERVAL_SECONDS + ECHO_DEADLINE_SECONDS + RECONNECT_BASE_SECONDS < 20
    notifier.wait_for_words("our own notification was not heard")  # on a slow machine later than that
    library.check()


@pytest.mark.long
async def test_behind_a_pooler_the_notifier_polls_says_so_and_listens_again_by_itself(
    database: TestDatabase, library: Library, wire_to_postgres: PostgresWire, start: Start
) -> None:
    library.add(1001)
    wire = wire_to_postgres
    wire.drop_notifications = True
    notifier = start(
        "notifier", until="not listening, polling", listen_db_host=wire.host, listen_db_port=wire.port, **NO_SWEEP
    )
    await eventually(database, MODE, "polling")
    library.mark(1001)
    library.check()
    wire.drop_notifications = False
    notifier.wait_for_words("signum.listener listening")
    await eventually(database, MODE, "listening")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads the processor's time as Linux shows it")
@pytest.mark.parametrize(
    "silence", [PostgresWire.refuse, pytest.param(PostgresWire.black_hole, marks=pytest.mark.long)]
)
def test_an_outcome_is_kept_while_the_database_is_away_without_haste(
    library: Library,
    sierra: SierraInThread,
    wire_to_postgres: PostgresWire,
    start: Start,
    silence: Callable[[PostgresWire], None],
) -> None:
    library.add(1001, 1002)
    written = sierra.hold("put_item", after_applying=True)
    wire = wire_to_postgres
    notifier = start("notifier", db_host=wire.host, db_port=wire.port, **NO_SWEEP)
    library.mark(1001)
    written.block_until_reached()
    silence(wire)
    computed = notifier.cpu_seconds
    written.off()
    library.mark(1002)
    notifier.wait_for_words("database away, keeping the outcome")
    notifier.wait_for_words("not listening, polling")
    wire.heal()
    library.check(at_most=40)
    assert notifier.cpu_seconds - computed < 2
    assert len(sierra.requests("put_item")) == 2
    warnings = [line.partition(" ")[2] for line in notifier.log.read_text("utf-8").splitlines() if " WARNING " in line]
    assert len(warnings) == len(set(warnings)), "each reason is told once, not at each try"


def test_a_print_station_is_told_in_time_that_the_wire_is_silent_and_served_when_it_is_not(
    database: TestDatabase, library: Library, wire_to_postgres: PostgresWire, start: Start
) -> None:
    library.add(1001)
    wire = wire_to_postgres
    port = free_port()
    start("api", api_port=port, db_host=wire.host, db_port=wire.port)
    key = add_key(database, "desk 1", "signum-printer")
    station = Station(library, f"http://127.0.0.1:{port}", key, patience_seconds=5)
    assert station.print_label(1001) == 200
    wire.black_hole()
    assert station.print_label(1001) == 503  # within the client's 5 s: its own time-out would raise
    wire.heal()
    with station.at_work(1001):
        station.forget_marks()
        station.wait_for_marks(3)
    assert set(station.marks) <= {200, 503}
    start("notifier", **NO_SWEEP)
    library.check()


def kill_one(database: TestDatabase) -> None:
    """SIGKILL for one of the server's processes: it takes all down, recovers from its log, and goes on by itself."""
    with database.connect() as dba:
        ((pid,),) = dba.execute("SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'").fetchall()
        os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(psycopg.OperationalError):
            dba.execute("SELECT pg_sleep(10)")


def test_postgres_is_restarted_and_crashes_under_load(
    own_server: Server, database: TestDatabase, library: Library, station: Station, start: Start
) -> None:
    """No item waits for its lease of 80 s: not one whose claim was committed as PostgreSQL went, and never answered."""
    numbers = (1001, 1002, 1003)
    library.add(*numbers)
    start("notifier", **NO_SWEEP)
    postgres = own_server.embedded
    assert postgres
    with station.at_work(*numbers):
        station.wait_for_marks(3)
        restarts = [partial(postgres.restart, "fast"), partial(postgres.restart, "immediate")]
        for fail in (*restarts, partial(kill_one, database)):
            fail()
            station.forget_marks()
            station.wait_for_marks(3)
    assert set(station.marks) <= {200, 503}
    library.check(at_most=40)


def test_a_database_that_refuses_work_for_a_while_acknowledges_nothing_and_loses_nothing(
    database: TestDatabase, library: Library, station: Station, start: Start
) -> None:
    """A standby, an index that is built, a session that was forgotten: what a DBA does on a working day."""
    library.add(1001, 1002)
    start("notifier", **NO_SWEEP)
    name: Any = database.parameters["dbname"]
    assert station.print_label(1001) == 200
    library.check()
    with database.connect() as dba, dba.transaction():
        dba.execute("LOCK TABLE update_queue IN ACCESS EXCLUSIVE MODE")
        assert station.print_label(1001) == 503
    assert station.print_label(1001) == 200
    library.check()
    with database.connect() as dba:
        dba.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        dba.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        assert station.print_label(1001) == 503
        dba.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    with station.at_work(1001, 1002):  # a session that only reads takes up to a second of marks
        station.wait_for_marks(4)
    library.check()
