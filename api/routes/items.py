"""The routes of `/itemdata`: a print station reads an item by its barcode, and marks it once its label is printed.

A mark is the start of an update's way to Sierra: the row that it leaves in update_queue notifies the notifier.
Both routes check the key in the statement that does the work: one round trip per request.
"""

import logging
import re
from collections.abc import Sequence
from time import monotonic
from typing import Annotated, Any

from annotated_types import Interval
from fastapi import APIRouter, HTTPException, Path, Request
from pydantic import BeforeValidator, StringConstraints
from starlette.convertors import Convertor, register_url_convertor

from api.auth import SentKey, database_of, note_seen, refuse
from api.problems import KEYED, invalid, problems
from api.schemas import ItemData, Marked
from db.items import find_items, mark_item
from runtime.logging import request_id
from runtime.sentry import current_trace, timed

log = logging.getLogger("signum.api")

router = APIRouter(tags=["Print stations"])

HOUR_SECONDS = 3600.0
MOST_WARNED = 1_000  # barcodes within the hour; the view `shared_barcode` has all of them, asked for or not

_ID = re.compile(r"-?[0-9]{1,19}")


class SharedBarcodes:
    """The barcodes of several items that this process warned of within the last hour, oldest first.

    Such a barcode is a 409 that no print station shows, and that it asks for again every 200 ms.
    """

    def __init__(self) -> None:
        self._warned_at: dict[str, float] = {}

    def warn(self, barcode: str, item_numbers: Sequence[str], now: float) -> None:
        """Log the barcode, unless that was done within the hour. `now` is in monotonic seconds."""
        while self._warned_at and now - next(iter(self._warned_at.values())) >= HOUR_SECONDS:
            del self._warned_at[next(iter(self._warned_at))]
        if barcode in self._warned_at or len(self._warned_at) >= MOST_WARNED:
            return
        self._warned_at[barcode] = now
        about = {"barcode": barcode, "item_numbers": ", ".join(item_numbers)}
        log.warning("several items share a barcode, and print stations get none of them", extra=about)


class _Rest(Convertor[str]):
    """The rest of the path, slashes and line ends too.

    One route then serves the path with and without its trailing slash, and answers 422 to whatever is no barcode.
    Starlette's own `:path` ends at a line end, and takes the part in front of it for a barcode.
    """

    regex = "(?s:.*)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("rest", _Rest())


def _without_slash(text: object) -> object:
    return text.removesuffix("/") if isinstance(text, str) else text


def _plain_number(text: object) -> object:
    """Refuse texts that only pydantic reads as a number: it takes `1_000` for 1000, which is another item."""
    if isinstance(text, str) and not _ID.fullmatch(text):
        raise ValueError("an item_record_id is 1 to 19 digits, with or without a minus sign")
    return text


Barcode = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9\.\w]{10,30}$"),
    BeforeValidator(_without_slash),
    Path(
        description="10 to 30 letters and digits of any script, `_` and `.`; looked up exactly, case too",
        examples=["1231231230012"],
    ),
]
ItemRecordId = Annotated[
    int,
    Interval(ge=-(2**63), le=2**63 - 1),
    BeforeValidator(_plain_number),
    BeforeValidator(_without_slash),
    Path(
        description="The `item_record_id` that was read", examples=[450972567890], json_schema_extra={"format": "int64"}
    ),
]


@router.get(
    "/itemdata/{barcode:rest}",
    response_model=ItemData,
    summary="Read an item by its barcode",
    responses=problems(
        KEYED
        | {
            404: "Item not found",
            409: "Several items share the barcode 1231231230012: item numbers 2043111, 2043112",
        }
    )
    | invalid(["path", "barcode"], "String should match pattern '^[0-9\\.\\w]{10,30}$'"),
)
async def read_item(barcode: Barcode, key: SentKey, request: Request) -> dict[str, Any]:
    """Return the item with exactly this barcode. Several items with one barcode are a 409 that names them."""
    database = database_of(request)
    items = await find_items(database, key.sha256, barcode)
    if items is None:
        raise await refuse(request, key, "signum-printer")
    note_seen(request, key)
    if not items:
        raise HTTPException(404, "Item not found")
    if len(items) > 1:
        numbers = [item["item_number"] or "(none)" for item in items]
        shared_barcodes: SharedBarcodes = request.app.state.shared_barcodes
        shared_barcodes.warn(barcode, numbers, monotonic())
        raise HTTPException(409, f"Several items share the barcode {barcode}: item numbers {', '.join(numbers)}")
    return items[0]


@router.put(
    "/itemdata/{item_record_id:rest}",
    response_model=Marked,
    summary="Queue an item's update to Sierra",
    responses=problems(KEYED | {404: "Item not found"})
    | invalid(
        ["path", "item_record_id"], "Value error, an item_record_id is 1 to 19 digits, with or without a minus sign"
    ),
)
async def mark_printed_item(item_record_id: ItemRecordId, key: SentKey, request: Request) -> Marked:
    """Mark an item whose label was printed. The answer is sent when the mark is on disk.

    An item that already waits keeps its one entry in the queue, and its update is done as of the last mark.
    """
    database = database_of(request)
    with timed("mark"):
        marked = await mark_item(database, key.sha256, item_record_id, request_id.get(), current_trace())
    if marked is None:
        raise await refuse(request, key, "signum-printer")
    note_seen(request, key)
    client, found = marked
    if not found:
        raise HTTPException(404, "Item not found")
    log.info("item marked", extra={"item_record_id": item_record_id, "client": client})
    return Marked()
