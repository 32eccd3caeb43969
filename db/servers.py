"""The doctor's checks of more than one database server: which take writes, and what a failover would lose."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg

from db.connections import SHORT_CONNECT_SECONDS, Parameters, aconnect, one_line
from db.queue import Connection
from runtime.findings import Finding
from runtime.hosts import addresses
from runtime.statements import load

SQL = load("db", "servers")
PAGE = "docs/two-servers.md"


@dataclass(frozen=True, slots=True)
class Server:
    """One server of DB_HOST. `problem`: why it did not answer."""

    address: str
    only_reads: bool = True
    is_standby: bool = False
    started_at: object = None
    problem: str = ""

    def __str__(self) -> str:
        kind = "is a standby" if self.is_standby else "only reads" if self.only_reads else "takes writes"
        return f"{self.address} {kind}"


@dataclass(frozen=True, slots=True)
class Standbys:
    """The standbys as their primary knows them. `count` are all that follow it, by their `names`.

    `named`: `synchronous_standby_names`. `hidden`: those whose state the role may not see. `behind`: what one lacks.
    """

    named: str = ""
    count: int = 0
    hidden: int = 0
    synchronous: int = 0
    names: str = ""
    behind: str | None = None


async def check_servers(parameters: Parameters) -> list[Finding]:
    """Ask each server of DB_HOST by itself whether it takes writes. Nothing on a single one that does not answer."""
    each = addresses(str(parameters["host"]), parameters["port"]).split(", ")
    servers = await asyncio.gather(*(_ask(parameters, address) for address in each))
    return [] if len(servers) == 1 and servers[0].problem else judge_servers(servers)


async def _ask(parameters: Parameters, address: str) -> Server:
    host, _, port = address.rpartition(":")
    try:
        async with await aconnect(
            {
                **parameters,
                "host": host,
                "port": port,
                "target_session_attrs": "any",
                "connect_timeout": SHORT_CONNECT_SECONDS,
            }
        ) as connection:
            row = await (await connection.execute(SQL["server"])).fetchone()
    except psycopg.Error as error:
        return Server(address, problem=one_line(error))
    is_standby, only_reads, started_at = row or (False, True, None)
    return Server(address, only_reads, is_standby, started_at)


def judge_servers(servers: Sequence[Server]) -> list[Finding]:
    """A finding per server that does not answer, and one on those that do."""
    findings = []
    for silent in (server for server in servers if server.problem):
        advice = "Start it, or take it out of DB_HOST: a new connection may wait 2 s for it"
        findings.append(Finding("warning", "servers", f"{silent.address} does not answer: {silent.problem}", advice))
    there = [server for server in servers if not server.problem]
    primaries = {server.started_at: server.address for server in there if not server.only_reads}
    text = ", ".join(map(str, there)) or "none answers"
    if len(primaries) > 1:
        text = f"{' and '.join(primaries.values())} both take writes: some marks are in one, some in the other"
        advice = f"Stop the one that was replaced, and keep it from coming back: {PAGE}"
        findings.append(Finding("problem", "servers", text, advice))
    elif not primaries:
        advice = f"Promote one, or end its default_transaction_read_only: {PAGE}"
        findings.append(Finding("problem", "servers", f"{text}: no mark is taken (503)", advice))
    else:
        findings.append(Finding("ok", "servers", text))
    return findings


async def check_replication(connection: Connection) -> Finding:
    """Check that what is named as a synchronous standby is there, and tell what a failover would lose."""
    row = await (await connection.execute(SQL["replication"])).fetchone()
    return judge_replication(Standbys(*row) if row else Standbys(), connection.info.user)


def judge_replication(standbys: Standbys, user: str = "") -> Finding:
    """A finding on what a failover to one of these standbys would lose, for a role of that name."""
    named, names = standbys.named, standbys.names
    if not standbys.count and not named:
        return Finding("ok", "replication", "no standby follows this server")
    follow, promoted = ("follows", "it") if standbys.count == 1 else ("follow", "the promoted one")
    if not named:
        lag = f"now {standbys.behind}" if standbys.behind else "how much, this role may not see"
        text = f"{names} {follow}, not synchronous: a failover loses what {promoted} does not have yet ({lag})"
        return Finding("ok", "replication", text, f"To lose no mark, set synchronous_standby_names: {PAGE}")
    needed, synchronous = count_needed(named), standbys.synchronous
    if synchronous >= needed:
        text = f"{names} {follow}, synchronous ({named}): a failover loses no mark"
        if max(standbys.count, count_named(named)) == needed:
            return Finding("ok", "replication", text)
        # A commit does not wait for all of them, or for one that may be back: that one may lack what the others have,
        # and they may let marks go on.
        text += " if this server is stopped first and the standby that has most is promoted"
        return Finding("ok", "replication", text, f"Which one has most: {PAGE}")
    if standbys.hidden and standbys.count >= needed:
        text = f"{named} is to be synchronous, and this role may not see whether it is there"
        return Finding("warning", "replication", text, f"GRANT pg_read_all_stats TO {user}")
    text = f"{named} is to be synchronous, and {synchronous} of {needed} such standbys follow: no mark is taken (503)"
    advice = (
        "Start the standby; or do without: ALTER SYSTEM SET synchronous_standby_names = ''; SELECT pg_reload_conf()"
    )
    return Finding("problem", "replication", text, advice)


def count_named(named: str) -> int:
    """The number of standbys that `synchronous_standby_names` names; `*` is one name."""
    return named.count(",") + 1


def count_needed(named: str) -> int:
    """The number of standbys that a commit waits for, by `synchronous_standby_names`."""
    number = re.match(r"\s*(?:FIRST\s+|ANY\s+)?(\d+)\s*\(", named, re.IGNORECASE)
    return int(number[1]) if number else 1
