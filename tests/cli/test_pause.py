"""signum queue pause and resume: the person, the reason and the end of a pause, as the status shows them."""

from datetime import datetime, timedelta

import pytest

from tests.fix_postgres import TestDatabase
from tests.fix_roles import AsRole
from tests.fix_signum import Signum

PAUSE = "SELECT paused_by, reason, paused_at IS NOT NULL, extract(epoch FROM resume_at - paused_at) FROM queue_control"
NOT_PAUSED = [(None, None, False, None)]
BEAT = (
    "INSERT INTO notifier_state (notifier, mode, breaker, reason, looped_at)"
    " VALUES ('n1', 'listening', 'open', 'Sierra is busy', now())"
)


def test_pause_shows_its_person_reason_and_end(signum: Signum, database: TestDatabase) -> None:
    ran = signum("queue", "pause", "--reason", "Sierra is upgraded", "--for", "2h")
    assert ran.code == 0
    assert ran.out.startswith("paused by aino until 20")
    assert ran.out.endswith(": Sierra is upgraded\n")
    assert database.fetch(PAUSE) == [("aino", "Sierra is upgraded", True, 7200)]


def test_a_pause_without_an_end_waits_for_a_person_and_takes_the_place_of_another(
    signum: Signum, database: TestDatabase
) -> None:
    signum("queue", "pause", "--reason", "x", "--for", "30min")
    made = signum("queue", "pause", "--reason", "y", "--by", "eino", "--json").json
    assert (made["paused_by"], made["reason"], made["resume_at"]) == ("eino", "y", None)
    assert database.fetch(PAUSE) == [("eino", "y", True, None)]


def test_environment_says_in_whose_name_where_the_system_does_not_know(signum: Signum, database: TestDatabase) -> None:
    signum("queue", "pause", "--reason", "x", settings={"SIGNUM_BY": "desk of aino"})
    assert database.fetch(PAUSE)[0][0] == "desk of aino"
    signum("queue", "pause", "--reason", "x", "--by", "eino", settings={"SIGNUM_BY": "desk of aino"})
    assert database.fetch(PAUSE)[0][0] == "eino"
    signum("queue", "pause", "--reason", "x", settings={"SIGNUM_BY": ""})
    assert database.fetch(PAUSE)[0][0] == "aino"


@pytest.mark.parametrize("written", ["{:%H:%M}", "{:%Y-%m-%dT%H:%M}", "{:%Y-%m-%d %H:%M}"])
def test_a_pause_until_a_time_ends_then(signum: Signum, database: TestDatabase, written: str) -> None:
    end = (datetime.now().astimezone() + timedelta(hours=23)).replace(second=0, microsecond=0)
    assert signum("queue", "pause", "--reason", "x", "--until", written.format(end)).code == 0
    assert database.fetch("SELECT resume_at FROM queue_control") == [(end,)]


def test_a_time_that_has_passed_pauses_nothing(signum: Signum, database: TestDatabase) -> None:
    ran = signum("queue", "pause", "--reason", "x", "--until", "2020-01-01")
    assert (ran.code, ran.out) == (1, "")
    passed = datetime(2020, 1, 1).astimezone().isoformat(sep=" ")
    assert f"{passed} has passed" in ran.err
    assert database.fetch(PAUSE) == NOT_PAUSED


WRONG = [
    [],
    ["--reason", " "],
    ["--reason", "x\n"],
    ["--reason", "x", "--for", "soon"],
    ["--reason", "x", "--for", "0s"],
    ["--reason", "x", "--for", "99999999d"],
    ["--reason", "x", "--until", "9999-12-31T23:59-12:00"],
    ["--reason", "x", "--until", "25:00"],
    ["--reason", "x", "--for", "2h", "--until", "14:30"],
]


def test_no_reason_and_no_such_time_are_wrong_usage(signum: Signum, database: TestDatabase) -> None:
    for options in WRONG:
        assert signum("queue", "pause", *options).code == 2, options
    assert database.fetch(PAUSE) == NOT_PAUSED


def test_resume_ends_the_pause_and_names_its_person(signum: Signum, database: TestDatabase) -> None:
    signum("queue", "pause", "--reason", "Sierra is upgraded")
    ran = signum("queue", "resume")
    assert (ran.code, ran.out) == (
        0,
        "goes on; it was paused by aino until a person resumes it: Sierra is upgraded\n",
    )
    assert database.fetch(PAUSE) == NOT_PAUSED


def test_nothing_to_resume_is_1_also_where_a_pause_is_over(signum: Signum, database: TestDatabase) -> None:
    assert signum("queue", "resume").err == "the queue is not paused\n"
    signum("queue", "pause", "--reason", "x")
    database.fetch("UPDATE queue_control SET resume_at = now() - interval '1 second'")
    assert signum("queue", "resume").code == 1


def test_the_status_shows_pause_notifiers_and_the_oldest_due(signum: Signum, database: TestDatabase) -> None:
    assert "no notifier runs" in signum("queue", "status").out
    database.fetch(BEAT)
    item = database.add_item(1001)
    database.fetch("INSERT INTO update_queue (item_record_id, due_at) VALUES (%s, now() - interval '5 min')", item)
    shown = signum("queue", "status").out
    assert "due for 5 min" in shown
    assert "waiting for Sierra" in shown
    assert "Sierra is busy" in shown
    assert "paused" not in shown
    signum("queue", "pause", "--reason", "Sierra is upgraded")
    assert "paused by aino until a person resumes it: Sierra is upgraded\n" in signum("queue", "status").out
    found = signum("queue", "status", "--json").json
    assert (found["paused_by"], found["pause_reason"], found["oldest_due_seconds"] >= 300) == (
        "aino",
        "Sierra is upgraded",
        True,
    )
    (notifier,) = found["notifiers"]
    assert (notifier["notifier"], notifier["state"], notifier["breaker"]) == ("n1", "paused", "open")


def test_an_operator_may_pause_and_resume_and_a_reader_only_look(signum: Signum, as_role: AsRole) -> None:
    operator, reader = (as_role(role).environment() for role in ("signum_operator", "signum_reader"))
    assert signum("queue", "pause", "--reason", "x", settings=reader).code == 3
    assert signum("queue", "pause", "--reason", "x", settings=operator).code == 0
    assert "paused by aino" in signum("queue", "status", settings=reader).out
    assert signum("queue", "resume", settings=operator).code == 0
