"""`signum client`: adds, lists, revokes and rotates the clients that may call the API, each with a key of its own."""

from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from cli.acts import By, act
from cli.database import ask
from cli.exit_codes import Refused
from cli.output import AsCsv, AsJson, print_err, print_out, show_json, show_rows

if TYPE_CHECKING:
    from db.clients import NewKey

app = typer.Typer(help="The clients of the API. A key is shown once, when it is made.", no_args_is_help=True)


class ClientType(StrEnum):
    """The types of clients, by what they may do."""

    ETL = "etl"
    SIGNUM_PRINTER = "signum-printer"


def is_name(name: str) -> str:
    """The name, if it is one; else wrong usage."""
    if not name or len(name) > 100 or not name.isprintable() or name != name.strip():
        raise typer.BadParameter("a name has 1 to 100 printable characters, and no blanks around it")
    return name


NewName = Annotated[str, typer.Argument(help="What history and logs call the client.", callback=is_name)]
Name = Annotated[str, typer.Argument(help="The client's name.")]


@app.command()
def add(
    by: By,
    name: NewName,
    client_type: Annotated[ClientType, typer.Option("--type", help="What it may do.")],
    as_json: AsJson = False,
) -> None:
    """Make a client and print its key: the only time that it is shown. A revoked client's name can be used again."""
    from db.clients import add_client

    in_use = f"there is a client called {name} already: rotate its key, or revoke it first"
    made = act(
        *(by, "client add", {"name": name, "type": client_type.value}),
        lambda connection: add_client(connection, name, client_type),
        lambda made: (1, f"{name} has a key") if made else (0, in_use),
    )
    if made is None:
        raise Refused(in_use)
    _show_key(made, as_json)


@app.command("list")
def list_(as_json: AsJson = False, as_csv: AsCsv = False) -> None:
    """List the clients of the API: type, state, computer, and when each was last seen."""
    from db.clients import list_clients

    columns = (
        "name",
        "type",
        "state",
        "last_seen_seconds",
        "internal_hostname",
        "internal_ip_address",
        "api_key_prefix",
    )
    show_rows(ask(list_clients), as_json, columns, if_none="there are no clients", as_csv=as_csv)


@app.command()
def revoke(by: By, name: Name, as_json: AsJson = False) -> None:
    """Refuse a client's key from now on."""
    from db.clients import revoke_client

    unknown, revoked = f"no client is called {name}", f"{name} is revoked"
    revoked_at = act(
        *(by, "client revoke", {"name": name}),
        lambda connection: revoke_client(connection, name),
        lambda revoked_at: (1, revoked) if revoked_at else (0, unknown),
    )
    if revoked_at is None:
        raise Refused(unknown)
    show_json({"name": name, "revoked_at": revoked_at}) if as_json else print_out(revoked)


@app.command()
def rotate(by: By, name: Name, as_json: AsJson = False) -> None:
    """Give a client a new key and print it; the old one is refused at once."""
    from db.clients import rotate_client

    unknown = f"no client that is not revoked is called {name}"
    made = act(
        *(by, "client rotate", {"name": name}),
        lambda connection: rotate_client(connection, name),
        lambda made: (1, f"{name} has a new key") if made else (0, unknown),
    )
    if made is None:
        raise Refused(unknown)
    _show_key(made, as_json)


def _show_key(made: "NewKey", as_json: bool) -> None:
    if as_json:
        show_json(asdict(made))
    else:
        print_out(made.key)
        print_err(f"the key of {made.name} ({made.type}), for its x-api-key header: it is not shown again")
