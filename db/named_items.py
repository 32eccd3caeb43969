"""Which items does a person mean, who names them by what is printed on them: their numbers and barcodes?"""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

from psycopg.rows import class_row

from db.queue import Connection
from runtime.statements import load

SQL = load("db", "named_items")


@dataclass(frozen=True, slots=True)
class NamedItem:
    """An item as the ETL last sent it, with what a person knows it by."""

    item_record_id: int
    item_number: str | None
    barcode: str | None
    best_title: str | None
    classification: str | None


async def find_items(
    connection: Connection, *, item_numbers: Iterable[str] = (), barcodes: Iterable[str] = ()
) -> list[NamedItem]:
    """The items that have one of these numbers or barcodes. Names that nothing has are just not there."""
    async with connection.cursor(row_factory=class_row(NamedItem)) as cursor:
        await cursor.execute(SQL["find_items"], {"item_numbers": list(item_numbers), "barcodes": list(barcodes)})
        return await cursor.fetchall()


async def list_barcodes(connection: Connection) -> AsyncIterator[tuple[int, str | None]]:
    """Every item's `item_record_id` and barcode, as the server sends them: the catalogue may be large."""
    async with connection.cursor() as cursor:
        async for item_record_id, barcode in cursor.stream(SQL["list_barcodes"]):
            yield item_record_id, barcode
