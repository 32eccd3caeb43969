"""`signum import-predecessor`: a library moves here without a full sync, and its clients keep their keys."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import psycopg
import typer
from psycopg.conninfo import conninfo_to_dict
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cli.acts import By, find_os_user
from cli.database import reaching
from cli.exit_codes import Refused, Unreachable
from cli.output import AsJson, print_err, print_out, show_json
from runtime.settings import ApiSettings, read_settings

SECRETS = {
    "password": "Set PGPASSWORD, or have it in ~/.pgpass",
    "sslpassword": "Have it in a service file (PGSERVICEFILE)",
    "oauth_client_secret": "Have it in a service file (PGSERVICEFILE)",
}


def _without_secrets(source: str) -> str:
    try:
        given = conninfo_to_dict(source)
    except psycopg.ProgrammingError as error:
        raise typer.BadParameter(f"not a PostgreSQL URL: {str(error).strip()}") from error
    for name, elsewhere in SECRETS.items():
        if name in given:
            raise typer.BadParameter(f"leave {name} out: every user of this machine can read it here. {elsewhere}")
    return source


Source = Annotated[
    str,
    typer.Option(
        "--from",
        metavar="URL",
        help="Its database: postgresql://USER@HOST/NAME. The password is taken from PGPASSWORD or ~/.pgpass.",
        callback=_without_secrets,
    ),
]
Again = Annotated[bool, typer.Option("--again", help="Import although our catalogue has items: add what is missing.")]


def import_predecessor(by: By, source: Source, again: Again = False, as_json: AsJson = False) -> None:
    """Bring items, clients, queue and sync position over from the predecessor's database, which is only read.

    All or nothing: until it is done no client sees any of it, and nothing is pushed.
    """
    settings = read_settings(ApiSettings)
    from cli.predecessor.database import NotAPredecessor, PredecessorUnavailable, reading
    from cli.predecessor.importer import import_all, summary
    from db.connections import connection_parameters

    parameters = connection_parameters(settings, "signum import")
    person = {"person": by, "os_user": find_os_user(), "source": source}
    try:
        with reaching(settings), reading(source) as old, _progress_bar(old.count_items()) as bar:
            result = import_all(old, parameters, settings.full_sync_batch_size, person, again=again, progress=bar)
    except PredecessorUnavailable as error:
        raise Unreachable(f"the predecessor's database: {error}") from error
    except NotAPredecessor as error:
        raise Refused(f"this is not the predecessor's database: {error}") from error
    print_err(*result.remarks)
    if as_json:
        show_json(asdict(result))
    else:
        print_out(*summary(result))


@contextmanager
def _progress_bar(total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on the standard error, if that is a terminal."""
    columns = (TextColumn("items"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("items", total=total)
        yield lambda rows: progress.advance(task, rows)
