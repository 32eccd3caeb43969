"""`signum progress`: how much of the relabelling is done, at which pace, and when it ends."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from cli.database import ask
from cli.output import AsCsv, AsJson, show_record, show_rows
from db import progress as counted
from db.queue import Connection

COUNTS = ("done", "to_do", "without_classification", "unknown")
NONE_COUNTED = "no item has been counted: a notifier does that every ten minutes"


class By(StrEnum):
    """The parts that the progress is told by, as options of the command line."""

    LOCATION = "location"
    ITEM_TYPE = "item-type"
    MATERIAL = "material"
    COLLECTION = "collection"
    DAY = "day"


def progress(
    by: Annotated[By | None, typer.Option(help="By which parts; a collection is all of the first three.")] = None,
    days: Annotated[int, typer.Option(min=1, max=36_500, help="With --by day: the last so many.")] = 28,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Show how much of the relabelling is done, the pace of the last four weeks, and when it ends at that pace."""
    if by is None and as_csv:
        show_rows([ask(counted.read_overview)], as_json, (), as_csv=True)
    elif by is None:
        show_record(ask(counted.read_overview), as_json)
    elif by == By.DAY:
        rows = ask(lambda connection: counted.read_days(connection, days))
        nothing = f"nothing was pushed in the last {days} days"
        show_rows(rows, as_json, ("day", "desk", "pushed", "relabelled"), if_none=nothing, as_csv=as_csv)
    else:
        columns = counted.COLLECTION if by == By.COLLECTION else (by.replace("-", "_"),)

        async def read(connection: Connection) -> list[dict[str, Any]]:
            rows = await counted.read_collections(connection, columns)
            return [{name: row[name] for name in (*columns, *COUNTS, "counted_at")} for row in rows]

        show_rows(ask(read), as_json, (*columns, *COUNTS), if_none=NONE_COUNTED, as_csv=as_csv)
