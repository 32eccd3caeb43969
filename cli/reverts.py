"""`signum revert`: a person names pushes by their rows of history, and the notifier puts the call numbers back."""

from dataclasses import asdict
from typing import Annotated

import typer

from cli.acts import By, act
from cli.exit_codes import Refused
from cli.output import AsJson, print_out, show_json
from db.history import Revert, queue_reverts

LARGEST = 2**63 - 1
Rows = Annotated[
    list[int],
    typer.Argument(min=1, max=LARGEST, metavar="ID...", help="Which pushes: their update log ids in signum history."),
]


def revert(by: By, rows: Rows, as_json: AsJson = False) -> None:
    """Undo pushes: each item's call number before the push is put back, unless Sierra has another one by now.

    IUSE3 and INVDA stay as they are. The next mark of the item asks for its newest classification again.
    """

    def tell(named: list[Revert]) -> tuple[int, str]:
        queued = sum(one.queued for one in named)
        return queued, f"{queued} of {len({*rows})} pushes are queued to be undone"

    named = act(by, "revert", {"ids": rows}, lambda connection: queue_reverts(connection, by, rows), tell)
    queued = [one for one in named if one.queued]
    if as_json:
        show_json([asdict(one) for one in queued])
    else:
        for one in queued:
            print_out(f"{_item(one)} gets {one.call_number_before!r} back for {one.call_number_after!r}")
    unknown = sorted({*rows} - {one.update_log_id for one in named})
    problems = [
        *(f"history has no row {row}, or not any more: find the ids with signum history" for row in unknown),
        *(_why_not(one) for one in named if not one.queued),
    ]
    if problems:
        raise Refused(*problems)


def _why_not(one: Revert) -> str:
    """Explain why this push was not queued to be undone, and what to do."""
    before = one.call_number_before
    if one.outcome != "pushed":
        return f"row {one.update_log_id} is {one.outcome}: only what was pushed can be undone, find its row"
    if before == one.call_number_after:
        return f"row {one.update_log_id} left the call number of {_item(one)} as it was: there is nothing to undo"
    if before is None or not before.strip():
        return f"{_item(one)} had no call number before, and Sierra's API can't take one away: delete it in Sierra"
    if not one.in_catalogue:
        return f"{_item(one)} is not in the catalogue any more: change it in Sierra"
    number = one.item_number
    return f"{_item(one)} is in the queue: let it be pushed first, or dismiss it (signum queue dismiss {number})"


def _item(one: Revert) -> str:
    return f"item {one.item_number}"
