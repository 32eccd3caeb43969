"""signum doctor: a healthy system is found well, and each thing that is broken is named, with what to do."""

import time
from typing import Any

import pytest

from cli.verdicts import judge_notifiers
from db import checks as doctor
from db.checks import check_clock, check_notifications
from db.queue import Connection
from db.schema.version import known_revisions
from runtime.contradictions import find_contradictions
from runtime.settings import NotifierSettings
from tests.fix_postgres import TestDatabase
from tests.fix_roles import AsRole
from tests.fix_sierra import SierraInThread
from tests.fix_signum import Ran, Signum

BEAT = "INSERT INTO notifier_state (notifier, mode, breaker, looped_at) VALUES ('n1', 'listening', 'closed', now())"
CHECKS = [
    *("database", "servers", "replication", "schema", "trigger", "notifications", "notification queue", "clock"),
    *("locks", "notifiers", "queue", "sync", "barcodes", "Sierra", "Sierra roles", "settings"),
]


@pytest.fixture
def examine(signum: Signum, sierra: SierraInThread, database: TestDatabase) -> Signum:
    """Run the command on a system that is well but for what the test did; `SETTING=value` as keywords."""
    database.fetch(BEAT)
    settings = {
        "SIERRA_API_ENDPOINT": sierra.endpoint,
        "SIERRA_API_CLIENT_KEY": sierra.key,
        "SIERRA_API_CLIENT_SECRET": sierra.secret,
        "SIERRA_API_CLIENT_RETRIES": "0",
    }

    def run(*arguments: str, **others: Any) -> Ran:
        return signum("doctor", *arguments, settings={**settings, **others})

    return run


def test_a_healthy_system_is_well_in_every_check(examine: Signum) -> None:
    ran = examine("--json")
    assert (ran.code, ran.err) == (0, "")
    assert [(found["check"], found["level"]) for found in ran.json] == [(check, "ok") for check in CHECKS]
    roles = next(found["text"] for found in ran.json if found["check"] == "Sierra roles")
    assert roles.startswith("Items Read, Items Write; the token is good for 3")


def test_an_operator_may_ask(examine: Signum, as_role: AsRole) -> None:
    ran = examine(**as_role("signum_operator").environment())
    assert (ran.code, ran.err) == (0, "")


TRIGGER_OFF = "ALTER TABLE update_queue DISABLE TRIGGER update_queue_notify_insert"
NO_TRIGGER = "DROP TRIGGER queue_control_notify ON queue_control"
BEHIND = "UPDATE alembic_version SET version_num = '0001'"
GONE = "UPDATE notifier_state SET seen_at = now() - interval '1 hour'"
POLLING = "UPDATE notifier_state SET mode = 'polling', reason = 'deaf'"
REFUSED = "UPDATE notifier_state SET breaker = 'open', waits_for = 'person', reason = 'Sierra refuses our key'"
DOWN = "UPDATE notifier_state SET breaker = 'open', waits_for = 'Sierra', reason = 'Sierra is busy'"
SAMPLING = "UPDATE notifier_state SET breaker = 'sampling'"
PAUSED = "UPDATE queue_control SET paused_at = now(), paused_by = 'eino'"
PAUSED_UNTIL = f"{PAUSED}, resume_at = now() + interval '1 hour'"
ITEM = "INSERT INTO sierra_item (item_record_id, barcode, updated_at) VALUES (1, '{0}', now()), (2, '{0}', now())"
GAP = "UPDATE sync_state SET sync_mode = 'SYNC_CHANGES', gap_from = '2026-11-01', gap_until = now()"


@pytest.mark.parametrize(
    ("check", "level", "broken", "text", "advice"),
    [
        ("trigger", "problem", TRIGGER_OFF, "update_queue_notify_insert is disabled", "ENABLE TRIGGER"),
        ("trigger", "problem", NO_TRIGGER, "queue_control_notify is not there", "schema.sql"),
        ("schema", "problem", BEHIND, "revision 0001, behind", 'Run "signum migrate"'),
        ("schema", "problem", "DROP TABLE alembic_version", "no schema", 'Run "signum migrate"'),
        ("notifiers", "problem", "DELETE FROM notifier_state", "none is running", 'run "signum notifier"'),
        ("notifiers", "problem", GONE, "none is running", 'run "signum notifier"'),
        ("notifiers", "warning", POLLING, "n1 is polling: deaf", "LISTEN_DB_HOST"),
        ("notifiers", "problem", REFUSED, "n1 is waiting for a person, its breaker open: Sierra", "A person must act"),
        ("notifiers", "warning", DOWN, "n1 is waiting for Sierra, its breaker open: Sierra is", "goes on by itself"),
        ("notifiers", "ok", SAMPLING, "n1 is listening, its breaker sampling", ""),
        ("queue", "warning", PAUSED, "paused by eino", 'run "signum queue resume"'),
        ("queue", "warning", PAUSED, "until a person resumes it", "A person must let it go on"),
        ("queue", "warning", PAUSED_UNTIL, "paused by eino until 20", "It goes on by itself then"),
        ("sync", "warning", GAP, "between 2026-11-01", 'Run "signum sync restart"'),
        ("barcodes", "warning", ITEM.format("1231231230012"), "1 shared by several items", "FROM shared_barcode"),
    ],
)
def test_fault_in_the_database_is_named(
    examine: Signum, database: TestDatabase, check: str, level: str, broken: str, text: str, advice: str
) -> None:
    database.fetch(broken)
    ran = examine("--json")
    found = next(found for found in ran.json if found["check"] == check)
    assert found["level"] == level
    assert text in found["text"]
    assert advice in found["advice"]
    assert ran.code == (1 if level == "problem" else 0)


def test_a_barcode_that_no_print_station_can_ask_for_is_named(examine: Signum, database: TestDatabase) -> None:
    database.add_item(1, barcode="31234 0000 0010 1")
    assert "1 that no print station can ask for" in examine().out


@pytest.mark.parametrize(
    ("check", "level", "columns"),
    [
        ("queue", "ok", ("now() - interval '2 min'", "NULL")),  # as the verdict and the alert have it
        ("queue", "problem", ("now() - interval '5 min'", "NULL")),
        ("rejected", "warning", ("NULL", "'gone'")),
    ],
)
def test_an_item_that_waits_for_long_or_for_a_person_is_named(
    examine: Signum, database: TestDatabase, check: str, level: str, columns: tuple[str, str]
) -> None:
    item = database.add_item(1001)
    statement = "INSERT INTO update_queue (item_record_id, due_at, last_error) VALUES ({}, {}, {})"
    database.fetch(statement.format(item, *columns))
    assert [found["level"] for found in examine("--json").json if found["check"] == check] == [level]


@pytest.mark.parametrize(
    ("fault", "check", "text"),
    [
        ({"kind": "token", "status": 401, "code": 108}, "Sierra", "SIERRA_API_CLIENT_SECRET"),
        ({"kind": "token", "status": 403, "code": 116}, "Sierra", "refuses our key (403)"),
        ({"kind": "token", "status": 503, "code": 117}, "Sierra", "503"),
        ({"kind": "info", "status": 401, "code": 120}, "Sierra roles", "refuses even a new token"),
    ],
)
def test_a_key_that_sierra_refuses_is_a_problem(
    examine: Signum, sierra: SierraInThread, fault: dict[str, Any], check: str, text: str
) -> None:
    sierra.fault(**fault)
    ran = examine()
    assert (ran.code, ran.err) == (1, "1 problem\n")
    (line,) = [line for line in ran.out.splitlines() if line.startswith("problem")]
    assert check in line
    assert text in line


@pytest.mark.parametrize("status", [403, 404])
def test_a_sierra_that_does_not_tell_roles_is_well(examine: Signum, sierra: SierraInThread, status: int) -> None:
    sierra.fault(kind="info", status=status)
    ran = examine()
    assert ran.code == 0
    assert "does not tell the key's roles" in ran.out


def test_a_key_that_lacks_a_role_is_told(examine: Signum, sierra: SierraInThread) -> None:
    sierra.run(lambda: setattr(sierra._sierra.tokens, "roles", {"Items Read"}))
    assert "give the key the role Items Write in Sierra" in examine().out


def test_a_sierra_or_a_listening_address_that_is_not_there_is_a_problem(examine: Signum) -> None:
    ran = examine(SIERRA_API_ENDPOINT="http://127.0.0.1:1/", LISTEN_DB_PORT="1")
    assert (ran.code, ran.err) == (1, "2 problems\n")
    assert "Check SIERRA_API_ENDPOINT" in ran.out
    assert "Set LISTEN_DB_HOST and LISTEN_DB_PORT" in ran.out


def test_a_database_that_is_away_is_3_and_sierra_is_looked_at_all_the_same(examine: Signum) -> None:
    ran = examine("--json", DB_PORT="1")
    assert (ran.code, ran.err.count("\n")) == (3, 1)
    found = {row["check"]: row["level"] for row in ran.json}
    assert found == {"database": "problem", "Sierra": "ok", "Sierra roles": "ok", "settings": "ok"}


def test_without_settings_of_sierra_all_else_is_checked_and_that_is_said(examine: Signum) -> None:
    ran = examine("--json", SIERRA_API_ENDPOINT="", SIERRA_API_CLIENT_KEY="")
    assert [row["check"] for row in ran.json] == [check for check in CHECKS if check != "Sierra roles"]
    (sierra,) = [row for row in ran.json if row["level"] != "ok"]
    assert (ran.code, sierra["check"], sierra["level"]) == (0, "Sierra", "warning")
    assert sierra["text"] == "not checked: not set here: SIERRA_API_ENDPOINT, SIERRA_API_CLIENT_KEY"


async def test_an_address_that_hears_nothing_is_a_problem(
    database: TestDatabase, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "LONGEST_HEARING_SECONDS", 0.1)
    elsewhere = {**database.parameters, "dbname": "postgres"}
    found = await check_notifications(connection, elsewhere)
    assert (found.level, "as behind a pooler. Set LISTEN_DB_HOST" in str(found)) == ("problem", True)


async def test_items_that_a_clock_set_back_keeps_waiting_are_told(
    connection: Connection, database: TestDatabase
) -> None:
    database.fetch("INSERT INTO update_queue (item_record_id) VALUES (%s)", database.add_item(1001))
    database.fetch("UPDATE update_queue SET queued_at = now() + interval '1 hour', due_at = now() + interval '1 hour'")
    found = await check_clock(connection)
    assert str(found).startswith("items queued later than it is now: 1. The database's clock was set back")


@pytest.mark.parametrize(("seconds", "words"), [(1, None), (60, "s ahead of the"), (-60, "s behind the")])
async def test_clocks_that_differ_by_more_than_2_s_are_told(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, seconds: float, words: str | None
) -> None:
    clock = time.time
    monkeypatch.setattr(time, "time", lambda: clock() + seconds)
    found = await check_clock(connection)
    assert found.level == ("warning" if words else "ok")
    assert (words or "as the") in found.text


def test_a_stalled_notifier_is_a_problem_and_one_that_is_gone_beside_another_a_warning() -> None:
    states = [
        {"notifier": state, "state": state, "breaker": "closed", "reason": None}
        for state in ("listening", "stalled", "gone")
    ]
    assert [found.level for found in judge_notifiers(states)] == ["ok", "problem", "warning"]


NEEDED = {"sierra_api_endpoint": "https://x.example", "sierra_api_client_key": "k", "sierra_api_client_secret": "s"}


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"env": "PROD"}, []),
        ({"sierra_update_batch_size_limit": 0}, []),
        ({"sierra_update_batch_size_limit": 3}, ["SIERRA_UPDATE_BATCH_SIZE_LIMIT=3"]),
        ({"sierra_api_client_timeout_seconds": 61}, ["SIERRA_API_CLIENT_TIMEOUT_SECONDS=61:"]),
        ({"sierra_update_interval_seconds": 601}, ["SIERRA_UPDATE_INTERVAL_SECONDS=601:"]),
        ({"sierra_update_dry_run": True}, []),
        ({"env": "prod", "sierra_update_dry_run": True}, ["SIERRA_UPDATE_DRY_RUN"]),
        ({"env": "PROD", "sierra_api_endpoint": "http://x.example"}, ["SIERRA_API_ENDPOINT"]),
    ],
)
def test_settings_that_contradict_each_other_are_named(given: dict[str, Any], named: list[str]) -> None:
    found = find_contradictions(NotifierSettings(**NEEDED | given))
    assert [finding.text.split()[0] for finding in found] == named
    assert all(finding.advice for finding in found)


@pytest.mark.parametrize(("where", "level", "code"), [("local", "warning", 0), ("PROD", "problem", 1)])
def test_a_dry_run_is_told_and_is_a_problem_in_production(examine: Signum, where: str, level: str, code: int) -> None:
    ran = examine("--json", ENV=where, SIERRA_UPDATE_DRY_RUN="true")
    (found,) = [found for found in ran.json if "SIERRA_UPDATE_DRY_RUN" in found["text"]]
    assert (found["level"], ran.code) == (level, code)


def test_contradicting_settings_are_a_line_and_no_problem(examine: Signum) -> None:
    ran = examine(SIERRA_UPDATE_BATCH_SIZE_LIMIT="3")
    assert ran.code == 0
    assert "SIERRA_UPDATE_BATCH_SIZE_LIMIT=3 is below" in ran.out
    assert known_revisions()[-1] in ran.out
