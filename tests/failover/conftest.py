"""The tests of this folder meet a pair of servers: their database is on both, wherever the primary is."""

import pytest

from tests.fix_postgres import TestDatabase


@pytest.fixture
def database(pair_database: TestDatabase) -> TestDatabase:
    """On a pair of servers."""
    return pair_database
