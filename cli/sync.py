"""`signum sync`: shows the state of the sync with Sierra, and asks for a full one."""

import typer

from cli.acts import By, act
from cli.database import ask
from cli.output import AsJson, print_out, show_json, show_record

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
def allow_deletions(by: By, as_json: AsJson = False) -> None:
    """Delete the items whose deletion is held, for too many came at once. See `deletion_held_on` in `sierra_item`."""
    from db import deletions

    def tell(deleted: int) -> tuple[int, str]:
        return deleted, "1 item was deleted" if deleted == 1 else f"{deleted} items were deleted"

    deleted = act(by, "sync allow-deletions", {}, deletions.allow_deletions, tell)
    show_json({"deleted": deleted}) if as_json else print_out(tell(deleted)[1])
