"""sandbox/docker-compose.yml leads to no library's Sierra and no library's database, whatever is set elsewhere."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.compose_etl import DATABASE
from tests.conftest import SETTINGS
from tests.test_compose import COMPOSE, EXPLAINED, HOUSE, INTERPOLATED, compose_answers

FILE = HOUSE / "sandbox" / "docker-compose.yml"
TEXT = FILE.read_text(encoding="utf-8")
OWN = {"SANDBOX_ITEMS", "SANDBOX_API_PORT", "SANDBOX_CONSOLE_PORT", "SANDBOX_SIERRA_PORT"}
REAL = "https://sierra.library.example/iii/sierra-api/v6"
HOSTILE = dict.fromkeys({*SETTINGS, *EXPLAINED, *INTERPOLATED} - OWN, REAL) | {
    "API_URL": "https://signum.library.example",
    "COMPOSE_PROJECT_NAME": "signum-savotta",
    "COMPOSE_PROFILES": "*",
    "DATABASE_URL": "postgresql://signum@database.library.example/signum",
    "ETL_API_KEY": "sig_of_the_librarys_etl",
    "PGHOSTADDR": "192.0.2.1",
    "PGSERVICE": "library",
    "SETTINGS_FILE": ".env",
}


def interpolate(text: str, variables: dict[str, str]) -> Any:
    """The file as Compose reads it. There are no other ways to write a variable in it than `${NAME:-default}`."""
    filled = re.sub(r"\$\{(\w+):-([^}]*)\}", lambda one: variables.get(one[1]) or one[2], text)
    assert "$" not in filled
    return yaml.safe_load(filled)


def render(folder: Path, variables: dict[str, str]) -> Any:
    """The file as `docker compose config` makes it, with these in the environment and in `.env`."""
    folder.mkdir()
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in variables.items()))
    where = ["--file", str(FILE), "--env-file", str(folder / ".env")]
    command = ["docker", "compose", *where, "--profile", "*", "config", "--format", "json"]
    environment = {**os.environ, **variables}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return {name: part for name, part in json.loads(done.stdout).items() if name != "name"}


def test_only_its_size_and_ports_can_be_chosen_from_outside() -> None:
    assert set(re.findall(r"\$\{?(\w+)", TEXT)) == OWN
    assert "env_file" not in TEXT
    assert "extends" not in TEXT
    assert "include" not in TEXT
    assert interpolate(TEXT, HOSTILE) == interpolate(TEXT, {})


@pytest.mark.skipif(not compose_answers(), reason="no docker compose here")
def test_compose_renders_the_same_whatever_stands_in_env(tmp_path: Path) -> None:
    assert render(tmp_path / "hostile", HOSTILE) == render(tmp_path / "bare", {"SANDBOX_ITEMS": "2000"})
    assert REAL not in json.dumps(render(tmp_path / "again", HOSTILE))


def test_every_address_is_a_service_of_its_own() -> None:
    services = yaml.safe_load(TEXT)["services"]
    for name, service in services.items():
        environment = service.get("environment", {})
        if "DB_HOST" in environment:
            assert (environment["DB_HOST"], environment["DB_NAME"]) == ("database", DATABASE), name
            assert environment["SETTINGS_FILE"] == "/dev/null"
        if "SIERRA_API_ENDPOINT" in environment:
            assert environment["SIERRA_API_ENDPOINT"] == "http://sierra:9100/iii/sierra-api/v6", name
    assert {"database", "sierra"} <= services.keys()
    assert services["etl"]["environment"]["API_URL"] == "http://api:8000"
    assert services["etl"]["environment"]["SANDBOX_DNA_HOST"] == "sierra-database"
    assert services["database"]["environment"]["POSTGRES_DB"] == DATABASE


def test_processes_that_write_have_no_way_out_of_their_network() -> None:
    sandbox = yaml.safe_load(TEXT)
    inward = {name for name, network in sandbox["networks"].items() if network.get("internal")}
    for name in ("notifier", "signum", "etl", "database", "sierra-database"):
        assert set(sandbox["services"][name]["networks"]) <= inward, name


def test_it_shares_no_name_but_the_images_with_the_librarys_project() -> None:
    """Names of its own in full: a COMPOSE_PROJECT_NAME in `.env` would join them to the library's."""
    sandbox, library = yaml.safe_load(TEXT), yaml.safe_load(COMPOSE)
    assert sandbox["name"] != library["name"]
    for kind in ("volumes", "networks"):
        for one in sandbox[kind].values():
            assert one["name"].startswith("signum-savotta-sandbox-")
    assert all("networks" in service for service in sandbox["services"].values()), "else it joins `default`"
    assert library["services"]["database"]["environment"]["POSTGRES_DB"] != DATABASE


def test_librarys_project_knows_no_simulator() -> None:
    library = yaml.safe_load(COMPOSE)
    assert not {"sierra", "sierra-database"} & library["services"].keys()
    assert "sandbox-" not in COMPOSE
    assert {INTERPOLATED[name] for name in INTERPOLATED if name.startswith("SIERRA_API_")} == {""}
