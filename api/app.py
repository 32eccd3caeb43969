"""The API's parts: its routers, its way to the database, and the fence around each request."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from api.last_seen import LastSeen
from api.middleware import RequestFence
from api.openapi import DescribedAPI, name_operation
from api.problems import handle_problems
from api.repeats import HoldBackRepeats, Repeats
from api.routes import docs_pages as documentation
from api.routes import health, items, status, sync
from api.shared_barcodes import SharedBarcodes
from db.connections import Database, api_parameters
from runtime.release import release
from runtime.settings import ApiSettings

_DESCRIPTION = """\
Between the print stations of a library and Sierra: items by barcode, a queue of updates, and the ETL's catalogue.

Each client has a key, sent as `x-api-key`. Every path answers with and without its trailing slash.
An answer's `X-Request-ID` is what the log knows the request by. A request that was not done is answered with a problem
(RFC 9457), whose `detail` says why: a text, or of a 422 a list of the fields that are wrong.
"""


def make_app(settings: ApiSettings) -> FastAPI:
    """The API as an ASGI application. It opens no connection before the first request that needs one."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.settings = settings
        app.state.repeats = Repeats(asyncio.get_running_loop().call_later)
        app.state.shared_barcodes = SharedBarcodes()
        app.state.taking_in = asyncio.Lock()
        app.state.database = Database(api_parameters(settings), settings.api_db_pool_size)
        gc.collect()
        gc.freeze()  # what is loaded by now stays: to look through it again and again would make requests wait
        hold_back = HoldBackRepeats(app.state.repeats)
        logging.getLogger("uvicorn.error").addFilter(hold_back)
        app.state.last_seen = LastSeen(app.state.database)
        async with app.state.last_seen.written():
            yield
        logging.getLogger("uvicorn.error").removeFilter(hold_back)
        app.state.repeats.tell_all()
        await app.state.database.close()

    app = DescribedAPI(
        title="Signum-savotta",
        summary="Prints shelf marks, and tells Sierra within milliseconds",
        description=_DESCRIPTION,
        version=release(),
        license_info={"name": "MIT", "identifier": "MIT"},
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=name_operation,
    )
    app.add_middleware(RequestFence)
    handle_problems(app)
    for router in (items.router, status.router, sync.router, health.router, documentation.router):
        app.include_router(router)
    return app
