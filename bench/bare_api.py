"""What would the same routes cost with nothing in them? FastAPI and one raw statement each: the floor of GET and PUT.

uvicorn bench.bare_api:app
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

FIND = """
SELECT item_record_id, item_number, barcode, bib_number, best_author, best_title, itype_code_num, item_type_name,
    material_code, material_name, classification, shelfmark
FROM sierra_item WHERE barcode = %s
"""
MARK = (
    "WITH marked AS (INSERT INTO bare_mark (item) VALUES (%s) RETURNING item) SELECT pg_notify('bare', '') FROM marked"
)

pool: AsyncConnectionPool[Any] = AsyncConnectionPool(
    os.environ.get("BARE_DSN", ""), min_size=8, max_size=8, open=False, kwargs={"autocommit": True}
)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """With the pool open."""
    async with pool:
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/itemdata/{barcode}")
async def find(barcode: str) -> dict[str, Any]:
    """One item."""
    async with pool.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(FIND, (barcode,), prepare=True)
        return await cursor.fetchone() or {}


@app.put("/itemdata/{item_record_id}")
async def mark(item_record_id: int) -> dict[str, bool]:
    """One row more, and a notification."""
    async with pool.connection() as connection:
        await connection.execute(MARK, (item_record_id,), prepare=True)
        return {"updated": True}
