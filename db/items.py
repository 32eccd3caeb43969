"""Items, as print stations ask for them (by barcode) and mark them, and as a person names them.

Each of the two requests of a print station is one statement that also checks the key. It is built once and sent many
times: the driver prepares it, and a request costs one round trip. db/sql/mark.sql shows the mark's text.
"""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any

from psycopg.errors import ForeignKeyViolation
from psycopg.rows import class_row
from sqlalchemy import bindparam
from sqlmodel import and_, col, exists, select

from db.clients import valid
from db.compiled import compile_statement
from db.marks import mark
from db.models import Client, SierraItem, UpdateQueue
from db.queue import Connection
from db.requests import Database
from runtime.statements import load

SQL = load("db", "items")

PRINT_STATION = 0  # priority in the queue: ahead of bulk marks
MOST_NAMED = 10  # of the items that share a barcode, the most that are returned

_IS_THE_PRINTERS = valid("signum-printer")

_WAITS = exists(col(UpdateQueue.item_record_id)).where(
    col(UpdateQueue.item_record_id) == col(SierraItem.item_record_id),
    col(UpdateQueue.pushed_revision).is_distinct_from(col(UpdateQueue.revision)),
)

_COLUMNS = (
    "item_record_id",
    "item_number",
    "barcode",
    "bib_number",
    "best_author",
    "best_title",
    "itype_code_num",
    "item_type_name",
    "material_code",
    "material_name",
    "classification",
    "shelfmark",
)

FIND = compile_statement(
    select(*(col(getattr(SierraItem, name)) for name in _COLUMNS), _WAITS)  # type: ignore[call-overload]
    .select_from(Client)
    .join(
        SierraItem,
        and_(col(SierraItem.barcode) == bindparam("barcode"), col(SierraItem.deleted_on).is_(None)),
        isouter=True,
    )
    .where(_IS_THE_PRINTERS)
    .order_by(col(SierraItem.item_record_id))
    .limit(MOST_NAMED)
)

MARK = compile_statement(
    mark(
        select(col(Client.client_name).label("name")).where(_IS_THE_PRINTERS).cte("printer"),
        col(SierraItem.item_record_id) == bindparam("item_record_id"),
        PRINT_STATION,
    )
)


@dataclass(frozen=True, slots=True)
class NamedItem:
    """An item as the ETL last sent it, with the fields that a person knows it by."""

    item_record_id: int
    item_number: str | None
    barcode: str | None
    best_title: str | None
    classification: str | None


async def find_items(database: Database, key_sha256: bytes, barcode: str) -> list[dict[str, Any]] | None:
    """The items with exactly this barcode: none, one, or several that share it. None if the key is no printer's.

    `in_update_queue`: Sierra has not got the item's update yet, be it waiting, under way, or rejected until a person
    acts. One that is there only to be looked at again is not.
    """
    rows = await database.fetch(FIND, {"api_key_sha256": key_sha256, "barcode": barcode})
    if not rows:
        return None
    names = (*_COLUMNS, "in_update_queue")
    return [dict(zip(names, row, strict=True)) for row in rows if row[0] is not None]


async def mark_item(
    database: Database, key_sha256: bytes, item_record_id: int, request_id: str | None, trace: str | None
) -> tuple[str, bool] | None:
    """Queue the item's update and commit. Return the client's name, and whether there is such an item.

    None, with nothing marked, if the key is no printer's.
    """
    parameters = {
        "api_key_sha256": key_sha256,
        "item_record_id": item_record_id,
        "request_id": request_id,
        "trace": trace,
    }
    try:
        ((client_name, item_record_ids),) = await database.fetch(MARK, parameters, writes=True)
    except ForeignKeyViolation:  # the item is removed just now; with a wrong key nothing would have been marked
        return "", False
    return None if client_name is None else (client_name, bool(item_record_ids))


async def find_named_items(
    connection: Connection, *, item_numbers: Iterable[str] = (), barcodes: Iterable[str] = ()
) -> list[NamedItem]:
    """The items that have one of these numbers or barcodes. Unknown ones are left out."""
    async with connection.cursor(row_factory=class_row(NamedItem)) as cursor:
        await cursor.execute(SQL["find_named_items"], {"item_numbers": list(item_numbers), "barcodes": list(barcodes)})
        return await cursor.fetchall()


async def list_barcodes(connection: Connection) -> AsyncIterator[tuple[int, str | None]]:
    """Every item's `item_record_id` and barcode, row by row: the catalogue may be large."""
    async with connection.cursor() as cursor:
        async for item_record_id, barcode in cursor.stream(SQL["list_barcodes"]):
            yield item_record_id, barcode
