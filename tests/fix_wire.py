"""Fixtures `wire_to_postgres` and `wire_to_sierra`: a network that a test may cut, delay or silence."""

from collections.abc import Iterator

import pytest

from sandbox.wire import PostgresWire, Wire, wire_to
from tests.fix_postgres import TestDatabase
from tests.fix_sierra import SierraInThread


@pytest.fixture
def wire_to_postgres(database: TestDatabase) -> Iterator[PostgresWire]:
    """Leads to the test's database: `start("notifier", db_host=wire.host, db_port=wire.port)`."""
    with PostgresWire(database.parameters["host"], int(database.parameters["port"])) as wire:
        yield wire


@pytest.fixture
def wire_to_sierra(sierra: SierraInThread) -> Iterator[Wire]:
    """Leads to the simulator: `start("notifier", sierra_api_endpoint=through(wire, sierra.endpoint))`."""
    with wire_to(sierra.endpoint) as wire:
        yield wire
