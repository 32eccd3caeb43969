"""A command that fails says why in a line, and its code says whose turn it is."""

import json

import pytest

from db.schema.version import known_revisions
from tests.fix_postgres import TestDatabase
from tests.fix_signum import Signum

NOBODY = "127.0.0.1"  # with port 1, where nothing listens


@pytest.mark.parametrize(
    "command",
    [["queue", "status"], ["client", "list"], ["history", "12312312300001"], ["sync", "restart"], ["migrate"]],
)
def test_database_that_is_not_there_is_one_line_and_3(signum_process: Signum, command: list[str]) -> None:
    ran = signum_process(*command, settings={"DB_HOST": NOBODY, "DB_PORT": 1})
    assert (ran.code, ran.out) == (3, "")
    assert "database signum at 127.0.0.1:1: " in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize("command", [["queue", "status"], ["migrate"]])
def test_database_host_that_does_not_resolve_is_one_line_and_3(signum_process: Signum, command: list[str]) -> None:
    ran = signum_process(*command, settings={"DB_HOST": "no-such-host.invalid"})
    assert (ran.code, ran.err.count("\n")) == (3, 1)
    assert "no-such-host.invalid" in ran.err


def test_database_without_our_schema_says_what_to_run(signum: Signum, database: TestDatabase) -> None:
    database.fetch("DROP TABLE client CASCADE")
    ran = signum("client", "list")
    assert ran.code == 3
    assert "signum migrate" in ran.err


def test_each_wrong_setting_is_a_line_and_2(signum_process: Signum) -> None:
    ran = signum_process("api", settings={"API_PORT": "http", "API_WORKERS": 0, "MIGRATE_AT_START": "maybe"})
    assert (ran.code, ran.out) == (2, "")
    assert [line.partition("=")[0] for line in ran.err.splitlines()] == ["MIGRATE_AT_START", "API_PORT", "API_WORKERS"]


def test_missing_settings_of_the_notifier_are_named_and_2(signum_process: Signum) -> None:
    ran = signum_process("notifier", settings={})
    assert ran.code == 2
    assert [line.split()[0] for line in ran.err.splitlines()] == [
        "SIERRA_API_ENDPOINT",
        "SIERRA_API_CLIENT_KEY",
        "SIERRA_API_CLIENT_SECRET",
    ]


def test_option_out_of_bounds_is_told_like_its_setting(signum_process: Signum) -> None:
    ran = signum_process("api", "--port", "70000", settings={"API_PORT": 8000})
    assert ran.code == 2
    assert ran.err.startswith("API_PORT=70000 ")


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["queue", "list", "--state", "lost"],
        ["queue", "list", "--limit", "9" * 20],
        ["history"],
        ["history", "\udcff"],
    ],
)
def test_wrong_usage_is_2(signum_process: Signum, arguments: list[str]) -> None:
    assert signum_process(*arguments, settings={}).code == 2


def test_help_needs_no_settings_and_tells_the_exit_codes(signum_process: Signum) -> None:
    ran = signum_process("--help", settings={"DB_PORT": "x"})
    assert ran.code == 0
    assert "3 database or Sierra not reachable" in " ".join(ran.out.split())


def test_migrate_makes_the_schema_and_does_nothing_the_second_time(
    signum_process: Signum, empty_database: TestDatabase
) -> None:
    settings = empty_database.environment()
    for _ in range(2):
        ran = signum_process("migrate", settings=settings)
        assert (ran.code, ran.out) == (0, "")
        assert f"the schema is at revision {known_revisions()[-1]}" in ran.err
    assert signum_process("queue", "list", settings=settings).out == "the queue is empty\n"


@pytest.mark.parametrize(("port", "code", "said"), [(None, 0, "the schema is at"), ("1", 3, "gave up: ")])
def test_every_line_of_migrate_is_json_if_so_wanted(
    signum_process: Signum, empty_database: TestDatabase, port: str | None, code: int, said: str
) -> None:
    settings = {**empty_database.environment(), "LOG_FORMAT": "json"} | ({"DB_PORT": port} if port else {})
    ran = signum_process("migrate", "--wait", "0.1", settings=settings)
    assert (ran.code, ran.out) == (code, "")
    assert any(json.loads(line)["message"].startswith(said) for line in ran.err.splitlines())
