"""Settings come from the environment, .env and a file per secret; a wrong one is named."""

import os
from pathlib import Path

import pytest

from runtime.settings import DatabaseSettings, NotifierSettings, SettingsError, read_settings

pytestmark = pytest.mark.usefixtures("here")

SECRET = "korkea-veisu"


def test_environment_wins_over_the_file_in_the_current_folder(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / ".env").write_text("DB_HOST=of-the-file\nDB_NAME='of $the file'\nSANDBOX_ITEMS=3\n")
    monkeypatch.setenv("DB_HOST", "of-the-environment")
    settings = read_settings(DatabaseSettings)
    assert (settings.db_host, settings.db_name) == ("of-the-environment", "of $the file")


def test_what_is_empty_counts_as_unset(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / ".env").write_text("DB_HOST=of-the-file\nDB_PORT=\n")
    monkeypatch.setenv("DB_HOST", "")
    settings = read_settings(DatabaseSettings)
    assert (settings.db_host, settings.db_port) == ("of-the-file", 5432)


def test_another_file_is_read_if_it_is_named_and_none_for_dev_null(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / ".env").write_text("DB_HOST=of-the-file\n")
    (here / "other").write_text("DB_HOST=of-the-other\n")
    for file, host in {"other": "of-the-other", os.devnull: "localhost"}.items():
        monkeypatch.setenv("SETTINGS_FILE", file)
        assert read_settings(DatabaseSettings).db_host == host


def test_settings_made_by_hand_read_no_file(here: Path) -> None:
    (here / ".env").write_text("DB_HOST=of-the-file\n")
    assert DatabaseSettings().db_host == "localhost"


@pytest.mark.parametrize("content", [SECRET, f"{SECRET}\n", f"{SECRET}\r\n"])
@pytest.mark.parametrize("said_in", ["environment", "file"])
def test_secret_may_stand_in_a_file_of_its_own(
    here: Path, monkeypatch: pytest.MonkeyPatch, content: str, said_in: str
) -> None:
    (here / "secret").write_bytes(content.encode())
    if said_in == "environment":
        monkeypatch.setenv("DB_PASSWORD_FILE", "secret")
    else:
        (here / ".env").write_text("DB_PASSWORD_FILE=secret\n")
    password = read_settings(DatabaseSettings).db_password
    assert password
    assert password.get_secret_value() == SECRET


def test_every_secret_may_stand_in_a_file(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "secret").write_text(SECRET)
    monkeypatch.setenv("SIERRA_API_ENDPOINT", "https://sierra.example.org/iii/sierra-api/v6")
    names = ("db_password", "sierra_api_client_key", "sierra_api_client_secret", "sentry_dsn")
    for name in names:
        monkeypatch.setenv(f"{name.upper()}_FILE", "secret")
    settings = read_settings(NotifierSettings)
    assert [getattr(settings, name).get_secret_value() for name in names] == [SECRET] * 4


@pytest.mark.parametrize(
    ("content", "why"),
    [(None, "No such file"), (b"", "it is empty"), (b"\n", "it is empty"), (b"\xff", "it is not UTF-8")],
)
def test_secret_file_that_can_not_be_used_is_named(
    here: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None, why: str
) -> None:
    if content is not None:
        (here / "secret").write_bytes(content)
    monkeypatch.setenv("DB_PASSWORD_FILE", "secret")
    with pytest.raises(SettingsError, match=f"DB_PASSWORD_FILE='secret' can't be used: {why}"):
        read_settings(DatabaseSettings)


def test_secret_given_twice_is_an_error_and_shown_nowhere(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "secret").write_text(SECRET)
    monkeypatch.setenv("DB_PASSWORD", SECRET)
    monkeypatch.setenv("DB_PASSWORD_FILE", "secret")
    with pytest.raises(SettingsError, match="DB_PASSWORD and DB_PASSWORD_FILE are both set") as raised:
        read_settings(DatabaseSettings)
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize(("name", "content"), [("settings", None), (".env", b"DB_HOST=\xff")])
def test_settings_file_that_can_not_be_read_is_named(
    here: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes | None
) -> None:
    if content is None:
        monkeypatch.setenv("SETTINGS_FILE", name)
    else:
        (here / name).write_bytes(content)
    with pytest.raises(SettingsError, match=f"SETTINGS_FILE='{name}' can't be read"):
        read_settings(DatabaseSettings)


def test_wrong_secret_is_masked_in_what_is_said_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PORT", "many")
    with pytest.raises(SettingsError, match="DB_PORT='many' should be a valid integer"):
        read_settings(DatabaseSettings)
    with pytest.raises(SettingsError, match=r"SIERRA_API_CLIENT_SECRET=\*{8} ") as raised:
        read_settings(NotifierSettings, sierra_api_client_secret=[SECRET])
    assert SECRET not in str(raised.value)
