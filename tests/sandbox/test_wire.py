"""The failing network keeps what a real one keeps: a server does not see that a client behind a silent wire left."""

from typing import Any

import psycopg

from sandbox.wire import PostgresWire
from tests.fix_notifier import eventually
from tests.fix_postgres import TestDatabase

LEFT = "SELECT count(*)::int FROM pg_stat_activity WHERE application_name = 'left behind'"


async def test_session_of_a_client_that_left_a_silent_wire_stays_until_the_wire_ends_it(
    database: TestDatabase, wire_to_postgres: PostgresWire
) -> None:
    wire, way = wire_to_postgres, dict[str, Any](database.parameters)
    way |= {"host": wire.host, "port": wire.port, "hostaddr": wire.host}
    client = psycopg.connect(**{**way, "application_name": "left behind"})
    wire.fall_silent()
    client.close()
    with psycopg.connect(**way) as later:
        assert database.fetch(LEFT) == [(1,)]
        wire.end_silent()
        await eventually(database, LEFT, 0)
        later.execute("SELECT 1")
