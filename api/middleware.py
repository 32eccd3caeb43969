"""The middleware around every request: its id, its count, its line at DEBUG, and a 500 for what nothing else caught.

Plain ASGI, because every request pays for it.
"""

import logging
import re
from time import monotonic, perf_counter
from traceback import walk_tb
from uuid import uuid4

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.metrics import count_request
from api.problems import PATH_IN_LOG, ProblemResponse
from api.repeats import REPEATS_SECONDS, Repeats
from db.requests import request_began_at
from runtime.logging import request_id
from runtime.sentry import reporting

log = logging.getLogger("signum.api")

_SANE_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


class RequestMiddleware:
    """The outermost layer. A request's id is the client's X-Request-ID if that is a sane one; the answer has it too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        _merge_leading_slashes(scope)
        given, trace = _given(scope)
        request_id.set(given)
        request_began_at.set(monotonic())
        header = (b"x-request-id", given.encode("ascii"))
        began, status = perf_counter(), 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), header]
            await send(message)

        with reporting(trace, request_id=given):
            try:
                await self._app(scope, receive, answer)
            except Exception as error:  # the last error handler: what it does not catch would be no answer at all
                if status:  # a part of the answer is sent: the server logs the error and closes the connection
                    raise
                _log_bug(scope, error)
                detail = "Internal error: the log has it under this answer's X-Request-ID"
                await ProblemResponse(500, detail)(scope, receive, answer)
        seconds = perf_counter() - began
        count_request(scope, status, seconds)
        if log.isEnabledFor(logging.DEBUG):
            took = f"{seconds * 1000:.1f}"
            about = {"method": scope["method"], "path": scope["path"], "status": status, "ms": took}
            log.debug("request answered", extra=about)


def _log_bug(scope: Scope, error: Exception) -> None:
    name = type(error).__name__

    def log_count(count: int) -> None:
        log.error("%d more requests failed within %d s: %s", count, REPEATS_SECONDS, name)

    repeats: Repeats = scope["app"].state.repeats
    # A mark always has its line: its label is printed, and the path says which item to mark again.
    if scope["method"] == "PUT" or repeats.is_first((name, _raised_at(error)), log_count):
        log.exception("request failed", extra={"method": scope["method"], "path": scope["path"][:PATH_IN_LOG]})


def _raised_at(error: Exception) -> tuple[str, int]:
    *_, (frame, line) = walk_tb(error.__traceback__)
    return frame.f_code.co_filename, line


def _merge_leading_slashes(scope: Scope) -> None:
    """Make `//status` the path `/status`: clients append their paths to a URL that may end in a slash.

    Slashes are counted in the path as it was sent, because `/%2Fstatus` begins with one. Both paths begin with the
    proxy's.
    """
    front, raw = len(scope["root_path"]), scope["raw_path"]
    if raw.startswith(b"//", front):
        extra = len(raw) - front - len(raw[front:].lstrip(b"/")) - 1
        scope["path"] = scope["path"][:front] + scope["path"][front + extra :]
        scope["raw_path"] = raw[:front] + raw[front + extra :]


def _given(scope: Scope) -> tuple[str, str | None]:
    """Return the request's id, and the Sentry trace that it belongs to, if its headers name one."""
    given, trace = None, None
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _SANE_ID.fullmatch(value):
            given = value.decode("ascii")
        elif name == b"sentry-trace":
            trace = value.decode("latin-1")
    return given or uuid4().hex, trace
