"""`signum doctor`: checks the whole system; a line per check with the finding and what a person must do."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict

from cli.database import ask
from cli.exit_codes import Refused, Unreachable
from cli.output import AsJson, show_rows
from db import notifiers, queue_people
from db.queue import Connection
from runtime.contradictions import find_contradictions, find_dry_run
from runtime.findings import Finding
from runtime.settings import NotifierSettings, read_notifier_settings


def doctor(as_json: AsJson = False) -> None:
    """Check database, notifications, Sierra, settings, notifiers, queue and sync. Exit with 1 if there is a problem."""
    settings, unset = read_notifier_settings()
    away = None
    try:
        findings = ask(lambda connection: _examine_database(connection, settings), settings)
    except Unreachable as error:
        away, findings = error, [Finding("problem", "database", str(error))]
    findings[1:1] = asyncio.run(_examine_servers(settings))
    findings += asyncio.run(_examine_sierra(settings, unset))
    findings += _examine_settings(settings)
    rows = [asdict(finding) | ({} if as_json else {"found": str(finding)}) for finding in findings]
    show_rows(rows, as_json, ("level", "check", "found"))
    if away:
        raise away
    problems = sum(finding.level == "problem" for finding in findings)
    if problems:
        raise Refused("1 problem" if problems == 1 else f"{problems} problems")


async def _examine_database(connection: Connection, settings: NotifierSettings) -> list[Finding]:
    """Check the server and the schema, and the contents only if the schema is up to date."""
    from db.checks import check_schema, check_server
    from db.servers import check_replication

    schema = await check_schema(connection)
    findings = [check_server(connection), await check_replication(connection), schema]
    if schema.level == "ok":
        findings += await _examine_contents(connection, settings)
    return findings


async def _examine_servers(settings: NotifierSettings) -> list[Finding]:
    from db.connections import connection_parameters
    from db.servers import check_servers

    return await check_servers(connection_parameters(settings, "signum"))


async def _examine_sierra(settings: NotifierSettings, unset: Sequence[str]) -> list[Finding]:
    from notifier.checks import check_sierra
    from notifier.config import client_of

    if unset:
        text = f"not checked: not set here: {', '.join(name.upper() for name in unset)}"
        return [
            Finding("warning", "Sierra", text, "Set them here as the notifier has them, to have Sierra checked too")
        ]
    async with client_of(settings) as sierra:
        return [finding async for finding in check_sierra(sierra, settings.sierra_api_endpoint)]


def _examine_settings(settings: NotifierSettings) -> list[Finding]:
    findings, dry_run = find_contradictions(settings), find_dry_run(settings)
    if dry_run and dry_run not in findings:
        findings.append(dry_run)
    return findings or [Finding("ok", "settings", "fit together")]


async def _examine_contents(connection: Connection, settings: NotifierSettings) -> list[Finding]:
    from cli.verdicts import judge_notifiers, judge_queue, judge_sync
    from db.checks import (
        check_barcodes,
        check_clock,
        check_locks,
        check_notification_queue,
        check_notifications,
        check_triggers,
    )
    from db.sync_state import show_sync
    from notifier.config import listening_at

    return [
        await check_triggers(connection),
        await check_notifications(connection, listening_at(settings)),
        await check_notification_queue(connection),
        await check_clock(connection),
        *await check_locks(connection),
        *judge_notifiers(await notifiers.list_notifiers(connection)),
        *judge_queue(await queue_people.read_progress(connection), await queue_people.overview(connection)),
        judge_sync(await show_sync(connection)),
        *await check_barcodes(connection),
    ]
