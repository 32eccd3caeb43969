"""DATABASE_URL gives what no DB_… gives, and no part of it is shown."""

from pathlib import Path
from typing import Any

import pytest

from runtime.settings import DatabaseSettings, SettingsError, read_settings
from tests.fix_postgres import TestDatabase
from tests.fix_signum import Signum

pytestmark = pytest.mark.usefixtures("here")

SECRET = "korkea-veisu"
URL = f"postgresql://aino:{SECRET}@database.example.org:6432/kirjasto"


def parts() -> list[Any]:
    """The parameters that hold: host, port, user, password, name."""
    read = read_settings(DatabaseSettings)
    password = read.db_password and read.db_password.get_secret_value()
    return [read.db_host, read.db_port, read.db_user, password, read.db_name]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (URL, ["database.example.org", 6432, "aino", SECRET, "kirjasto"]),
        ("postgres://h/n", ["h", 5432, "signum", None, "n"]),
        ("postgresql+psycopg://u:p%40%2F%3a%25@h/n", ["h", 5432, "u", "p@/:%", "n"]),
        ("postgresql+asyncpg://h", ["h", 5432, "signum", None, "signum"]),
        ("postgresql:///n?host=/run/postgresql", ["/run/postgresql", 5432, "signum", None, "n"]),
        ("postgresql://%2Frun%2Fpostgresql/n", ["/run/postgresql", 5432, "signum", None, "n"]),
        ("postgresql://u@[::1]:6432/n", ["::1", 6432, "u", None, "n"]),
        ("", ["localhost", 5432, "signum", None, "signum"]),
    ],
)
def test_its_parts_are_the_settings(monkeypatch: pytest.MonkeyPatch, url: str, expected: list[Any]) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    assert parts() == expected


def test_what_is_set_by_itself_goes_before_its_part_wherever_it_stands(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / ".env").write_text("DB_NAME=of-the-file\nDB_PORT=\n")
    (here / "secret").write_text("of the secret")
    monkeypatch.setenv("DATABASE_URL", URL)
    monkeypatch.setenv("DB_USER", "eino")
    monkeypatch.setenv("DB_PASSWORD_FILE", "secret")
    assert parts() == ["database.example.org", 6432, "eino", "of the secret", "of-the-file"]


def test_it_may_stand_in_the_file_of_settings_or_in_one_of_its_own(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / ".env").write_text(f"DATABASE_URL={URL}\n")
    assert parts()[0] == "database.example.org"
    (here / ".env").write_text("")
    (here / "url").write_text(f"{URL}\n")
    monkeypatch.setenv("DATABASE_URL_FILE", "url")
    assert parts()[0] == "database.example.org"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (f"mysql://u:{SECRET}@h/n", "it is no postgresql://"),
        (f"host=h password={SECRET}", "it is no postgresql://"),
        (f"postgresql://u:{SECRET}%zz@h/n", "it is no postgresql://"),
        (f"postgresql://u:{SECRET}@x@h/n", "@ is written %40"),
        (f"postgresql://u:4/{SECRET}@h/n", "/ is %2F"),
        (f"postgresql://u:{SECRET}@h/n?sslmode=require", "leave out sslmode, .*PGSSLMODE"),
        (f"postgresql://u:x@h:{SECRET}/n", r"DB_PORT=\*{8} \(of DATABASE_URL\) should be a valid integer"),
    ],
)
def test_one_that_can_not_be_used_is_named_and_not_shown(monkeypatch: pytest.MonkeyPatch, url: str, why: str) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(SettingsError, match=why) as raised:
        read_settings(DatabaseSettings)
    assert SECRET not in str(raised.value)


def test_the_commands_reach_the_database_by_it_and_the_config_hides_it(
    database: TestDatabase, signum_process: Signum
) -> None:
    of = database.parameters
    url = f"postgresql://{of['user']}:{of['password']}@{of['host']}:{of['port']}/{of['dbname']}"
    assert signum_process("queue", "list", settings={"DATABASE_URL": url}).out == "the queue is empty\n"
    rows = {
        row["setting"]: row for row in signum_process("config", "api", "--json", settings={"DATABASE_URL": URL}).json
    }
    assert (rows["DATABASE_URL"]["value"], rows["DATABASE_URL"]["from"]) == ("********", "environment")
    assert (rows["DB_NAME"]["value"], rows["DB_NAME"]["from"]) == ("kirjasto", "DATABASE_URL")
    assert (rows["DB_PASSWORD"]["value"], rows["DB_PASSWORD"]["from"]) == ("********", "DATABASE_URL")
