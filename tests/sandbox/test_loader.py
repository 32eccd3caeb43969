"""`python -m sandbox.loader` as Docker Compose runs it: it loads the sandbox's own database, and no other."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from db.schema.migrate import migrate
from sandbox.postgres import free_port
from tests.fix_postgres import Server, TestDatabase
from tests.fix_processes import Start

HOUSE = Path(__file__).parents[2]
NOBODY = {"API_URL": "http://127.0.0.1:9", "LOADER_PATIENCE_SECONDS": "0"}


def make(server: Server, name: str) -> Iterator[TestDatabase]:
    made = TestDatabase({**server.parameters, "dbname": name}, server)
    server.create(name)
    migrate(made.parameters)
    try:
        yield made
    finally:
        server.drop(name)


@pytest.fixture
def database(own_server: Server) -> Iterator[TestDatabase]:
    """The database of a sandbox, and this module's."""
    yield from make(own_server, "sandbox")


@pytest.fixture
def library(own_server: Server) -> Iterator[TestDatabase]:
    """A library's own database on the same server, as `.env` names it."""
    yield from make(own_server, "signum")


def load(database: TestDatabase, **settings: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sandbox.loader"],
        cwd=HOUSE,
        env={**database.environment(), "SANDBOX_ITEMS": "22", **settings},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def start_api(start: Start, **settings: Any) -> dict[str, str]:
    port = free_port()
    start("api", api_port=port, **settings)
    return {"API_URL": f"http://127.0.0.1:{port}"}


def holdings(database: TestDatabase) -> tuple[Any, ...]:
    return database.fetch("SELECT (SELECT count(*) FROM sierra_item), (SELECT count(*) FROM client)")[0]


def test_it_loads_the_catalogue_once_and_ends(database: TestDatabase, start: Start) -> None:
    api = start_api(start)
    first, again = load(database, **api), load(database, **api)
    assert (first.returncode, first.stderr) == (0, "22 items loaded\n")
    assert (again.returncode, again.stderr) == (0, "0 items loaded\n")


@pytest.mark.parametrize("barcode", ["33010000000099", None])
def test_database_with_an_item_of_a_librarys_is_refused(database: TestDatabase, start: Start, barcode: str) -> None:
    number = database.add_item(2_000_001, barcode=barcode)
    refused = load(database, **start_api(start))
    assert refused.returncode == 1
    assert f"holds item {number} with barcode {barcode}, which is not the sandbox's" in refused.stderr
    assert holdings(database) == (1, 0)


def test_a_larger_catalogue_of_its_own_is_not_refused(database: TestDatabase, start: Start) -> None:
    database.add_item(2_000_099, barcode="33010000000099")
    assert load(database, **start_api(start)).returncode == 0


@pytest.mark.parametrize("named", ["sandbox", "signum"])
def test_library_gets_nothing_whatever_the_settings_name(
    database: TestDatabase, library: TestDatabase, start: Start, named: str
) -> None:
    api = start_api(start, **library.settings())
    url = "postgresql://{user}:{password}@{host}:{port}/{dbname}".format(**library.parameters)
    refused = load(database, **api, DB_NAME=named, DATABASE_URL=url, ETL_API_KEY="a_librarys_key")
    assert refused.returncode == 1
    assert "403" in refused.stderr
    database.server.drop("sandbox")
    refused = load(database, **api, DB_NAME=named)
    assert refused.returncode == 1
    assert "no database sandbox at" in refused.stderr
    assert holdings(library) == (0, 0)


def test_api_that_never_gets_ready_is_named(database: TestDatabase) -> None:
    done = load(database, **NOBODY)
    assert (done.returncode, done.stderr) == (1, "the api at http://127.0.0.1:9 was not ready in time\n")


def test_wrong_setting_is_named(database: TestDatabase) -> None:
    done = load(database, **NOBODY, SANDBOX_ITEMS="many")
    assert done.returncode == 2
    assert "SANDBOX_ITEMS='many'" in done.stderr
