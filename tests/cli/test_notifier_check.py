"""signum notifier --check: the question of a container's health check."""

import socket

import pytest

from tests.fix_postgres import TestDatabase
from tests.fix_signum import Signum

BEAT = (
    "INSERT INTO notifier_state (notifier, mode, breaker, reason, seen_at, looped_at)"
    " VALUES (%s, %s, %s, %s, now() - %s * interval '1 s', now() - %s * interval '1 s')"
)
HERE = f"{socket.gethostname()}:4711:beef"
PAUSE = "UPDATE queue_control SET paused_at = now(), reason = 'Sierra is upgraded'"


def beat(
    database: TestDatabase,
    notifier: str = HERE,
    mode: str = "listening",
    breaker: str = "closed",
    reason: str | None = None,
    seen: int = 1,
    looped: int = 1,
) -> None:
    database.fetch(BEAT, notifier, mode, breaker, reason, seen, looped)


def make_due(database: TestDatabase, seconds: float) -> None:
    database.fetch(
        "INSERT INTO update_queue (item_record_id, due_at) VALUES (%s, now() - %s * interval '1 s')",
        database.add_item(1001),
        seconds,
    )


def test_notifier_that_goes_round_here_is_well(signum: Signum, database: TestDatabase) -> None:
    for breaker in ("closed", "sampling"):
        beat(database, seen=5, breaker=breaker)
        ran = signum("notifier", "--check")
        assert (ran.code, ran.out) == (0, f"{HERE} is listening, its breaker {breaker}\n")
        database.fetch("DELETE FROM notifier_state")


@pytest.mark.parametrize(
    ("notifier", "mode", "age"),
    [(HERE, "listening", 60), (HERE, "stopped", 1), (f"{socket.gethostname()}2:4711:beef", "listening", 1)],
)
def test_notifier_that_is_gone_or_stopped_or_is_elsewhere_is_not(
    signum: Signum, database: TestDatabase, notifier: str, mode: str, age: int
) -> None:
    beat(database, notifier, mode, seen=age)
    assert signum("notifier", "--check").code == 1


def test_notifier_whose_loop_stands_still_while_an_item_waits_is_not_though_its_heart_beats(
    signum: Signum, database: TestDatabase
) -> None:
    beat(database, f"{HERE}2")
    beat(database, looped=300, seen=2)
    make_due(database, 240)
    ran = signum("notifier", "--check")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        f"{HERE} has stalled: its loop has not run for 5 min, and an item has been waiting for 4 min. Restart it\n"
    )


@pytest.mark.parametrize(
    ("looped", "due", "well"),
    [
        (300, None, "nothing is due"),
        (300, 60, "it may be just about to look"),
        (60, 300, "it gets on, if slowly"),
    ],
)
def test_notifier_that_rests_or_is_busy_is_well(
    signum: Signum, database: TestDatabase, looped: int, due: int | None, well: str
) -> None:
    beat(database, looped=looped)
    if due:
        make_due(database, due)
    assert signum("notifier", "--check").code == 0, well


def test_notifier_that_may_not_push_is_well_and_says_why(signum: Signum, database: TestDatabase) -> None:
    beat(database, looped=300, breaker="open", reason="Sierra is busy")
    make_due(database, 300)
    assert signum("notifier", "--check").out == f"{HERE} is waiting for Sierra, its breaker open: Sierra is busy\n"
    database.fetch(PAUSE)
    assert signum("notifier", "--check").out == f"{HERE} is paused, its breaker open: Sierra is upgraded\n"


def test_item_claimed_by_another_notifier_does_not_wait(signum: Signum, database: TestDatabase) -> None:
    beat(database, looped=300)
    make_due(database, 300)
    database.fetch("UPDATE update_queue SET claimed_by = 'n2', lease_until = now() + interval '1 minute'")
    assert signum("notifier", "--check").code == 0


def test_database_that_is_away_is_told_apart(signum: Signum) -> None:
    assert signum("notifier", "--check", settings={"DB_PORT": "1"}).code == 3
