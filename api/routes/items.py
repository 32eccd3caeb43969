"""The print station reads an item by its barcode, and after printing says so: a mark.

The mark is the first hop of an update's way to Sierra: the row that it leaves in update_queue rings the notifier.
Both routes check the key in the same statement that does the work: one round trip per request.
"""

import logging
import re
import time
from typing import Annotated, Any

from annotated_types import Interval
from fastapi import APIRouter, HTTPException, Path, Request
from pydantic import BeforeValidator, StringConstraints
from starlette.convertors import Convertor, register_url_convertor

from api.auth import SentKey, database_of, note_seen, refuse
from api.problems import KEYED, invalid, problems
from api.schemas import ItemData, Marked
from api.shared_barcodes import SharedBarcodes
from db.items import find_items, mark_item
from runtime.logging import request_id
from runtime.sentry import current_trace, timed

log = logging.getLogger("signum.api")

router = APIRouter(tags=["Print stations"])

_ID = re.compile(r"-?[0-9]{1,19}")


class _Rest(Convertor[str]):
    """All of the path from here on, slashes and line ends too.

    So one route serves the path with and without its trailing slash, and what is no barcode is told so (422) whatever
    is in it. Starlette's own `:path` ends at a line end, and takes what is before it for a barcode.
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
    """Only what is one: pydantic would take `1_000` for 1000, which is another item."""
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
    """The item with exactly this barcode, as it is printed. Two items with one barcode are a 409 that names both."""
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
        shared_barcodes.warn(barcode, numbers, time.monotonic())
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
    """To be sent when the item's label was printed. It answers when the mark is on disk.

    Marking an item that waits already leaves one entry, and its update is done as of the last mark.
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
