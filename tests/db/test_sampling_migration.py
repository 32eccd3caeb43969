"""Migration 0014: a notifier may say that it samples, one of the release before need not, and the way back is clear."""

import pytest
from psycopg.errors import CheckViolation

from db.schema.migrate import downgrade, migrate
from tests.fix_postgres import TestDatabase

BEAT = "INSERT INTO notifier_state (notifier, mode, breaker) VALUES (%s, 'listening', %s)"
SAID = "SELECT breaker FROM notifier_state ORDER BY notifier"


def test_sampling_is_a_state_beside_those_of_the_release_before(empty_database: TestDatabase) -> None:
    migrate(empty_database.parameters, "0013")
    empty_database.fetch(BEAT, "n1", "open")
    with pytest.raises(CheckViolation):
        empty_database.fetch(BEAT, "n2", "sampling")
    migrate(empty_database.parameters, "0014")
    empty_database.fetch(BEAT, "n2", "sampling")
    empty_database.fetch(BEAT, "n3", "probing")
    with pytest.raises(CheckViolation):
        empty_database.fetch(BEAT, "n4", "ajar")
    assert empty_database.fetch(SAID) == [("open",), ("sampling",), ("probing",)]


def test_on_the_way_back_a_notifier_that_samples_is_closed(empty_database: TestDatabase) -> None:
    migrate(empty_database.parameters, "0014")
    empty_database.fetch(BEAT, "n1", "sampling")
    downgrade(empty_database.parameters, "0013")
    assert empty_database.fetch(SAID) == [("closed",)]
