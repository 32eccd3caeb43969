"""The acts of people by commands: the work and its row of `act` are one transaction. `signum acts` lists them all."""

import os
from collections.abc import Awaitable, Callable, Mapping
from getpass import getuser
from typing import Annotated, Any, TypeVar

import typer

from cli.database import ask
from cli.output import AsCsv, AsJson, show_rows
from db.acts import read_acts, write_act
from db.queue import Connection

Result = TypeVar("Result")


def _operator() -> str:
    """The user's name by the operating system, or `signum`: a container's user may have none."""
    try:
        return getuser()
    except (KeyError, OSError):
        return "signum"


By = Annotated[
    str,
    typer.Option(
        "--by",
        help="The person who asks for it, for the history.",
        default_factory=_operator,
        show_default="you",
        envvar="SIGNUM_BY",
    ),
]


def find_os_user() -> str:
    """The user that this process runs as, not as the environment has it; its number where it has no name."""
    try:
        import pwd

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):  # on Windows; in a container
        return str(os.getuid()) if hasattr(os, "getuid") else _operator()


def act(
    by: str,
    action: str,
    target: Mapping[str, Any],
    work: Callable[[Connection], Awaitable[Result]],
    tell: Callable[[Result], tuple[int, str]],
    reason: str | None = None,
) -> Result:
    """Return the result of `work`, written as an act of `by`'s in the same transaction.

    `target`: the ids or the filter; conditions that are None are left out. `tell` says of the result how many things it
    changed, and in a sentence what came of it.
    """

    async def work_and_write(connection: Connection) -> Result:
        async with connection.transaction():
            result = await work(connection)
            number, sentence = tell(result)
            given = {name: value for name, value in target.items() if value is not None}
            await write_act(
                *(connection, by, action, given, number, sentence),
                through="command",
                os_user=find_os_user(),
                reason=reason,
            )
            return result

    return ask(work_and_write)


def acts(
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="At most so many.")] = 100,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """List what people did, by commands and by the console, the newest first."""
    rows = ask(lambda connection: read_acts(connection, limit))
    if not (as_json or as_csv):
        rows = [{**row, "target": _in_words(row["target"])} for row in rows]
    columns = ("acted_at", "person", "through", "os_user", "action", "target", "reason", "result")
    show_rows(rows, as_json, columns, if_none="no act is kept: nothing was done, or it was long ago", as_csv=as_csv)


def _in_words(target: Mapping[str, Any]) -> str:
    """The target as `item_numbers 1001, 1002; priority 1`."""
    return "; ".join(
        f"{name} {', '.join(map(str, value)) if isinstance(value, list) else value}" for name, value in target.items()
    )
