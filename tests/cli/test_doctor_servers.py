"""signum doctor on two database servers: which takes writes, what a failover loses, and what refuses every mark."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest

from db.connections import LONG_CONNECT_SECONDS
from db.servers import Standbys, check_servers, count_needed, judge_replication
from runtime.findings import Finding
from sandbox.postgres import free_port
from tests.fix_postgres import TestDatabase
from tests.fix_roles import AsRole
from tests.fix_signum import Signum
from tests.fix_standby import HOST, Pair, parameters_of

Examine = Callable[..., Finding]


@pytest.fixture
def database(pair_database: TestDatabase) -> TestDatabase:
    """On a pair of servers."""
    return pair_database


@pytest.fixture
def examine(pair: Pair, signum: Signum) -> Examine:
    """The finding of that name, where the processes know the pair by its address; `SETTING=value` as keywords."""

    def run(check: str, **others: Any) -> Finding:
        address = {"DB_HOST": pair.address.host, "DB_PORT": str(pair.address.port)}
        ran = signum("doctor", "--json", settings={**address, **others})
        (found,) = [Finding(**found) for found in ran.json if found["check"] == check]
        return found

    return run


def test_an_asynchronous_standby_is_a_note_of_what_a_failover_loses(pair: Pair, examine: Examine) -> None:
    found = examine("replication")
    assert (found.level, "synchronous_standby_names" in found.advice) == ("ok", True)
    assert found.text.startswith("second follows, not synchronous: a failover loses what it does not have yet (now ")


def test_a_synchronous_standby_is_well_and_a_problem_when_it_is_gone(
    pair: Pair, examine: Examine, as_role: AsRole
) -> None:
    operator = {"DB_USER": as_role("signum_operator").parameters["user"]}
    operator["DB_PASSWORD"] = as_role("signum_operator").parameters["password"]
    pair.be_synchronous()
    found = examine("replication")
    assert (found.level, found.text) == ("ok", 'second follows, synchronous ("second"): a failover loses no mark')
    found = examine("replication", **operator)
    assert (found.level, found.advice) == ("warning", f"GRANT pg_read_all_stats TO {operator['DB_USER']}")
    pair.primary.execute(found.advice)
    assert examine("replication", **operator).level == "ok"
    pair.primary.execute(f"REVOKE pg_read_all_stats FROM {operator['DB_USER']}")
    pair.standby.stop("fast")
    for role in ({}, operator):
        found = examine("replication", **role)
        assert (found.level, "0 of 1 such standbys follow: no mark is taken (503)" in found.text) == ("problem", True)
    pair.primary.set("synchronous_standby_names", "")
    assert examine("replication").text == "no standby follows this server"


def test_a_role_that_may_not_see_how_far_a_standby_is_still_sees_that_it_follows(
    pair: Pair, examine: Examine, as_role: AsRole
) -> None:
    operator = as_role("signum_operator").parameters
    found = examine("replication", DB_USER=operator["user"], DB_PASSWORD=operator["password"])
    assert (found.level, found.text.partition(",")[0]) == ("ok", "second follows")
    assert found.text.endswith("(how much, this role may not see)")


def test_a_server_that_only_reads_is_a_problem(pair: Pair, examine: Examine) -> None:
    pair.primary.set("default_transaction_read_only", "on")
    found = examine("servers")
    assert (found.level, "only reads: no mark is taken (503)" in found.text) == ("problem", True)
    pair.address.lead_to(HOST, pair.standby.port)
    found = examine("servers")
    assert (found.level, "is a standby: no mark is taken (503)" in found.text) == ("problem", True)


async def test_two_servers_that_take_writes_are_a_problem_and_two_names_of_one_are_not(pair: Pair) -> None:
    first, second = (f"{HOST}:{server.port}" for server in (pair.first, pair.second))
    both = parameters_of(pair.first, pair.second)
    assert await check_servers(both) == [
        Finding("ok", "servers", f"{first} takes writes, {second} is a standby"),
    ]
    assert [found.level for found in await check_servers(parameters_of(pair.first, pair.first))] == ["ok"]
    pair.promote()
    (found,) = await check_servers(both)
    assert found.level == "problem"
    assert found.text.startswith(f"{first} and {second} both take writes")


def test_a_server_that_does_not_answer_is_named(pair: Pair, signum: Signum) -> None:
    nowhere = free_port()
    ran = signum("doctor", "--json", settings={"DB_HOST": f"{HOST},{HOST}", "DB_PORT": f"{nowhere},{pair.first.port}"})
    silent, well = (found for found in ran.json if found["check"] == "servers")
    assert (silent["level"], well["level"]) == ("warning", "ok")
    assert silent["text"].startswith(f"{HOST}:{nowhere} does not answer: ")
    (heard,) = (found for found in ran.json if found["check"] == "notifications")
    assert heard["text"].startswith(f"heard our own at {HOST}:{pair.first.port}, ")


@pytest.mark.parametrize(
    ("named", "needed"), [("b", 1), ("b, c", 1), ("*", 1), ("FIRST 2 (a, b, c)", 2), ("any 3 (*)", 3), ("2 (a, b)", 2)]
)
def test_standbys_that_a_commit_waits_for_are_counted_as_postgresql_does(named: str, needed: int) -> None:
    assert count_needed(named) == needed


LOSES_NO_MARK = "a failover loses no mark"
IF = f"{LOSES_NO_MARK} if this server is stopped first and the standby that has most is promoted"


@pytest.mark.parametrize(
    ("named", "following", "synchronous", "told"),
    [
        ("db2", "db2", 1, f"db2 follows, synchronous (db2): {LOSES_NO_MARK}"),
        ("*", "db2", 1, f"db2 follows, synchronous (*): {LOSES_NO_MARK}"),
        ("ANY 1 (db2, db3)", "db2", 1, f"db2 follows, synchronous (ANY 1 (db2, db3)): {IF}"),
        ("ANY 2 (db2, db3)", "db2, db3", 2, f"db2, db3 follow, synchronous (ANY 2 (db2, db3)): {LOSES_NO_MARK}"),
        ("FIRST 2 (db2, db3)", "db2, db3", 2, f"db2, db3 follow, synchronous (FIRST 2 (db2, db3)): {LOSES_NO_MARK}"),
        ("ANY 1 (db2, db3)", "db2, db3", 2, f"db2, db3 follow, synchronous (ANY 1 (db2, db3)): {IF}"),
        ("FIRST 1 (db2, db3)", "db2, db3", 1, f"db2, db3 follow, synchronous (FIRST 1 (db2, db3)): {IF}"),
        ("db2", "db2, db3", 1, f"db2, db3 follow, synchronous (db2): {IF}"),
        ("ANY 2 (*)", "db2, db3, db4", 3, f"db2, db3, db4 follow, synchronous (ANY 2 (*)): {IF}"),
    ],
)
def test_failover_loses_no_mark_on_a_condition_where_a_commit_does_not_wait_for_all_standbys(
    named: str, following: str, synchronous: int, told: str
) -> None:
    count = len(following.split(", "))
    found = judge_replication(Standbys(named, count, 0, synchronous, following, "0 bytes"))
    assert (found.level, found.text, "docs/two-servers.md" in found.advice) == ("ok", told, told.endswith(IF))


def test_of_several_asynchronous_standbys_a_failover_loses_what_the_promoted_one_lacks() -> None:
    found = judge_replication(Standbys("", 2, 0, 0, "db2, db3", "8 kB"))
    assert found.text.startswith(
        "db2, db3 follow, not synchronous: a failover loses what the promoted one does not have"
    )


async def test_silent_server_keeps_the_doctor_for_seconds_only(pair: Pair) -> None:
    with socket.create_server((HOST, 0)) as silent:
        parameters = parameters_of(pair.primary)
        hosts: dict[str, str | int] = {
            "host": f"{HOST},{HOST}",
            "port": f"{silent.getsockname()[1]},{parameters['port']}",
        }
        hosts["connect_timeout"] = LONG_CONNECT_SECONDS
        async with asyncio.timeout(LONG_CONNECT_SECONDS):
            findings = await check_servers({**parameters, **hosts})
    assert [finding.level for finding in findings] == ["warning", "ok"]
