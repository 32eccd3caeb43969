"""Downloads of all that a filter finds, as CSV for a spreadsheet.

A portion is one short transaction: a browser that reads slowly keeps no connection to the database.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

from fastapi import Response
from fastapi.responses import StreamingResponse

from console.visit import Visit
from db.connections import DatabaseUnavailable
from db.queue import Connection
from runtime.http_limits import CUT_OFF
from runtime.spreadsheet import BYTE_ORDER_MARK, Delimiter, csv_lines

log = logging.getLogger("signum.console")

CUT_SECONDS = 1.0  # for the end of the connection to be noticed, which ends the wait for it

Row = Mapping[str, Any]
Portion = tuple[Sequence[Row], int | None]
Fetch = Callable[[Connection, int | None], Awaitable[Portion]]


async def download(visit: Visit, name: str, columns: Sequence[str], fetch: Fetch) -> Response:
    """The answer with the rows of every portion. `fetch` takes the id that the last one ended at, None for the first.

    The first portion is read before the answer begins, so that a refusal of the database is a page.
    """
    # Where a comma parts whole and fraction, spreadsheets part cells by semicolons.
    delimiter: Delimiter = "," if visit.language == "en" else ";"
    first = await _read(visit, fetch, None)

    async def lines() -> AsyncIterator[str]:
        yield BYTE_ORDER_MARK + "".join(csv_lines([columns], delimiter))
        rows, after = first
        while True:
            yield "".join(csv_lines(([row[column] for column in columns] for row in rows), delimiter))
            if after is None:
                return
            try:
                rows, after = await _read(visit, fetch, after)
            except DatabaseUnavailable as error:
                log.warning("download broke off: %s", error)
                visit.request.scope[CUT_OFF]()  # or the browser would take the part for the whole
                await asyncio.sleep(CUT_SECONDS)
                return

    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return StreamingResponse(lines(), media_type="text/csv; charset=utf-8", headers=headers)


async def _read(visit: Visit, fetch: Fetch, after: int | None) -> Portion:
    async with visit.reading() as connection:
        return await fetch(connection, after)
