"""`signum sync`: shows the state of the sync with Sierra, and asks for a full one."""

import typer

from cli.database import ask
from cli.output import AsJson, print_out, show_json, show_record

app = typer.Typer(help="What the ETL brings from Sierra.", no_args_is_help=True)


@app.command()
def status(as_json: AsJson = False) -> None:
    """Show the position of the sync, any missing changes, and what to do about them."""
    from db.sync_state import show_sync

    show_record(ask(show_sync), as_json)


@app.command()
def restart(as_json: AsJson = False) -> None:
    """Ask for a full sync: it begins when the ETL comes next. Items queued for Sierra stay queued."""
    from db.sync_state import request_full_sync

    requested_at = ask(request_full_sync)
    if as_json:
        show_json({"full_sync_requested_at": requested_at})
    else:
        print_out("a full sync begins when the ETL comes next")


@app.command()
def allow_deletions(as_json: AsJson = False) -> None:
    """Delete the items whose deletion is held, for too many came at once. See `deletion_held_on` in `sierra_item`."""
    from db import deletions

    deleted = ask(deletions.allow_deletions)
    if as_json:
        show_json({"deleted": deleted})
    else:
        print_out("1 item was deleted" if deleted == 1 else f"{deleted} items were deleted")
