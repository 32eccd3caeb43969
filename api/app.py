"""The ASGI application: routers, middleware, error handlers, and what its requests share."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from api.last_seen import LastSeen
from api.middleware import RequestMiddleware
from api.openapi import DescribedAPI, name_operation
from api.problems import handle_problems
from api.repeats import RepeatFilter, Repeats
from api.routes import docs_pages, health, items, status, sync
from db.connections import api_parameters
from db.requests import Database
from runtime.release import release
from runtime.settings import ApiSettings

_DESCRIPTION = """\
Between the print stations of a library and Sierra: items by barcode, a queue of updates, and the ETL's catalogue.

Each client has a key, sent as `x-api-key`. Every path answers with and without its trailing slash.
An answer's `X-Request-ID` is the id of the request in the log. A request that was not done is answered with a problem
(RFC 9457), whose `detail` says why: a text or, for a 422, a list of the fields that are wrong.
"""


def make_app(settings: ApiSettings) -> FastAPI:
    """Return the API as an ASGI application. It opens no connection before the first request that needs one."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.settings = settings
        app.state.repeats = Repeats(asyncio.get_running_loop().call_later)
        app.state.shared_barcodes = items.SharedBarcodes()
        app.state.batch_lock = asyncio.Lock()
        gc.collect()
        gc.freeze()  # modules and routes stay for good: a collection that went through them would delay requests
        repeat_filter = RepeatFilter(app.state.repeats)
        logging.getLogger("uvicorn.error").addFilter(repeat_filter)
        async with Database(api_parameters(settings), settings.api_db_pool_size) as app.state.database:
            app.state.last_seen = LastSeen(app.state.database)
            async with app.state.last_seen.keep_writing():
                yield
        logging.getLogger("uvicorn.error").removeFilter(repeat_filter)
        app.state.repeats.log_counts()

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
    app.add_middleware(RequestMiddleware)
    handle_problems(app)
    for router in (items.router, status.router, sync.router, health.router, docs_pages.router):
        app.include_router(router)
    return app
