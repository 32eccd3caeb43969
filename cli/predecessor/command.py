"""How does a library come from the predecessor to us, without a full sync and with the keys that its clients have?"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import psycopg
import typer
from psycopg.conninfo import conninfo_to_dict
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cli.database import reaching
from cli.exit_codes import Refused, Unreachable
from cli.output import AsJson, aside, say, show_json
from runtime.settings import ApiSettings, read_settings


def _without_password(source: str) -> str:
    try:
        given = conninfo_to_dict(source)
    except psycopg.ProgrammingError as error:
        raise typer.BadParameter(f"it is no PostgreSQL URL: {str(error).strip()}") from error
    if "password" in given:
        raise typer.BadParameter(
            "leave the password out, for everybody on this machine can read it here: "
            "set PGPASSWORD, or have it in ~/.pgpass"
        )
    return source


Source = Annotated[
    str,
    typer.Option(
        "--from",
        metavar="URL",
        help="Its database: postgresql://USER@HOST/NAME. The password is taken from PGPASSWORD or ~/.pgpass.",
        callback=_without_password,
    ),
]
Again = Annotated[bool, typer.Option("--again", help="Though there are items here: bring what they lack.")]


def import_predecessor(source: Source, again: Again = False, as_json: AsJson = False) -> None:
    """Bring items, clients, queue and sync position over from the predecessor's database, which is only read.

    All or nothing: until it is done nobody sees any of it, and nothing is pushed.
    """
    settings = read_settings(ApiSettings)
    from cli.predecessor.database import NotAPredecessor, PredecessorAway, reading
    from cli.predecessor.importer import inherit, sentences
    from db.connections import connection_parameters

    parameters = connection_parameters(settings, "signum import", synchronous_commit="on")
    try:
        with reaching(settings), reading(source) as old, _bar(old.count_items()) as bar:
            brought = inherit(old, parameters, settings.full_sync_batch_size, again=again, progress=bar)
    except PredecessorAway as error:
        raise Unreachable(f"the predecessor's database: {error}") from error
    except NotAPredecessor as error:
        raise Refused(f"this is not the predecessor's database: {error}") from error
    aside(*brought.remarks)
    if as_json:
        show_json(asdict(brought))
    else:
        say(*sentences(brought))


@contextmanager
def _bar(total: int) -> Iterator[Callable[[int], None]]:
    """A bar on the standard error, where a person looks at it."""
    columns = (TextColumn("items"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("items", total=total)
        yield lambda rows: progress.advance(task, rows)
