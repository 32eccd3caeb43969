"""Addresses that no connection can go to are refused with a sentence; hosts of a database are given as to libpq."""

import pytest

from runtime.settings import DatabaseSettings, NotifierSettings, SettingsError, read_settings

pytestmark = pytest.mark.usefixtures("here")

NO_ADDRESS = "it lacks a host, or its port is not between 1 and 65535"


@pytest.mark.parametrize(
    ("given", "hosts", "ports", "address"),
    [
        ({"DB_HOST": "a, b"}, "a,b", 5432, "a:5432, b:5432"),
        ({"DB_HOST": "a,b", "DB_PORT": "5432, 5433"}, "a,b", "5432,5433", "a:5432, b:5433"),
        ({"DB_HOST": "a,b", "DB_PORT": "6432"}, "a,b", 6432, "a:6432, b:6432"),
        ({"DATABASE_URL": "postgresql://u@a:1,b,[::1]:3/n"}, "a,b,::1", "1,5432,3", "a:1, b:5432, ::1:3"),
        ({"DATABASE_URL": "postgresql://u@a,b/n"}, "a,b", "5432,5432", "a:5432, b:5432"),
        ({"DATABASE_URL": "postgresql://u@a:1,b:2/n", "DB_PORT": "7"}, "a,b", 7, "a:7, b:7"),
    ],
)
def test_there_is_a_port_for_each_host_or_one_for_all(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], hosts: str, ports: int | str, address: str
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings = read_settings(DatabaseSettings)
    assert (settings.db_host, settings.db_port, settings.database_address) == (hosts, ports, address)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"DB_PORT": "1,2"}, "DB_PORT='1,2' gives 2 ports for 1 host in DB_HOST: name one port for all, or one"),
        ({"DB_HOST": "a,b", "DB_PORT": "1,2,3"}, "DB_PORT='1,2,3' gives 3 ports for 2 hosts in DB_HOST"),
        ({"DB_HOST": "a,b", "DB_PORT": "1,"}, "DB_PORT='1,' should be a valid integer"),
        ({"DB_HOST": "a,b", "DB_PORT": "1,70000"}, "DB_PORT='1,70000' should be less than or equal to 65535"),
        ({"DB_HOST": "a,,b"}, "DB_HOST='a,,b' has a comma with no host before or after it"),
        ({"DB_HOST": "[::1],b"}, r"DB_HOST='\[::1\],b' has \[::1\]: leave out the brackets, which only a URL needs"),
        ({"LISTEN_DB_HOST": "[::1]"}, r"LISTEN_DB_HOST='\[::1\]' has \[::1\]: leave out the brackets"),
        (
            {"DATABASE_URL": "postgresql://u@a:1,b:2/n", "DB_HOST": "c"},
            r"DB_PORT=\*+ \(of DATABASE_URL\) gives 2",
        ),
        ({"DB_HOST": "a,b", "LISTEN_DB_PORT": "1,2,3"}, "LISTEN_DB_PORT='1,2,3' gives 3 ports for 2 hosts in DB_HOST"),
        (
            {"LISTEN_DB_HOST": "a", "LISTEN_DB_PORT": "1,2"},
            "LISTEN_DB_PORT='1,2' gives 2 ports for 1 host in LISTEN",
        ),
        (
            {"DB_HOST": "a,b", "DB_PORT": "1,2", "LISTEN_DB_HOST": "c"},
            "LISTEN_DB_PORT is unset, and DB_PORT gives 2 ports for 1 host in LISTEN_DB_HOST",
        ),
    ],
)
def test_wrong_counts_are_refused_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], told: str
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=told):
        read_settings(NotifierSettings)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://sierra:abc/v6", "Invalid port: 'abc'"),
        ("http://sierra:99999", NO_ADDRESS),
        ("http://sierra:0", NO_ADDRESS),
        ("https://:443/v6", NO_ADDRESS),
        ("http://[::1/v6", "Invalid port: ':1'"),
        ("https://-ä-.fi", "Invalid IDNA hostname: '-ä-.fi'"),
        ("https://xn--a/v6", "Codepoint U+0080 at position 1 of '\\x80' not allowed"),
    ],
)
def test_url_that_no_request_can_go_to_is_refused(monkeypatch: pytest.MonkeyPatch, url: str, why: str) -> None:
    monkeypatch.setenv("SIERRA_API_ENDPOINT", url)
    with pytest.raises(SettingsError) as told:
        read_settings(NotifierSettings)
    assert str(told.value).startswith(f"SIERRA_API_ENDPOINT='{url}' is no URL: {why}: Base URL of Sierra's REST API")


@pytest.mark.parametrize("url", ["http://[::1]:1/v6", "https://sierra", "http://user@sierra:65535/v6/"])
def test_url_of_a_host_with_or_without_a_port_is_taken(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    for name in ("SIERRA_API_ENDPOINT", "SIERRA_API_CLIENT_KEY", "SIERRA_API_CLIENT_SECRET"):
        monkeypatch.setenv(name, url)
    assert read_settings(NotifierSettings).sierra_api_endpoint == url
