"""The wire does what its faults say, for the tests that trust it."""

import asyncio
import time

import httpx
import psycopg
import pytest

from sandbox.wire import PostgresWire, Wire, through
from tests.fix_postgres import TestDatabase
from tests.fix_sierra import SierraInThread

CONNECTED = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"


def connect(database: TestDatabase, wire: Wire) -> psycopg.Connection[object]:
    """To the database, through the wire."""
    given = {**database.parameters, "host": wire.host, "port": wire.port, "connect_timeout": 2}
    return psycopg.connect(**given, autocommit=True)


@pytest.mark.parametrize("fault", [Wire.cut, Wire.reset, Wire.refuse])
def test_who_was_connected_is_told(database: TestDatabase, wire_to_postgres: PostgresWire, fault: object) -> None:
    with connect(database, wire_to_postgres) as connection:
        fault(wire_to_postgres)  # type: ignore[operator]
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    if fault is Wire.refuse:
        with pytest.raises(psycopg.OperationalError, match="refused"):
            connect(database, wire_to_postgres)
        wire_to_postgres.heal()
    with connect(database, wire_to_postgres) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_wire_that_falls_silent_tells_neither_side(database: TestDatabase, wire_to_postgres: PostgresWire) -> None:
    with connect(database, wire_to_postgres) as deaf, database.connect() as other:
        deaf.execute("LISTEN queue")
        wire_to_postgres.fall_silent()
        with connect(database, wire_to_postgres) as later:
            later.execute("NOTIFY queue")
        assert list(deaf.notifies(timeout=0.2)) == []
        wire_to_postgres.black_hole()
        with pytest.raises(psycopg.OperationalError, match="timeout"):
            connect(database, wire_to_postgres)
        assert other.execute(CONNECTED).fetchone() == (2,)
        wire_to_postgres.heal()
        with connect(database, wire_to_postgres):
            assert list(deaf.notifies(timeout=0.2)) == [], "who fell silent stays so"


def test_a_pooler_lets_nothing_be_heard(database: TestDatabase, wire_to_postgres: PostgresWire) -> None:
    with connect(database, wire_to_postgres) as connection:
        connection.execute("LISTEN queue")
        wire_to_postgres.drop_notifications = True
        connection.execute("NOTIFY queue")
        assert list(connection.notifies(timeout=0.2)) == []
        wire_to_postgres.drop_notifications = False
        connection.execute("NOTIFY queue")
        assert [heard.channel for heard in connection.notifies(timeout=5, stop_after=1)] == ["queue"]


def test_a_delay_delays(sierra: SierraInThread, wire_to_sierra: Wire) -> None:
    wire_to_sierra.delay(0.1)
    began = time.monotonic()
    assert httpx.get(through(wire_to_sierra, sierra.endpoint) + "/items/7", trust_env=False).status_code == 401
    assert time.monotonic() - began > 0.2


async def test_an_answer_under_way_is_lost_with_its_connection(sierra: SierraInThread, wire_to_sierra: Wire) -> None:
    asked = sierra.hold("other")
    async with httpx.AsyncClient(trust_env=False) as client:
        asking = asyncio.create_task(client.get(through(wire_to_sierra, sierra.endpoint)))
        await asked.reached()
        wire_to_sierra.reset()
        with pytest.raises(httpx.ReadError):
            await asking
