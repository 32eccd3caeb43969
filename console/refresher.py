"""The news for open pages: an event when there is something new to show, at most one a second for all together.

One connection listens for all of them, and only while a page is open. The table is the truth, and an event only says
"look now": it carries nothing, and a page that asks is checked as ever.
"""

import asyncio
import logging
from collections.abc import AsyncIterator

import psycopg
from fastapi import APIRouter, HTTPException, Response
from fastapi.responses import StreamingResponse

from console.visit import Viewer
from db.connections import Parameters, Session, aconnect, one_line
from runtime.statements import load

log = logging.getLogger("signum.console")

SQL = load("db", "refresher")

router = APIRouter()

BETWEEN_SECONDS = 1.0  # two events
QUIET_SECONDS = 15.0  # after which an event comes anyway: times have gone on, and the connection is proved
AGAIN_SECONDS = 5.0  # between two tries to connect
MOST_BROWSERS = 500
EVENT = b"data: look\n\n"
UNBUFFERED = {"X-Accel-Buffering": "no"}  # or nginx would keep events back


class Refresher:
    """The browsers that listen, and the task that wakes them."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters
        self._browsers: set[asyncio.Event] = set()
        self._task: asyncio.Task[None] | None = None
        self._stopping = False

    @property
    def is_full(self) -> bool:
        """True while no more browsers may listen."""
        return len(self._browsers) >= MOST_BROWSERS

    async def events(self) -> AsyncIterator[bytes]:
        """Yield an event for the browser each time that it should look, until the process stops."""
        woken = asyncio.Event()
        self._browsers.add(woken)
        if self._task is None:
            self._task = asyncio.create_task(self._wake_browsers())
        else:
            woken.set()  # it missed what came between its page and now
        try:
            yield b"retry: 2000\n\n"
            while not self._stopping:
                await woken.wait()
                woken.clear()
                yield EVENT
        finally:
            self._browsers.discard(woken)
            if not self._browsers and self._task is not None:
                self._task.cancel()
                self._task = None

    def stop(self) -> None:
        """End every browser's events at once."""
        self._stopping = True
        self._wake()

    def _wake(self) -> None:
        for woken in self._browsers:
            woken.set()

    async def _wake_browsers(self) -> None:
        """Listen for as long as a browser does. Without a connection pages look every QUIET_SECONDS."""
        while True:
            try:
                async with await aconnect(self._parameters) as session:
                    await session.execute(SQL["begin"])
                    await session.execute(SQL["listen"])
                    await self._listen(session)
            except psycopg.Error as error:
                log.warning("pages do not renew themselves: %s", one_line(error))
                self._wake()
                await asyncio.sleep(AGAIN_SECONDS)

    async def _listen(self, session: Session) -> None:
        loop = asyncio.get_running_loop()
        shown, told_at = await _newest(session), loop.time()
        self._wake()  # whatever happened while nothing was heard
        while True:
            heard = [notice async for notice in session.notifies(timeout=BETWEEN_SECONDS, stop_after=1)]
            newest = await _newest(session)
            if heard or newest != shown or loop.time() - told_at > QUIET_SECONDS:
                shown, told_at = newest, loop.time()
                self._wake()
                await asyncio.sleep(BETWEEN_SECONDS)  # what is heard meanwhile wakes them once


@router.get("/events")
async def tell_news(visit: Viewer) -> Response:
    """Server-sent events, until the browser or the process ends."""
    refresher: Refresher = visit.request.app.state.refresher
    if refresher.is_full:
        raise HTTPException(503, f"{MOST_BROWSERS} pages are open at this console: close some")
    return StreamingResponse(refresher.events(), media_type="text/event-stream", headers=UNBUFFERED)


async def _newest(session: Session) -> int | None:
    row = await (await session.execute(SQL["newest"])).fetchone()
    return row[0] if row else None
