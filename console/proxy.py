"""The proxies in front: their X-Forwarded headers are believed, and they may name the person who is signed in."""

import logging

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

log = logging.getLogger("signum.console")

NAMED = "signum.person"  # the scope's key of the person that a proxy names
MOST_WARNED = 100


class ProxyMiddleware:
    """The layer that knows which machine a request really comes from: all further in see the one before the proxy."""

    def __init__(self, app: ASGIApp, proxies: str, user_header: str | None) -> None:
        self._forwarded = ProxyHeadersMiddleware(app, proxies)  # type: ignore[arg-type]
        self._header = user_header.lower().encode() if user_header else None
        self._warned: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and self._header is not None:
            scope[NAMED] = self._read_person(scope)
        await self._forwarded(scope, receive, send)  # type: ignore[arg-type]

    def _read_person(self, scope: Scope) -> str | None:
        """The person that a proxy names: once, for a second header is one that the browser has sent."""
        named = [value for header, value in scope["headers"] if header == self._header]
        if not named:
            return None
        sender: str = scope["client"][0] if scope["client"] else "a Unix socket"
        if sender in self._forwarded.trusted_hosts and len(named) == 1:
            value: bytes = named[0]
            return value.decode("utf-8", errors="replace").strip()
        if sender not in self._warned and len(self._warned) < MOST_WARNED:
            self._warned.add(sender)
            log.warning("header that names a person ignored: it is no proxy's", extra={"sender": sender})
        return None
