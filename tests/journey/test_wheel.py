"""The wheel, in an empty environment and with no checkout near: what it holds is all that the processes need."""

import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.catalogue import make_catalogue
from sandbox.etl import Etl
from sandbox.postgres import free_port
from sandbox.system import is_ready
from tests.fix_notifier import sierra_settings
from tests.fix_postgres import TestDatabase
from tests.fix_sierra import SierraInThread

HOUSE = Path(__file__).parents[2]
PATIENCE_SECONDS = 60.0
pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


class Installed:
    """`signum` of the wheel, started where nothing of ours lies."""

    def __init__(self, environment: Path, outside: Path) -> None:
        self.program = environment / "bin" / "signum"
        self.outside = outside

    def run(self, *arguments: str, **settings: Any) -> subprocess.CompletedProcess[str]:
        """A command that ends by itself, and well."""
        done = subprocess.run([self.program, *arguments], timeout=PATIENCE_SECONDS, **self._manner(settings))
        assert done.returncode == 0, done.stderr
        return done

    @contextmanager
    def start(self, name: str, **settings: Any) -> Iterator[subprocess.Popen[str]]:
        """A process, asked to stop at the end."""
        process = subprocess.Popen([self.program, name], **self._manner(settings))
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            _, log = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0, log

    def _manner(self, settings: dict[str, Any]) -> dict[str, Any]:
        environment = {name.upper(): str(value) for name, value in settings.items()}
        return {
            "cwd": self.outside,
            "env": {"PATH": "/usr/bin:/bin", "SETTINGS_FILE": os.devnull, **environment},
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "text": True,
        }


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    build = ("-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), ".")
    subprocess.run([sys.executable, *build], cwd=HOUSE, check=True)
    (made,) = folder.iterdir()
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel with what requirements.lock has, in an environment that was empty."""
    environment = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, "--require-hashes", "--requirement", HOUSE / "requirements.lock"], check=True)
    subprocess.run([*pip, "--no-deps", "--no-index", wheel], check=True)
    return Installed(environment, tmp_path_factory.mktemp("outside"))


def test_wheel_holds_the_packages_with_the_migrations_and_nothing_else(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    packages = {"api", "cli", "console", "db", "etl", "notifier", "runtime", "sandbox"}
    assert {name.partition("/")[0] for name in names} == packages
    migrations = {f"db/schema/migrations/versions/{file.name}" for file in (HOUSE / "alembic/versions").glob("*.py")}
    statements = {
        f"{folder}/{file.name}"
        for folder in ("db/sql", "etl/sql", "cli/predecessor/sql")
        for file in (HOUSE / folder).iterdir()
    }
    pages = {
        file.relative_to(HOUSE).as_posix()
        for folder in ("locale", "static", "templates")
        for file in (HOUSE / "console" / folder).rglob("*.*")
    }
    assert names >= migrations | statements | pages | {"db/schema/migrations/env.py"}


def test_wheel_says_what_it_is(wheel: Path) -> None:
    files = zipfile.ZipFile(wheel)
    (name,) = (name for name in files.namelist() if name.endswith("/METADATA"))
    said = files.read(name).decode().partition("\n\n")[0].splitlines()
    fields = {line.partition(": ")[0] for line in said}
    assert fields >= {
        "Summary",
        "Author",
        "License-Expression",
        "Keywords",
        "Requires-Python",
        "Description-Content-Type",
    }
    assert "Classifier: Private :: Do Not Upload" in said, "its packages have names like `api`: not for an index"


def test_wheel_in_an_empty_environment_serves_and_pushes(
    installed: Installed, empty_database: TestDatabase, sierra: SierraInThread
) -> None:
    settings = {**empty_database.environment(migrate_at_start="false"), **sierra_settings(sierra)}
    items = make_catalogue(3)
    sierra.add(*items)
    assert installed.run("--version").stdout.startswith("signum ")
    assert "the schema is at revision" in installed.run("migrate", **settings).stderr
    key = installed.run("client", "add", "etl", "--type", "etl", **settings).stdout.strip()
    port = free_port()
    with installed.start("api", api_port=port, **settings) as api, installed.start("notifier", **settings):
        wait_until_ready(api, f"http://127.0.0.1:{port}")
        etl = Etl(f"http://127.0.0.1:{port}", key)
        assert etl.load([row for item in items for row in item.rows()]) == 3
        etl.close()
        installed.run("queue", "mark", "--barcode", items[0].barcode, **settings)
        sierra.block_until(lambda journal: journal.puts(str(items[0].number)), PATIENCE_SECONDS)
    assert "paused" in installed.run("queue", "status", "--json", **settings).stdout


def test_wheel_has_the_consoles_pages_in_every_language(installed: Installed, database: TestDatabase) -> None:
    port = free_port()
    with installed.start("console", console_port=port, **database.environment()) as console:
        assert console.stderr
        assert any("Uvicorn running" in line for line in iter(console.stderr.readline, ""))
        answer = httpx.get(f"http://127.0.0.1:{port}/sign-in", headers={"Accept-Language": "sv"}, trust_env=False)
        assert "Logga in" in answer.text


def wait_until_ready(api: subprocess.Popen[str], url: str) -> None:
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not is_ready(url):
        assert api.poll() is None
        assert time.monotonic() < give_up_at
        time.sleep(0.1)
