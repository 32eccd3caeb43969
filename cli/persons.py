"""`signum person`: adds, lists, revokes and rotates the people who may use the console.

The role signum_operator may not: it would make itself an admin. The owner of the database may, and signum_console.
"""

from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from cli.acts import By, act
from cli.clients import is_name
from cli.database import ask
from cli.exit_codes import Refused
from cli.output import AsJson, print_err, print_out, show_json, show_rows

if TYPE_CHECKING:
    from db.persons import NewPersonKey

app = typer.Typer(
    help="The people who may use the console. A key is shown once, when it is made. For the database's owner.",
    no_args_is_help=True,
)


class PersonRole(StrEnum):
    """The roles of persons: each may do what those before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


NewName = Annotated[str, typer.Argument(help="What history and acts call the person.", callback=is_name)]
Name = Annotated[str, typer.Argument(help="The person's name.")]


@app.command()
def add(
    by: By,
    name: NewName,
    role: Annotated[
        PersonRole,
        typer.Option("--role", help="viewer looks; operator acts on items; admin manages people and keys too."),
    ],
    as_json: AsJson = False,
) -> None:
    """Let a person in, and print the key to sign in with: the only time that it is shown."""
    from db.persons import add_person

    in_use = f"the name {name} is taken, by a person or by a client: take another, or revoke the person first"
    made = act(
        *(by, "person add", {"name": name, "role": role.value}),
        lambda connection: add_person(connection, name, role.value),
        lambda made: (1, f"{name} is let in as {role.value}") if made else (0, in_use),
    )
    if made is None:
        raise Refused(in_use)
    _show_key(made, as_json)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the people who may use the console: role, state, and when each was last there."""
    from db.persons import list_persons

    columns = ("name", "role", "state", "last_seen_at", "created_at")
    show_rows(ask(list_persons), as_json, columns, if_none="no person may use the console yet")


@app.command()
def revoke(by: By, name: Name, as_json: AsJson = False) -> None:
    """Let a person in no more, from now on."""
    from db.persons import revoke_person

    unknown, revoked = f"no person is called {name}", f"{name} is let in no more"
    revoked_at = act(
        *(by, "person revoke", {"name": name}),
        lambda connection: revoke_person(connection, name),
        lambda revoked_at: (1, revoked) if revoked_at else (0, unknown),
    )
    if revoked_at is None:
        raise Refused(unknown)
    show_json({"name": name, "revoked_at": revoked_at}) if as_json else print_out(revoked)


@app.command()
def rotate(by: By, name: Name, as_json: AsJson = False) -> None:
    """Give a person a new key and print it; who signed in with the old one is signed out."""
    from db.persons import rotate_person

    unknown = f"no person that is let in is called {name}"
    made = act(
        *(by, "person rotate", {"name": name}),
        lambda connection: rotate_person(connection, name),
        lambda made: (1, f"{name} has a new key") if made else (0, unknown),
    )
    if made is None:
        raise Refused(unknown)
    _show_key(made, as_json)


def _show_key(made: "NewPersonKey", as_json: bool) -> None:
    if as_json:
        show_json(asdict(made))
    else:
        print_out(made.key)
        print_err(f"the key of {made.name} ({made.role}), to sign in to the console with: it is not shown again")
