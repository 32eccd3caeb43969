"""`signum queue list`, `mark`, `retry`, `dismiss`, `not-shown`: queued items, and pushes that Sierra does not show."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from cli.acts import By, act
from cli.database import ask
from cli.exit_codes import Refused
from cli.output import AsJson, confirm, print_out, show_json, show_rows
from db import queue_people
from db.queue import Connection

if TYPE_CHECKING:
    from db.items import NamedItem

app = typer.Typer(help="What waits for its update in Sierra.", no_args_is_help=True)


class State(StrEnum):
    """The states of a queued item, as options of the command line."""

    WAITING = "waiting"
    IN_FLIGHT = "in-flight"
    POSTPONED = "postponed"
    REJECTED = "rejected"
    TO_RECHECK = "to-recheck"


def _is_reason(reason: str | None) -> str | None:
    """Refuse an empty text: every reason contains it."""
    if reason is not None and not reason.strip():
        raise typer.BadParameter("the reason is empty")
    return reason


Numbers = Annotated[list[str] | None, typer.Argument(metavar="[ITEM_NUMBER]...", help="Record numbers in Sierra.")]
Barcodes = Annotated[list[str] | None, typer.Option("--barcode", help="An item's barcode; can be repeated.")]
Reason = Annotated[
    str | None, typer.Option(help="All items rejected for a reason that holds this text.", callback=_is_reason)
]
Work = Callable[[Connection, "Sequence[NamedItem]"], Awaitable[list[int]]]
Action = Callable[..., Awaitable[list[int]]]


@app.command("list")
def list_(
    state: Annotated[State | None, typer.Option(help="Only items in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="At most so many.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List the items in the queue, the most urgent first."""
    words = state.replace("-", " ") if state else None
    rows = ask(lambda connection: queue_people.detail(connection, words, limit))
    columns = (
        "item_number",
        "barcode",
        "title",
        "state",
        "age_seconds",
        "next_try_at",
        "attempts",
        "queued_by",
        "revert_of",
        "reason",
    )
    show_rows(rows, as_json, columns, if_none=f"no item is {words}" if words else "the queue is empty")


@app.command()
def not_shown(
    by: By,
    marks: Annotated[bool, typer.Option("--mark", help="Mark those that are to be pushed again.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="At most so many.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List the pushes that SierraDNA does not show. With --mark, mark those whose item has not changed since."""
    from db.history import read_not_shown
    from db.marks import mark_items

    if not marks:
        rows = ask(lambda connection: read_not_shown(connection, limit))
        columns = ("item_number", "barcode", "state", "call_number_pushed", "call_number_shown", "pushed_at", "title")
        show_rows(rows, as_json, columns, if_none="Sierra shows all that was pushed, or the ETL does not tell")
        return

    async def mark_not_shown(connection: Connection) -> list[int]:
        rows = await read_not_shown(connection, limit)
        ids = [row["item_record_id"] for row in rows if row["state"] == "not shown"]
        return await mark_items(connection, by, ids, 1) if ids else []

    _tell("marked", act(by, "queue not-shown --mark", {"limit": limit}, mark_not_shown, _count("marked")), as_json)


NOT_DISMISSED = "is not in the queue, or is being pushed just now, or was written without an answer: try in 5 minutes"


@app.command()
def mark(
    by: By,
    numbers: Numbers = None,
    barcodes: Barcodes = None,
    priority: Annotated[
        int, typer.Option(min=0, max=2, help="0 with the print stations' own, 2 after all others.")
    ] = 1,
    as_json: AsJson = False,
) -> None:
    """Ask for items' updates in Sierra, as a print station does."""
    from db.marks import mark_items

    async def mark_found(connection: Connection, found: "Sequence[NamedItem]") -> list[int]:
        return await mark_items(connection, by, [item.item_record_id for item in found], priority)

    undone = "was deleted in Sierra, or has just gone"
    _for_named(by, "queue mark", mark_found, numbers, barcodes, as_json, "marked", undone, priority=priority)


@app.command()
def retry(
    by: By, numbers: Numbers = None, barcodes: Barcodes = None, reason: Reason = None, as_json: AsJson = False
) -> None:
    """Give rejected items another chance."""
    if reason is None:
        named = _either(queue_people.retry, by, numbers, barcodes)
        _for_named(by, "queue retry", named, numbers, barcodes, as_json, "retried", "is not rejected")
    else:
        _for_reason("queue retry", queue_people.retry, by, reason, numbers, barcodes, as_json, "retried", "is rejected")


@app.command()
def dismiss(
    by: By,
    numbers: Numbers = None,
    barcodes: Barcodes = None,
    reason: Reason = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take items off the queue unpushed: Sierra keeps what it has. With --reason, it asks first."""
    if reason is None:
        named = _either(queue_people.dismiss, by, numbers, barcodes)
        _for_named(by, "queue dismiss", named, numbers, barcodes, as_json, "dismissed", NOT_DISMISSED)
        return
    if not yes:
        rejected = ask(lambda connection: queue_people.detail(connection, "rejected", limit=1_000_000))
        count = sum(reason in row["reason"] for row in rejected)
        if count:
            confirm(f"Dismiss {_items(count)} rejected for this reason: {reason}?", on_stderr=as_json)
    undone = "is rejected, and was not written without an answer within 5 minutes,"
    _for_reason("queue dismiss", queue_people.dismiss, by, reason, numbers, barcodes, as_json, "dismissed", undone)


def _either(action: Action, by: str, numbers: list[str] | None, barcodes: list[str] | None) -> Work:
    """The action for items that have one of the numbers *or* one of the barcodes."""

    async def act_on_either(connection: Connection, _: "Sequence[NamedItem]") -> list[int]:
        by_number = await action(connection, by, item_numbers=numbers) if numbers else []
        by_barcode = await action(connection, by, barcodes=barcodes) if barcodes else []
        return by_number + by_barcode

    return act_on_either


def _for_named(
    by: str,
    command: str,
    work: Work,
    numbers: list[str] | None,
    barcodes: list[str] | None,
    as_json: bool,
    done: str,
    undone: str,
    **more: int,
) -> None:
    """Do the work for the items named. Raise Refused for unknown names and items left as they are; the rest is done."""
    if not numbers and not barcodes:
        raise typer.BadParameter("name the items: by their numbers, by --barcode, or (retry, dismiss) by --reason")

    from db.items import find_named_items

    async def find_and_do(connection: Connection) -> "tuple[list[NamedItem], set[int]]":
        found = await find_named_items(connection, item_numbers=numbers or (), barcodes=barcodes or ())
        return found, set(await work(connection, found) if found else ())

    target = {"item_numbers": numbers or None, "barcodes": barcodes or None, **more}
    found, touched = act(by, command, target, find_and_do, lambda result: _count(done)(result[1]))
    _tell(done, touched, as_json)
    unknown_numbers = set(numbers or ()) - {item.item_number for item in found}
    unknown_barcodes = set(barcodes or ()) - {item.barcode for item in found}
    problems = [
        *(f"no item has the number {number}" for number in sorted(unknown_numbers)),
        *(f"no item has the barcode {barcode}" for barcode in sorted(unknown_barcodes)),
        *(f"item {_name(item)} {undone}" for item in found if item.item_record_id not in touched),
    ]
    if problems:
        raise Refused(*problems)


def _for_reason(
    command: str,
    action: Action,
    by: str,
    reason: str,
    numbers: list[str] | None,
    barcodes: list[str] | None,
    as_json: bool,
    done: str,
    undone: str,
) -> None:
    if numbers or barcodes:
        raise typer.BadParameter("name the items or give their reason, not both")
    touched = act(
        by, command, {"reason": reason}, lambda connection: action(connection, by, reason=reason), _count(done)
    )
    _tell(done, touched, as_json)
    if not touched:
        raise Refused(f"no item {undone} for this reason: {reason}")


def _count(done: str) -> Callable[[Collection[int]], tuple[int, str]]:
    """The number of items touched, alone and in a sentence."""
    return lambda touched: (len(touched), f"{done} {_items(len(touched))}")


def _tell(done: str, touched: Collection[int], as_json: bool) -> None:
    """Print the number of items touched, if any; as JSON, their ids."""
    if as_json:
        show_json({"done": done, "item_record_ids": sorted(touched)})
    elif touched:
        print_out(f"{done} {_items(len(touched))}")


def _name(item: "NamedItem") -> str:
    return item.item_number or f"without a number, barcode {item.barcode}"


def _items(count: int) -> str:
    return "1 item" if count == 1 else f"{count} items"
