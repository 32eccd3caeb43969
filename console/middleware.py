"""The middleware around every answer of the console: its id, its headers, and a page for what nothing else caught."""

import logging
from uuid import uuid4

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtime.logging import request_id
from runtime.sentry import reporting

log = logging.getLogger("signum.console")

# Nothing from outside, no script and no style in the page itself, and no other site may show us in a frame. The
# referrer stays on this site; without it browsers would send our own forms with the origin `null`.
HEADERS = (
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        b"form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
NOT_KEPT = (b"cache-control", b"no-store")
KEPT = (b"cache-control", b"public, max-age=31536000, immutable")  # their address changes with them
BUG = b"Internal error: the log has it under this answer's X-Request-ID"


class PageMiddleware:
    """The outermost layer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = uuid4().hex
        request_id.set(given)
        is_begun = False
        is_static = scope["path"].startswith(scope["root_path"] + "/static/")  # as it is before a mount changes it

        async def answer(message: Message) -> None:
            nonlocal is_begun
            if message["type"] == "http.response.start":
                is_begun = True
                kept = KEPT if is_static and message["status"] == 200 else NOT_KEPT
                message["headers"] = [
                    *message.get("headers", ()),
                    *HEADERS,
                    kept,
                    (b"x-request-id", given.encode("ascii")),
                ]
            await send(message)

        with reporting(None, request_id=given):
            try:
                await self._app(scope, receive, answer)
            except Exception:  # the last error handler
                if is_begun:
                    raise
                log.exception("request failed", extra={"method": scope["method"], "path": scope["path"][:200]})
                await answer(
                    {"type": "http.response.start", "status": 500, "headers": [(b"content-type", b"text/plain")]}
                )
                await answer({"type": "http.response.body", "body": BUG})
