"""The faults of the chaos, each a function that returns after `seconds`, when the fault is over."""

import contextlib
import time
from collections.abc import Callable

import psycopg
from psycopg.conninfo import make_conninfo

from bench.chaos_queues import QUEUES
from sandbox.standby import Pair

EVERY_SECONDS = 5.0
END_SESSIONS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> ALL(%s::integer[])
"""

KillWorkers = Callable[[int], None]  # the first worker of each queue, or the second
Fault = Callable[[Pair, KillWorkers, float], None]


def restart(pair: Pair, kill: KillWorkers, seconds: float) -> None:
    """Restart the primary."""
    over_at = time.monotonic() + seconds
    pair.primary.restart()
    _rest(over_at)


def kill_workers(pair: Pair, kill: KillWorkers, seconds: float) -> None:
    """Kill one worker of each queue every few seconds; a supervisor starts it again."""
    over_at, turn = time.monotonic() + seconds, 0
    while time.monotonic() < over_at:
        kill(turn % 2)
        turn += 1
        _rest(min(over_at, time.monotonic() + EVERY_SECONDS))


def fail_over(pair: Pair, kill: KillWorkers, seconds: float) -> None:
    """Crash the primary, and lead new connections to the standby in its place."""
    over_at = time.monotonic() + seconds
    pair.fail_over()
    pair.lead_to_primary()
    _rest(over_at)


def end_sessions(pair: Pair, kill: KillWorkers, seconds: float) -> None:
    """End all sessions of the server every few seconds."""
    over_at = time.monotonic() + seconds
    with _connect(pair) as connection:
        while time.monotonic() < over_at:
            connection.execute(END_SESSIONS, [[connection.info.backend_pid]])
            _rest(min(over_at, time.monotonic() + EVERY_SECONDS))


def exhaust_connections(pair: Pair, kill: KillWorkers, seconds: float) -> None:
    """Take every connection of the server, and end those that came first, until none but these is left."""
    over_at = time.monotonic() + seconds
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(_connect(pair))
        pids = [first.info.backend_pid]
        while time.monotonic() < over_at:
            with contextlib.suppress(psycopg.OperationalError):  # there is none left
                while True:
                    pids.append(stack.enter_context(_connect(pair)).info.backend_pid)
            first.execute(END_SESSIONS, [pids])


def leave_transaction_open(pair: Pair, kill: KillWorkers, seconds: float) -> None:
    """Leave a transaction idle in each database: no row that died since can be vacuumed."""
    over_at = time.monotonic() + seconds
    with contextlib.ExitStack() as stack:
        for queue in QUEUES:
            connection = stack.enter_context(_connect(pair, queue.database))
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            connection.execute("SELECT count(*) FROM pg_class")
        _rest(over_at)


FAULTS: dict[str, tuple[Fault, float]] = {
    "server restarted": (restart, 30),
    "a worker killed every 5 s": (kill_workers, 30),
    "primary failed over": (fail_over, 30),
    "all sessions ended every 5 s": (end_sessions, 30),
    "connections exhausted by others": (exhaust_connections, 30),
    "a transaction left open": (leave_transaction_open, 120),
}


def _connect(pair: Pair, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(make_conninfo(pair.primary.dsn(), dbname=database), autocommit=True)


def _rest(until: float) -> None:
    time.sleep(max(0.0, until - time.monotonic()))
