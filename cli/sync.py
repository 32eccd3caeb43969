"""`signum sync`: shows the state of the sync with Sierra, asks for a full one, and allows deletions that are held."""

from functools import partial
from typing import Annotated

import typer

from cli.acts import By, act
from cli.database import ask
from cli.exit_codes import Refused
from cli.output import AsJson, confirm, print_out, show_json, show_record

app = typer.Typer(help="What the ETL brings from Sierra.", no_args_is_help=True)


@app.command()
def status(as_json: AsJson = False) -> None:
    """Show the position of the sync, any missing changes, and what to do about them."""
    from db.sync_state import show_sync

    show_record(ask(show_sync), as_json)


@app.command()
def restart(by: By, as_json: AsJson = False) -> None:
    """Ask for a full sync: it begins when the ETL comes next. Items queued for Sierra stay queued."""
    from db.sync_state import request_full_sync

    begins = "a full sync begins when the ETL comes next"
    requested_at = act(by, "sync restart", {}, request_full_sync, lambda _: (1, begins))
    show_json({"full_sync_requested_at": requested_at}) if as_json else print_out(begins)


@app.command()
def allow_deletions(
    by: By, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False, as_json: AsJson = False
) -> None:
    """Delete the items whose deletion is held, for too many came at once. It asks first.

    See `deletion_held_on` in `sierra_item`.
    """
    from db import catalogue, deletions

    def tell(deleted: int) -> tuple[int, str]:
        return deleted, "1 item was deleted" if deleted == 1 else f"{deleted} items were deleted"

    allow, asked = deletions.allow_deletions, 0
    if not yes:
        held = ask(catalogue.read_held_deletions)
        asked = sum(day["items"] for day in held)
        if asked:
            confirm(f"Delete {asked} {'item' if asked == 1 else 'items'} whose deletion is held?", on_stderr=as_json)
        allow = partial(allow, ids_sum=str(sum(day["ids_sum"] for day in held)))
    deleted = act(by, "sync allow-deletions", {}, allow, tell)
    if asked and not deleted:
        raise Refused("nothing was deleted: other items are held now than you were asked about; look at them again")
    show_json({"deleted": deleted}) if as_json else print_out(tell(deleted)[1])
