"""docker-compose.yml, Dockerfile and .env.example say the same as the settings do."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from runtime.console_settings import ConsoleSettings
from runtime.etl_settings import EtlSettings
from runtime.settings import ApiSettings, MigrateSettings, NotifierSettings

HOUSE = Path(__file__).parent.parent
COMPOSE = (HOUSE / "docker-compose.yml").read_text(encoding="utf-8")
SANDBOX = (HOUSE / "sandbox" / "docker-compose.yml").read_text(encoding="utf-8")
EXAMPLE = (HOUSE / ".env.example").read_text(encoding="utf-8")
EXPLAINED = dict(re.findall(r"^# .+\n#([A-Z][A-Z_0-9]*)=(.*)$", EXAMPLE, re.MULTILINE))
INTERPOLATED = dict(re.findall(r"\$\{([A-Z_0-9]+):-((?:\$\{[^}]*\}|[^$}])*)\}", COMPOSE + SANDBOX))
SETTINGS = {
    name.upper(): field
    for kind in (MigrateSettings, ApiSettings, ConsoleSettings, NotifierSettings, EtlSettings)
    for name, field in kind.model_fields.items()
}

PASSWORDS = {name.upper() for name in MigrateSettings.model_fields if name.startswith("signum_")}
SIERRA = {"SIERRA_API_CLIENT_KEY", "SIERRA_API_CLIENT_SECRET"}
ETL = {"SIERRA_DNA_PASSWORD", "ETL_CLIENT_API_KEY"}


def as_text(default: object) -> str:
    match default:
        case None:
            return ""
        case _ if default is PydanticUndefined:
            return ""
        case bool():
            return str(default).lower()
        case SecretStr():
            return default.get_secret_value()
    return str(default)


def test_env_example_explains_every_setting_and_every_variable_of_compose_and_no_others() -> None:
    assert set(EXPLAINED) == set(SETTINGS) | set(INTERPOLATED)


def test_every_line_of_env_example_is_off_and_has_its_own_explanation() -> None:
    assert [line for line in EXAMPLE.splitlines() if line and not line.startswith("#")] == []
    assert len(re.findall(r"^#[A-Z_0-9]+=", EXAMPLE, re.MULTILINE)) == len(EXPLAINED)


@pytest.mark.parametrize("name", EXPLAINED)
def test_env_example_shows_the_default_that_holds(name: str) -> None:
    default = INTERPOLATED[name] if name in INTERPOLATED else as_text(SETTINGS[name].default)
    assert EXPLAINED[name] == default


def test_every_port_is_published_to_this_machine_alone() -> None:
    published = re.findall(r'ports: \["([^"]+)"\]', COMPOSE + SANDBOX)
    assert len(published) == 5
    for port in published:
        assert port.startswith(("127.0.0.1:", "${API_HOST:-127.0.0.1}:", "${CONSOLE_HOST:-127.0.0.1}:"))


def test_prometheus_is_told_where_the_processes_tell_their_metrics() -> None:
    services = yaml.safe_load(COMPOSE)["services"]
    jobs = yaml.safe_load((HOUSE / "docs/monitoring/prometheus.yml").read_text(encoding="utf-8"))["scrape_configs"]
    asked = {(one["names"][0], one["port"]) for job in jobs for one in job["dns_sd_configs"]}
    told = {
        (name, port)
        for name, service in services.items()
        for variable, port in service.get("environment", {}).items()
        if variable.endswith("_METRICS_PORT")
    }
    assert asked == told == {("api", 9464), ("notifier", 9465), ("etl", 9466)}
    assert all(services[name]["environment"]["METRICS_HOST"] == "0.0.0.0" for name, _ in told)
    assert not any(str(port) in str(service.get("ports")) for _, port in told for service in services.values())


@pytest.mark.parametrize(
    ("service", "role", "secrets"),
    [
        ("migrate", "signum", {"DB_PASSWORD", *PASSWORDS}),
        ("api", "signum_api", {"SIGNUM_API_PASSWORD"}),
        ("console", "signum_console", {"SIGNUM_CONSOLE_PASSWORD"}),
        ("notifier", "signum_notifier", {"SIGNUM_NOTIFIER_PASSWORD", *SIERRA}),
        ("signum", "signum_operator", {"SIGNUM_OPERATOR_PASSWORD", *SIERRA}),
        ("etl", None, ETL),
    ],
)
def test_a_service_has_a_role_of_its_own_and_no_secret_of_another(
    service: str, role: str | None, secrets: set[str]
) -> None:
    environment = yaml.safe_load(COMPOSE)["services"][service]["environment"]
    assert environment.get("DB_USER") == role
    given = {name for value in environment.values() for name in re.findall(r"\$\{(\w+)", str(value))}
    assert given & {"DB_PASSWORD", *PASSWORDS, *SIERRA, *ETL} == secrets
    assert environment.keys() >= {"DATABASE_URL", "DB_PASSWORD", *PASSWORDS, *SIERRA, *ETL}, (
        "what is not said here comes from .env"
    )


def test_look_at_a_database_that_was_stopped_does_not_start_it() -> None:
    for text in (COMPOSE, SANDBOX):
        assert "depends_on" not in yaml.safe_load(text)["services"]["signum"]


def test_commands_act_in_the_name_of_the_person_at_the_keyboard_and_in_the_librarys_zone() -> None:
    services = yaml.safe_load(COMPOSE)["services"]
    assert services["signum"]["environment"]["SIGNUM_BY"] == "${SIGNUM_BY:-${USER:-}}"
    processes = [service for service in services.values() if service["image"] == "signum-savotta-backend"]
    assert len(processes) == 6
    assert {service["environment"]["TZ"] for service in processes} == {"${TZ:-UTC}"}
    assert "/usr/share/zoneinfo/" in (HOUSE / "Dockerfile").read_text(encoding="utf-8")


def test_readme_tells_how_both_projects_are_stopped_and_removed() -> None:
    lines = [line.partition("  ")[0] for line in (HOUSE / "README.md").read_text(encoding="utf-8").splitlines()]
    assert "docker compose down" in lines
    assert "docker compose --file sandbox/docker-compose.yml down --volumes" in lines


def test_restored_volume_is_one_that_compose_made() -> None:
    operations = (HOUSE / "docs" / "operations.md").read_text(encoding="utf-8")
    (restore,) = re.findall(r"From a copy of the volume:\n\n```sh\n(.*?)```", operations, re.DOTALL)
    commands = [line.partition("  ")[0] for line in restore.splitlines()]
    assert commands[1] == "docker compose up --no-start database"
    assert commands[2].startswith("docker run --rm --volume signum-savotta_database:")


def test_image_holds_every_package_and_nothing_that_is_not_named() -> None:
    lines = (HOUSE / ".dockerignore").read_text(encoding="utf-8").splitlines()
    allowed = {line[1:] for line in lines if line.startswith("!")}
    packages = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]
    assert "*" in lines
    assert allowed >= {*packages["targets"]["wheel"]["packages"], "alembic"}
    assert not any(name.startswith(".") for name in allowed)


def test_image_has_no_secret_and_no_root() -> None:
    dockerfile = (HOUSE / "Dockerfile").read_text(encoding="utf-8")
    assert not re.search(r"^(ENV|ARG).*(PASSWORD|SECRET|KEY|TOKEN)", dockerfile, re.MULTILINE | re.IGNORECASE)
    assert re.search(r"^USER [1-9]\d*:", dockerfile, re.MULTILINE)


def compose_answers() -> bool:
    version = ["docker", "compose", "version"]
    return bool(shutil.which("docker")) and subprocess.run(version, capture_output=True).returncode == 0


@pytest.mark.skipif(not compose_answers(), reason="no docker compose here")
def test_compose_accepts_the_file() -> None:
    done = subprocess.run(
        ["docker", "compose", "--profile", "*", "config", "--quiet"], cwd=HOUSE, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
