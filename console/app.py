"""The console's ASGI application: pages, files, and what its requests share."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from zoneinfo import ZoneInfo

from fastapi import Depends, FastAPI
from fastapi.staticfiles import StaticFiles

from console import refresher, sign_in
from console.browser import check_form
from console.errors import handle_errors
from console.middleware import PageMiddleware
from console.pages import acts, catalogue, history, item, now, people, progress, queue, stations
from console.proxy import ProxyMiddleware
from console.shared import SharedSnapshot
from db.console import ConsoleDatabase, console_parameters
from runtime.console_settings import ConsoleSettings

PAGES = (now, queue, item, history, progress, catalogue, stations, people, acts)
PARTS = (sign_in, refresher, *PAGES)


def make_app(settings: ConsoleSettings) -> FastAPI:
    """Return the console as an ASGI application. It opens no connection before the first page that needs one."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        gc.collect()
        gc.freeze()  # modules and routes stay for good
        shared = SharedSnapshot(ZoneInfo(settings.console_time_zone))
        app.state.refresher = refresher.Refresher(console_parameters(settings))
        async with ConsoleDatabase(settings) as app.state.database, shared as app.state.snapshot:
            yield

    app = FastAPI(lifespan=lifespan, openapi_url=None, redirect_slashes=False, dependencies=[Depends(check_form)])
    app.state.settings = settings
    app.add_middleware(PageMiddleware)
    app.add_middleware(
        ProxyMiddleware, proxies=settings.console_forwarded_allow_ips, user_header=settings.console_user_header
    )
    handle_errors(app)
    for part in PARTS:
        app.include_router(part.router)
    app.mount("/static", StaticFiles(packages=[("console", "static")]))
    return app
