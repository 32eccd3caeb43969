"""docs/installation.md, docs/compose/ and docs/systemd/ say what holds: secrets in files, units, and ways to stop."""

import configparser
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from runtime.console_settings import ConsoleSettings
from runtime.etl_settings import EtlSettings
from runtime.settings import ApiSettings, MigrateSettings, NotifierSettings
from runtime.sources import is_secret
from tests.docs.markdown import HOUSE, blocks, read
from tests.fix_postgres import TestDatabase
from tests.fix_signum import Signum
from tests.test_compose import COMPOSE, compose_answers

PAGE = "docs/installation.md"
OVERLAY = HOUSE / "docs" / "compose" / "secrets.yml"
SERVICES: dict[str, Any] = yaml.safe_load(OVERLAY.read_text(encoding="utf-8"))["services"]
LIBRARY: dict[str, Any] = yaml.safe_load(COMPOSE)["services"]
SECRETS = {
    name.upper()
    for kind in (MigrateSettings, ApiSettings, ConsoleSettings, NotifierSettings, EtlSettings)
    for name, field in kind.model_fields.items()
    if is_secret(field)
}
UNITS = sorted((HOUSE / "docs" / "systemd").iterdir())


def test_page_names_the_file_variable_of_every_secret() -> None:
    assert {name for name in SECRETS if f"`{name}_FILE`" not in read(PAGE)} == set()


@pytest.mark.parametrize("service", LIBRARY)
def test_service_with_secrets_has_them_all_as_files(service: str) -> None:
    """Each secret that docker-compose.yml takes from `.env` is emptied here, and has a file that is mounted."""
    interpolated = {
        name
        for name, value in LIBRARY[service]["environment"].items()
        if name in SECRETS | {"POSTGRES_PASSWORD"} and "${" in str(value) and value != "${SIGNUM_READER_PASSWORD:-}"
    }
    given = SERVICES[service]["environment"]
    assert {name for name, value in given.items() if value == ""} == interpolated
    files = {name.removesuffix("_FILE"): value for name, value in given.items() if name.endswith("_FILE")}
    assert files.keys() == interpolated
    assert {value.removeprefix("/run/secrets/") for value in files.values()} == set(SERVICES[service]["secrets"])


def test_page_makes_the_files_that_are_mounted() -> None:
    (block,) = [block.text for block in blocks(PAGE, "sh") if "mkdir" in block.text]
    made = re.findall(r"for each in (.+?); do", block)[0].split() + re.findall(r"> (\w+)", block)
    assert set(made) == yaml.safe_load(OVERLAY.read_text(encoding="utf-8"))["secrets"].keys()


@pytest.mark.skipif(not compose_answers(), reason="no docker compose here")
def test_compose_shows_no_secret_where_files_are_used(tmp_path: Path) -> None:
    secret = "korkea-veisu"
    given = {**os.environ, **dict.fromkeys({*SECRETS, "POSTGRES_PASSWORD"}, secret), "SECRETS": str(tmp_path)}
    files = ["--file", "docker-compose.yml", "--file", str(OVERLAY)]
    command = ["docker", "compose", *files, "--profile", "*", "config", "--format", "json"]
    done = subprocess.run(command, cwd=HOUSE, env=given, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    environments = {name: one.get("environment", {}) for name, one in json.loads(done.stdout)["services"].items()}
    shown = {(name, variable) for name, one in environments.items() for variable in one if one[variable] == secret}
    assert shown == {("migrate", "SIGNUM_READER_PASSWORD")}  # which the page leaves to those who want that role


def test_migrate_makes_logins_of_the_passwords_in_files(
    own_database: TestDatabase, signum_process: Signum, tmp_path: Path
) -> None:
    for name in SERVICES["migrate"]["secrets"]:
        (tmp_path / name).write_text(f"{name}-korkea\n")
    (tmp_path / "owner").write_text(str(own_database.parameters["password"]))
    given = {name: value.replace("/run/secrets", str(tmp_path)) for name, value in migrate_environment().items()}
    ran = signum_process("migrate", settings={**own_database.environment(), **given})
    assert ran.code == 0, ran.err
    as_api = {**own_database.parameters, "user": "signum_api", "password": "api-korkea"}
    with psycopg.connect(**as_api) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("signum_api",)


def migrate_environment() -> dict[str, str]:
    environment: dict[str, str] = SERVICES["migrate"]["environment"]
    return environment


def unit(file: Path) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(file, encoding="utf-8")
    return parser["Service"]


@pytest.mark.parametrize("file", UNITS, ids=lambda file: file.name)
def test_unit_runs_its_process_with_the_settings_that_the_page_names(file: Path) -> None:
    service, name = unit(file), file.stem.removeprefix("signum-")
    assert shlex.split(service["ExecStart"]) == ["/opt/signum/bin/signum", name]
    assert service["EnvironmentFile"] == f"/etc/signum/{name}.env"
    assert f"`/etc/signum/{name}.env`" in read(PAGE)
    assert f"docs/systemd/{file.name}" in read(PAGE)
    assert int(service["TimeoutStopSec"]) > 10, "it may take so long to stop"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
@pytest.mark.parametrize("file", UNITS, ids=lambda file: file.name)
def test_systemd_takes_the_unit(file: Path, tmp_path: Path) -> None:
    copy = tmp_path / file.name
    copy.write_text(file.read_text(encoding="utf-8").replace("/opt/signum/bin/signum", sys.executable))
    done = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True, timeout=60)
    assert (done.returncode, [line for line in done.stderr.splitlines() if file.name in line]) == (0, [])
