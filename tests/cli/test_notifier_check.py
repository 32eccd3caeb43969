"""signum notifier --check: what a container's health check asks."""

import socket

import pytest

BEAT = (
    "INSERT INTO notifier_state (notifier, mode, breaker, seen_at)"
    " VALUES (%s, %s, 'closed', now() - %s * interval '1 s')"
)
HERE = f"{socket.gethostname()}:4711:beef"


def test_notifier_that_goes_round_here_is_well(signum, database):
    database.fetch(BEAT, HERE, "listening", 5)
    ran = signum("notifier", "--check")
    assert (ran.code, ran.out) == (0, f"{HERE} is listening, its breaker closed\n")


@pytest.mark.parametrize(
    ("notifier", "mode", "age"),
    [(HERE, "listening", 60), (HERE, "stopped", 1), (f"{socket.gethostname()}2:4711:beef", "listening", 1)],
)
def test_notifier_that_stands_still_or_stopped_or_is_elsewhere_is_not(signum, database, notifier, mode, age):
    database.fetch(BEAT, notifier, mode, age)
    assert signum("notifier", "--check").code == 1


def test_database_that_is_away_is_told_apart(signum):
    assert signum("notifier", "--check", settings={"DB_PORT": "1"}).code == 3
