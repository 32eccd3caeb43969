"""signum config: the settings in force, their sources, and no secret."""

from pathlib import Path

import pytest

from sandbox import processes
from tests.fix_signum import Signum

SECRET = "korkea-veisu"
SIERRA = {"SIERRA_API_ENDPOINT": "https://sierra.example.org", "SIERRA_API_CLIENT_KEY": SECRET}


def test_each_setting_has_its_value_and_its_origin(signum_process: Signum, tmp_path: Path) -> None:
    file, secret = tmp_path / "settings", tmp_path / "secret"
    file.write_text("DB_NAME=kirjasto\n")
    secret.write_text(SECRET)
    given = {"SETTINGS_FILE": file, "SIERRA_API_CLIENT_SECRET_FILE": secret, "DB_PASSWORD": SECRET, **SIERRA}
    ran = signum_process("config", "--json", settings=given)
    rows = {row["setting"]: row for row in ran.json}
    of_the_database = ["api", "console", "notifier", "migrate"]
    expected = {
        "DB_NAME": ("kirjasto", str(file), of_the_database),
        "DB_PORT": (5432, "default", of_the_database),
        "DB_PASSWORD": ("********", "environment", of_the_database),
        "API_PORT": (8000, "default", ["api"]),
        "SIERRA_API_CLIENT_KEY": ("********", "environment", ["notifier"]),
        "SIERRA_API_CLIENT_SECRET": ("********", f"{secret} (SIERRA_API_CLIENT_SECRET_FILE)", ["notifier"]),
        "CONSOLE_PORT": (8080, "default", ["console"]),
        "SIERRA_LATE_WRITE_SECONDS": (300.0, "default", ["console", "notifier"]),
        "SENTRY_DSN": (None, "default", of_the_database),
    }
    assert {name: (rows[name]["value"], rows[name]["from"], rows[name]["read_by"]) for name in expected} == expected
    assert SECRET not in ran.out + ran.err


def test_table_for_people_has_no_secret(signum: Signum) -> None:
    ran = signum("config", settings={**SIERRA, "SIERRA_API_CLIENT_SECRET": SECRET})
    assert ran.code == 0
    assert "UPDATE_LOG_RETENTION_DAYS" in ran.out
    assert "********" in ran.out
    assert SECRET not in ran.out


def test_wrong_setting_is_said_beside_the_processes_that_are_well(signum: Signum) -> None:
    ran = signum("config", "--json")
    assert (ran.code, "API_PORT" in ran.out) == (2, True)
    assert "notifier: SIERRA_API_ENDPOINT is not set" in ran.err
    assert signum("config", "api").code == 0


def test_sandbox_reads_no_env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("DB_HOST=the-real-database\n")
    path = {"PYTHONPATH": str(processes.HOUSE)}
    monkeypatch.setattr(processes, "HOUSE", tmp_path)
    assert "the-real-database" not in processes.run("cli.main", "config", "api", settings=path)
    assert "the-real-database" in processes.run("cli.main", "config", "api", settings={**path, "SETTINGS_FILE": ".env"})
