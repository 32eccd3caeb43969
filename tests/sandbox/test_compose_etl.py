"""`python -m sandbox.compose_etl` as Docker Compose runs it: `signum etl` for the sandbox's database, and no other."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict

from db.schema.migrate import migrate
from sandbox.guard import Guard
from sandbox.postgres import free_port
from sandbox.processes import Process
from tests.fix_dna import ITEMS, DnaInThread
from tests.fix_postgres import Server, TestDatabase
from tests.fix_processes import Start
from tests.fix_signum import Signum

HOUSE = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "sandbox.compose_etl"]
NOBODY = {"API_URL": "http://127.0.0.1:9", "SANDBOX_PATIENCE_SECONDS": "0"}


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


def run(database: TestDatabase, **settings: Any) -> subprocess.CompletedProcess[str]:
    given = {**database.environment(), **settings}
    return subprocess.run(COMMAND, cwd=HOUSE, env=given, capture_output=True, text=True, timeout=100, check=False)


@contextmanager
def running(database: TestDatabase, log: Path, **settings: Any) -> Iterator[Process]:
    """The sandbox's ETL while it runs."""
    given = {**database.environment(), **settings, "SANDBOX_ETL_STATE_FILE": f"{log}-state"}
    with Guard() as guard, Process("etl", "sandbox.compose_etl", log=log, settings=given, guard=guard) as process:
        yield process


def start_api(start: Start, **settings: Any) -> dict[str, str]:
    port = free_port()
    start("api", api_port=port, **settings)
    return {"API_URL": f"http://127.0.0.1:{port}"}


def holdings(database: TestDatabase) -> tuple[Any, ...]:
    return database.fetch("SELECT (SELECT count(*) FROM sierra_item), (SELECT count(*) FROM client)")[0]


def test_it_becomes_the_etl_of_the_sandboxs_sierradna_whatever_the_settings_say_and_again_after_an_end(
    database: TestDatabase, dna: DnaInThread, start: Start, tmp_path: Path, signum_process: Signum
) -> None:
    there = conninfo_to_dict(dna.login)
    given = {**start_api(start), "SANDBOX_DNA_HOST": there["host"], "SANDBOX_DNA_PORT": str(there["port"])}
    given |= {"SIERRA_DNA_HOST": "sierra.library.example", "BACKEND_URL": "https://signum.library.example"}
    for log in (tmp_path / "first", tmp_path / "again"):
        with running(database, log, **given) as etl:
            etl.wait_for_words("mode=changes")
            assert holdings(database) == (len(ITEMS), 1)
            ran = signum_process("etl", "--check", settings={"ETL_STATE_FILE": f"{log}-state"})
            assert (ran.code, ran.err) == (0, "")


@pytest.mark.parametrize("barcode", ["33010000000099", None])
def test_database_with_an_item_of_a_librarys_is_refused(database: TestDatabase, start: Start, barcode: str) -> None:
    number = database.add_item(2_000_001, barcode=barcode)
    refused = run(database, **start_api(start))
    assert refused.returncode == 1
    assert f"holds item {number} with barcode {barcode}, which is not the sandbox's" in refused.stderr
    assert holdings(database) == (1, 0)


def test_a_larger_catalogue_of_its_own_is_not_refused(database: TestDatabase, start: Start, tmp_path: Path) -> None:
    database.add_item(2_000_099, barcode="33010000000099")
    with running(database, tmp_path / "log", **start_api(start), SANDBOX_DNA_PORT="9") as etl:
        etl.wait_for_words("no SierraDNA")


@pytest.mark.parametrize("named", ["sandbox", "signum"])
def test_library_gets_nothing_whatever_the_settings_name(
    database: TestDatabase, library: TestDatabase, start: Start, named: str
) -> None:
    api = start_api(start, **library.settings())
    url = "postgresql://{user}:{password}@{host}:{port}/{dbname}".format(**library.parameters)
    refused = run(database, **api, DB_NAME=named, DATABASE_URL=url, ETL_API_KEY="a_librarys_key")
    assert refused.returncode == 1
    assert "403" in refused.stderr
    database.server.drop("sandbox")
    refused = run(database, **api, DB_NAME=named)
    assert refused.returncode == 1
    assert "no database sandbox at" in refused.stderr
    assert holdings(library) == (0, 0)


def test_api_that_never_gets_ready_is_named(database: TestDatabase) -> None:
    done = run(database, **NOBODY)
    assert (done.returncode, done.stderr) == (1, "the api at http://127.0.0.1:9 was not ready in time\n")


def test_wrong_setting_is_named(database: TestDatabase) -> None:
    done = run(database, **NOBODY, SANDBOX_DNA_PORT="many")
    assert done.returncode == 2
    assert "SANDBOX_DNA_PORT='many'" in done.stderr
