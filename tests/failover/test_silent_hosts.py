"""Hosts in DB_HOST let connections in and never say a word: each process reaches the primary behind them."""

import socket

import pytest

from tests.fix_standby import HOST, Pair, Run, hosts

pytestmark = pytest.mark.long
END_SESSIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'signum'"


def test_processes_reach_the_primary_behind_two_silent_hosts(pair: Pair, run: Run) -> None:
    with socket.create_server((HOST, 0)) as first, socket.create_server((HOST, 0)) as second:
        silent = ((HOST, listening.getsockname()[1]) for listening in (first, second))
        running = run(**hosts(*silent, (HOST, pair.primary.port)))
        with running.marking():
            pair.primary.execute(END_SESSIONS)
        running.check(pair.primary)
