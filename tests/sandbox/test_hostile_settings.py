"""Nothing that stands in `.env` or the environment leads a sandbox, or a test, to a library's Sierra or database."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from sandbox.catalogue import make_catalogue
from sandbox.postgres import EmbeddedPostgres
from tests.conftest import LIBPQ, SETTINGS
from tests.fix_postgres import Server, TestDatabase, refuse_a_librarys
from tests.fix_sierra import SierraInThread

HOUSE = Path(__file__).parents[2]
PARTS = ("alembic", "api", "cli", "db", "etl", "notifier", "runtime", "sandbox", "pyproject.toml")


@pytest.fixture
def checkout() -> Iterator[Path]:
    """A checkout of its own, for the `.env` in it, where PostgreSQL's user can reach it."""
    folder = Path("/tmp") / f"signum-checkout-{os.getpid()}"
    folder.mkdir(mode=0o755)
    for part in PARTS:
        copy = shutil.copytree if (HOUSE / part).is_dir() else shutil.copy
        copy(HOUSE / part, folder / part)
    yield folder
    shutil.rmtree(folder)


def settings_of(library: TestDatabase, real: SierraInThread) -> dict[str, str]:
    """All that leads to the library, by each of the names there are."""
    database = library.environment()
    return {
        **{name: value for name, value in database.items() if name != "SETTINGS_FILE"},
        "DATABASE_URL": "postgresql://{DB_USER}:{DB_PASSWORD}@{DB_HOST}:{DB_PORT}/{DB_NAME}".format(**database),
        "LISTEN_DB_HOST": database["DB_HOST"],
        "LISTEN_DB_PORT": database["DB_PORT"],
        "PGHOST": database["DB_HOST"],
        "PGHOSTADDR": database["DB_HOST"],
        "PGPORT": database["DB_PORT"],
        "PGPASSWORD": database["DB_PASSWORD"],
        "SIERRA_API_ENDPOINT": real.endpoint,
        "SIERRA_API_CLIENT_KEY": real.key,
        "SIERRA_API_CLIENT_SECRET": real.secret,
    }


@pytest.mark.long
@pytest.mark.parametrize("by_file", [True, False])
def test_demo_goes_to_no_sierra_and_no_database_but_its_own(
    own_server: Server, own_database: TestDatabase, sierra: SierraInThread, checkout: Path, by_file: bool
) -> None:
    sierra.add(*make_catalogue(22))
    real = settings_of(own_database, sierra)
    (checkout / ".env").write_text("".join(f"{name}={value}\n" for name, value in real.items()))
    given = {"SETTINGS_FILE": str(checkout / ".env")} if by_file else real
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", "--items", "22", "--once"],
        cwd=checkout,
        env={**os.environ, **given},
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert (done.returncode, json.loads(done.stdout)["ok"]) == (0, True), done.stderr
    assert sierra.entries == []
    assert own_database.fetch("SELECT (SELECT count(*) FROM sierra_item), (SELECT count(*) FROM client)") == [(0, 0)]


def test_embedded_postgres_is_reached_whatever_libpq_finds_in_the_environment(
    own_server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "services").write_text("[library]\nhost=192.0.2.1\nhostaddr=192.0.2.1\nport=1\n")
    elsewhere = {"PGHOSTADDR": "192.0.2.1", "PGSERVICE": "library", "PGSERVICEFILE": str(tmp_path / "services")}
    for name, value in elsewhere.items():
        monkeypatch.setenv(name, value)
    postgres = own_server.embedded
    assert isinstance(postgres, EmbeddedPostgres)
    for dsn in (postgres.dsn(), postgres.dsn(tcp=True)):
        with psycopg.connect(dsn, connect_timeout=2) as connection:
            row = connection.execute("SELECT current_setting('port')").fetchone()
        assert row == (str(postgres.port),)
        typed = f'{postgres.program("psql")} "{dsn}" --command "SHOW port"'  # as the demo prints it
        shown = subprocess.run(typed, shell=True, capture_output=True, text=True, timeout=30)
        assert str(postgres.port) in shown.stdout, shown.stderr


def test_tests_begin_without_the_settings_of_those_who_run_them() -> None:
    elsewhere = dict.fromkeys((SETTINGS | LIBPQ | {"DB_PASSWORD_FILE"}), "library.example")
    code = "import os, tests.conftest; print(*os.environ)"
    command = [sys.executable, "-W", "ignore", "-c", code]
    left = subprocess.run(
        command, cwd=HOUSE, env={"PATH": os.environ["PATH"], **elsewhere}, capture_output=True, text=True, check=True
    )
    assert not set(left.stdout.split()) & elsewhere.keys()
    assert "SETTINGS_FILE" in left.stdout


def test_tests_refuse_a_server_with_a_librarys_database(own_server: Server, own_database: TestDatabase) -> None:
    refuse_a_librarys(own_server)  # which has the tests' own databases only
    own_server.create("library", own_database.parameters["dbname"])
    try:
        with pytest.raises(pytest.exit.Exception, match=re.escape("database library of that server")):
            refuse_a_librarys(own_server)
    finally:
        own_server.drop("library")
