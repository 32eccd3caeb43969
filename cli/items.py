"""`signum history` and `signum preview`: the past updates of one item in Sierra, and its next one."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from cli.database import ask
from cli.exit_codes import Refused
from cli.output import AsCsv, AsJson, print_out, show_json, show_rows
from db.history import read_history
from runtime.settings import NotifierSettings, read_settings

if TYPE_CHECKING:
    from db.items import NamedItem

Barcode = Annotated[str, typer.Argument(help="The item's barcode.")]


def history(
    barcode: Barcode,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="At most so many.")] = 100,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """List the outcomes of one item's updates, newest first. `signum revert` undoes one by its update_log_id."""
    rows = ask(lambda connection: read_history(connection, barcode, limit))
    if not rows:
        item = _find_item(barcode)
        raise Refused(f"item {item.item_number}, barcode {barcode}, was not updated in the time that history is kept")
    columns = (
        "update_log_id",
        "finished_at",
        "outcome",
        "call_number_before",
        "call_number_after",
        "queued_by",
        "took_seconds",
        "revert_of",
        "reason_code",
        "reason",
    )
    show_rows(rows, as_json, columns, as_csv=as_csv)


def preview(barcode: Barcode, as_json: AsJson = False) -> None:
    """Show what an update of this item would write to Sierra now, field by field. Nothing is written."""
    settings = read_settings(NotifierSettings)
    from cli.dry_run import plan_changes

    item = _find_item(barcode, settings)
    changes, remarks = plan_changes(item, settings)
    if as_json:
        facts = {"barcode": barcode, "title": item.best_title, "classification": item.classification}
        fields = [asdict(change) for change in changes]
        show_json({"item_number": item.item_number, **facts, "changes": fields, "remarks": remarks})
        return
    print_out(
        f"item {item.item_number}, {item.best_title or 'without a title'}; classification {item.classification or '-'}"
    )
    show_rows([asdict(c) for c in changes], False, ("field", "before", "after"), if_none="nothing: Sierra has it all")
    print_out(*remarks)


def _find_item(barcode: str, settings: NotifierSettings | None = None) -> "NamedItem":
    """The one item with this barcode."""
    from db.items import find_named_items

    found = ask(lambda connection: find_named_items(connection, barcodes=[barcode]), settings)
    if not found:
        raise Refused(f"no item has the barcode {barcode}")
    if len(found) > 1:
        numbers = ", ".join(str(item.item_number) for item in found)
        raise Refused(f"several items have the barcode {barcode}: {numbers}")
    return found[0]
