"""The floor of GET and PUT: the same routes with nothing in them but FastAPI and one raw statement each.

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
    """Keep the pool open while the app runs."""
    async with pool:
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/itemdata/{barcode}")
async def find(barcode: str) -> dict[str, Any]:
    """Read one item."""
    async with pool.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(FIND, (barcode,), prepare=True)
        return await cursor.fetchone() or {}


@app.put("/itemdata/{item_record_id}")
async def mark(item_record_id: int) -> dict[str, bool]:
    """Insert one row, and notify."""
    async with pool.connection() as connection:
        await connection.execute(MARK, (item_record_id,), prepare=True)
        return {"updated": True}
