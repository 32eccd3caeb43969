"""`signum queue list`, `mark`, `retry`, `dismiss`, `not-shown`: queued items, and pushes that Sierra does not show."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from cli.acts import By, act
from cli.database import ask
from cli.exit_codes import Refused
from cli.output import AsCsv, AsJson, confirm, print_out, show_json, show_rows
from db import queue_filter, queue_people
from db.queue import Connection
from db.reasons import ReasonCode
from runtime.settings import read_notifier_settings

if TYPE_CHECKING:
    from db.items import NamedItem

app = typer.Typer(help="What waits for its update in Sierra.", no_args_is_help=True)
NOT_DISMISSED = "is not in the queue, or is being pushed just now, or was written without an answer: try in {:g} s"


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
OfReasonCode = Annotated[ReasonCode | None, typer.Option("--reason-code", help="All items of this kind of reason.")]
Work = Callable[[Connection, "Sequence[NamedItem]"], Awaitable[list[int]]]
Action = Callable[..., Awaitable[list[int]]]


@app.command("list")
def list_(
    state: Annotated[State | None, typer.Option(help="Only items in this state.")] = None,
    reason_code: OfReasonCode = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="At most so many.")] = 100,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """List the items in the queue, the most urgent first."""
    words = state.replace("-", " ") if state else None
    rows = ask(lambda connection: queue_people.detail(connection, words, limit, reason_code))
    columns = ("item_number", "barcode", "title", "state", "age_seconds", "next_try_at", "attempts")
    why = ("queued_by", "revert_of", "reason_code", "reason")
    if_none = f"no item is {words or reason_code}" if words or reason_code else "the queue is empty"
    show_rows(rows, as_json, (*columns, *why), if_none=if_none, as_csv=as_csv)


@app.command()
def not_shown(
    by: By,
    marks: Annotated[bool, typer.Option("--mark", help="Mark those that are to be pushed again.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="At most so many.")] = 100,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """List the pushes that SierraDNA does not show. With --mark, mark those whose item has not changed since."""
    from db.history import read_not_shown
    from db.marks import mark_items

    if not marks:
        rows = ask(lambda connection: read_not_shown(connection, limit))
        columns = ("item_number", "barcode", "state", "call_number_pushed", "call_number_shown", "pushed_at", "title")
        show_rows(
            rows, as_json, columns, if_none="Sierra shows all that was pushed, or the ETL does not tell", as_csv=as_csv
        )
        return

    async def mark_not_shown(connection: Connection) -> list[int]:
        rows = await read_not_shown(connection, limit)
        ids = [row["item_record_id"] for row in rows if row["state"] == "not shown"]
        return await mark_items(connection, by, ids, 1) if ids else []

    task = _Task("queue not-shown --mark", "marked", by, as_json)
    touched = act(by, task.command, {"limit": limit}, mark_not_shown, task.count)
    task.tell(touched, if_none="no item is to be marked again")


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

    task = _Task("queue mark", "marked", by, as_json)
    _for_named(task, mark_found, numbers, barcodes, "was deleted in Sierra, or has just gone", priority=priority)


@app.command()
def retry(
    by: By,
    numbers: Numbers = None,
    barcodes: Barcodes = None,
    reason: Reason = None,
    reason_code: OfReasonCode = None,
    as_json: AsJson = False,
) -> None:
    """Give rejected items another chance."""
    task = _Task("queue retry", "retried", by, as_json)
    if reason is None and reason_code is None:
        _for_named(task, _either(queue_people.retry, by, numbers, barcodes), numbers, barcodes, "is not rejected")
    else:
        _for_reason(task, queue_people.retry, reason, reason_code, "is rejected", bool(numbers or barcodes))


@app.command()
def dismiss(
    by: By,
    numbers: Numbers = None,
    barcodes: Barcodes = None,
    reason: Reason = None,
    reason_code: OfReasonCode = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take items off the queue unpushed: Sierra keeps what it has. With --reason or --reason-code, it asks first."""
    task, seconds = _Task("queue dismiss", "dismissed", by, as_json), read_notifier_settings()[0].late_write_seconds
    do = partial(queue_people.dismiss, late_seconds=seconds)
    if reason is None and reason_code is None:
        _for_named(task, _either(do, by, numbers, barcodes), numbers, barcodes, NOT_DISMISSED.format(seconds))
        return
    named = bool(numbers or barcodes)
    if not yes and not named:
        asked_at = ask(queue_filter.read_clock)
        rejected = ask(lambda connection: queue_people.detail(connection, "rejected", 1_000_000, reason_code))
        ids = [row["item_record_id"] for row in rejected if (reason or "") in (row["reason"] or "")]
        if ids:
            why = _in_words(reason, reason_code)
            confirm(f"Dismiss {_items(len(ids))} rejected for this reason: {why}?", on_stderr=as_json)
        do = partial(do, item_record_ids=ids, asked_at=asked_at)
    undone = f"is rejected, and was not written without an answer within {seconds:g} s,"
    _for_reason(task, do, reason, reason_code, undone, named)


@dataclass(frozen=True, slots=True)
class _Task:
    """The command, the word for what it does with items, the person who asks for it, and the form of the answer."""

    command: str
    done: str
    by: str
    as_json: bool

    def count(self, touched: Collection[int]) -> tuple[int, str]:
        """The number of items touched, alone and in a sentence."""
        return len(touched), f"{self.done} {_items(len(touched))}"

    def tell(self, touched: Collection[int], if_none: str = "") -> None:
        """Print the number of items touched, or `if_none`; as JSON, their ids."""
        if self.as_json:
            show_json({"done": self.done, "item_record_ids": sorted(touched)})
        elif touched or if_none:
            print_out(self.count(touched)[1] if touched else if_none)


def _either(action: Action, by: str, numbers: list[str] | None, barcodes: list[str] | None) -> Work:
    """The action for items that have one of the numbers *or* one of the barcodes."""

    async def act_on_either(connection: Connection, _: "Sequence[NamedItem]") -> list[int]:
        by_number = await action(connection, by, item_numbers=numbers) if numbers else []
        by_barcode = await action(connection, by, barcodes=barcodes) if barcodes else []
        return by_number + by_barcode

    return act_on_either


def _for_named(
    task: _Task, work: Work, numbers: list[str] | None, barcodes: list[str] | None, undone: str, **more: int
) -> None:
    """Do the work for the items named. Raise Refused for unknown names and items left as they are; the rest is done."""
    if not numbers and not barcodes:
        raise typer.BadParameter("name the items: by their numbers, by --barcode, or (retry, dismiss) by --reason")

    from db.items import find_named_items

    async def find_and_do(connection: Connection) -> "tuple[list[NamedItem], set[int]]":
        found = await find_named_items(connection, item_numbers=numbers or (), barcodes=barcodes or ())
        return found, set(await work(connection, found) if found else ())

    target = {"item_numbers": numbers or None, "barcodes": barcodes or None, **more}
    found, touched = act(task.by, task.command, target, find_and_do, lambda result: task.count(result[1]))
    task.tell(touched)
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
    task: _Task, action: Action, reason: str | None, reason_code: str | None, undone: str, named: bool
) -> None:
    """Do the action for all rejected items of that reason. Raise Refused where there are none."""
    if named:
        raise typer.BadParameter("name the items or give their reason, not both")
    filtered = {"reason": reason, "reason_code": reason_code}
    touched = act(
        task.by, task.command, filtered, lambda connection: action(connection, task.by, **filtered), task.count
    )
    task.tell(touched)
    if not touched:
        raise Refused(f"no item {undone} for this reason: {_in_words(reason, reason_code)}")


def _in_words(reason: str | None, reason_code: str | None) -> str:
    return ", ".join(filter(None, (reason_code, reason)))


def _name(item: "NamedItem") -> str:
    return item.item_number or f"without a number, barcode {item.barcode}"


def _items(count: int) -> str:
    return "1 item" if count == 1 else f"{count} items"
