"""`signum api`, `console`, `notifier` and `migrate`.

Each reads the settings first, imports the process's code only then, and runs it.
"""

import asyncio
import logging
import socket
from dataclasses import asdict
from typing import Annotated

import typer

from cli.database import ask, reaching
from cli.exit_codes import Refused, Unreachable
from cli.output import AsJson, print_out, show_json, span
from db.notifiers import find_notifier
from runtime.console_settings import ConsoleSettings
from runtime.logging import configure_logging
from runtime.release import release
from runtime.settings import (
    ApiSettings,
    MigrateSettings,
    NotifierSettings,
    SettingsError,
    read_settings,
)
from runtime.stderr import write_stderr_in_background

log = logging.getLogger("signum.migrate")


def api(
    host: Annotated[str | None, typer.Option(help="Address to listen on, instead of API_HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on, instead of API_PORT.")] = None,
    workers: Annotated[int | None, typer.Option(help="Number of processes, instead of API_WORKERS.")] = None,
) -> None:
    """Answer print stations and the ETL over HTTP, until told to stop."""
    write_stderr_in_background()
    given = {"api_host": host, "api_port": port, "api_workers": workers}
    settings = read_settings(ApiSettings, **{name: value for name, value in given.items() if value is not None})
    from api import server

    raise typer.Exit(server.run(settings))


def console(
    host: Annotated[str | None, typer.Option(help="Address to listen on, instead of CONSOLE_HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on, instead of CONSOLE_PORT.")] = None,
) -> None:
    """Show the queue, history and all else to the people who run it, in their browsers, until told to stop."""
    write_stderr_in_background()
    given = {"console_host": host, "console_port": port}
    settings = read_settings(ConsoleSettings, **{name: value for name, value in given.items() if value is not None})
    from console import server

    raise typer.Exit(server.run(settings))


def notifier(
    check: Annotated[
        bool,
        typer.Option("--check", help="Only check whether this machine's notifier makes progress; exit with 1 if not."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Push queued items to Sierra, until told to stop. Any number may run: they share the queue."""
    if check:
        _check_notifier(as_json)
        return
    if as_json:
        raise typer.BadParameter("--json goes with --check; LOG_FORMAT=json is for the log")
    write_stderr_in_background()
    settings = read_settings(NotifierSettings)
    from notifier import process

    raise typer.Exit(process.run(settings))


def _check_notifier(as_json: bool) -> None:
    """Check this machine's notifier, for a container's health check: a notifier has no port to ask."""
    host = socket.gethostname()
    found = ask(lambda connection: find_notifier(connection, host))
    if found is None:
        raise Refused(f"no notifier is running on {host}")
    if as_json:
        show_json(asdict(found))
    if found.state == "stalled":
        looped, due = span(found.looped_seconds or 0), span(found.oldest_due_seconds or 0)
        raise Refused(
            f"{found.notifier} has stalled: its loop has not run for {looped}, "
            f"and an item has been waiting for {due}. Restart it"
        )
    if found.gets_no_answer and _does_sierra_answer():
        raise Refused(
            f"{found.notifier} gets no answer from Sierra, which answers here. "
            "It tries again within a minute; if this is still said then, restart it"
        )
    if not as_json:
        reason = f": {found.reason}" if found.reason else ""
        print_out(f"{found.notifier} is {found.state}, its breaker {found.breaker}{reason}")


def _does_sierra_answer() -> bool:
    """Ask Sierra as the notifier does. Return False, too, where only the database's settings are here."""
    try:
        return asyncio.run(_is_sierra_answering(read_settings(NotifierSettings)))
    except SettingsError:
        return False


async def _is_sierra_answering(settings: NotifierSettings) -> bool:
    from notifier.checks import is_answering
    from notifier.config import client_of

    async with client_of(settings) as sierra:
        return await is_answering(sierra)


def migrate(
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for the database.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Bring the database's schema to this release's, and give our roles their rights on it. May be repeated."""
    write_stderr_in_background()
    settings = read_settings(MigrateSettings)
    configure_logging(settings.log_level, settings.log_format)
    try:
        with reaching(settings):
            revision, roles = _bring_to_head(settings, wait)
    except Unreachable as error:
        log.error("gave up: %s", error)
        raise typer.Exit(3) from None
    log.info("the schema is at revision %s", revision, extra={"version": release()})
    if roles:
        log.info("%s have their rights", ", ".join(roles))
    if as_json:
        show_json({"revision": revision, "roles": roles})


def _bring_to_head(settings: MigrateSettings, wait: float) -> tuple[str, list[str]]:
    """Bring the schema to head. Return its revision and the roles that have been given their rights."""
    from db.connections import connection_parameters, wait_for_database
    from db.schema.migrate import migrate as bring_to_head
    from db.schema.rights import grant_rights, make_logins
    from db.schema.version import known_revisions

    parameters = connection_parameters(settings, "signum migrate")
    if wait:
        asyncio.run(wait_for_database(parameters, wait))
    bring_to_head(parameters)
    make_logins(parameters, settings.role_passwords)
    return known_revisions()[-1], grant_rights(parameters)
