"""Progress: how much of the collection is relabelled, by collection, day and desk; the pace, and when it ends."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from babel.dates import format_date
from babel.numbers import format_decimal, format_percent
from fastapi import APIRouter, HTTPException, Response

from console.charts import columns, stack
from console.languages import N_, locale_of
from console.visit import Viewer
from db.progress import COLLECTION, read_collections, read_days, read_overview

router = APIRouter()

DAYS = 28
MOST_ROWS = 200
SIZE = (560, 120)  # of the chart of days, in the SVG's own units; the page scales it
BAR = (560, 24)
PARTS: Mapping[str, tuple[str, ...]] = {
    "location": ("location",),
    "item_type": ("item_type",),
    "material": ("material",),
    "collection": COLLECTION,
}
NAMES = {
    "location": N_("Location"),
    "item_type": N_("Item type"),
    "material": N_("Material"),
    "collection": N_("Collection"),
}
# What the view says where it tells no end.
NO_END = (
    N_("nothing has been counted yet"),
    N_("all items with a classification are relabelled"),
    N_("the ETL brings no call numbers, so only what was pushed is known"),
    N_("nothing was relabelled in the four weeks before today"),
    N_("at this pace it takes more than a hundred years"),
)


@router.get("/progress")
async def show_progress(visit: Viewer) -> Response:
    """Show the counts of the last ten minutes, the last four weeks by day and desk, and the end at their pace."""
    by = visit.query.text("by") or "location"
    if by not in PARTS:
        raise HTTPException(400, f"by is one of {', '.join(PARTS)}")
    async with visit.reading() as connection:
        overview = await read_overview(connection)
        collections = await read_collections(connection, PARTS[by])
        labels = await read_days(connection, DAYS)
    locale: Any = locale_of(visit.language)
    days = _by_day(labels)
    earlier = [0] * (DAYS - len(days))  # a day is as wide in the first week as in the fourth
    shares = (overview["done"], overview["to_do"] + overview["unknown"])
    return visit.render(
        "progress.html",
        overview=overview,
        by=by,
        parts=NAMES,
        part_columns=PARTS[by],
        collections=collections[:MOST_ROWS],
        more=max(0, len(collections) - MOST_ROWS),
        done_bar=stack(shares, *BAR),
        bar_size=BAR,
        desks=sorted({row["desk"] for row in labels}),
        days=days,
        day_bars=columns(earlier + [day["relabelled"] for day in days], *SIZE)[len(earlier) :],
        size=SIZE,
        day_name=lambda day: format_date(day, "medium", locale=locale),
        pace=lambda number: format_decimal(number, "#,##0.#", locale=locale),
        share=lambda row: _share(row, locale),
    )


def _by_day(labels: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A row for each day from the first with a label to the last, the oldest first, also where none was printed."""
    if not labels:
        return []
    last, first = labels[0]["day"], labels[-1]["day"]
    days: list[date] = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    by_day: dict[date, dict[str, Any]] = {day: {"day": day, "relabelled": 0, "pushed": {}} for day in days}
    for row in labels:
        day = by_day[row["day"]]
        day["relabelled"] += row["relabelled"]
        day["pushed"][row["desk"]] = row["pushed"]
    return list(by_day.values())


def _share(row: Mapping[str, Any], locale: Any) -> str:
    """The part that is done, of those that have a classification."""
    known = row["done"] + row["to_do"] + row["unknown"]
    return format_percent(row["done"] / known, "0.0 %", locale=locale) if known else "–"
