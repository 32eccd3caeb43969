"""Connections to Sierra: each serves one request at a time, and the next only after a whole response was read."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http.cookiejar import CookieJar
from typing import Any

import httpx

from notifier.sierra.http_body import Unreadable, close_if_more_came, read_body
from notifier.sierra.responses import Response

KEEPALIVE_SECONDS = 5.0  # Sierra closes idle connections silently
LONGEST_COOKIES = 4096  # characters; servers refuse a request whose head is too long


class Silent(Exception):
    """No response, or half of one: then it `has_begun`. The client decides whose fault that is."""

    def __init__(self, message: str, *, has_begun: bool = False) -> None:
        super().__init__(message)
        self.has_begun = has_begun


class Unconnected(Silent):
    """No connection could be made: nothing was sent. The obstacle is its `__cause__`."""


class Connections:
    """A pool of `size` connections with one TLS context and one set of cookies: Sierra sees one session."""

    def __init__(self, endpoint: str, size: int, ca_bundle: str | None) -> None:
        self._endpoint = endpoint.rstrip("/") + "/"
        self._tls, self._cookies = ssl.create_default_context(cafile=ca_bundle), CookieJar()
        self._builder = self._new_client()  # builds the requests, and sends none
        self._clients = {self._new_client() for _ in range(size)}
        self._free: asyncio.LifoQueue[httpx.AsyncClient] = asyncio.LifoQueue()
        for client in self._clients:
            self._free.put_nowait(client)
        self._turn = asyncio.Lock()
        self._closing: set[asyncio.Task[None]] = set()

    async def aclose(self) -> None:
        """Close all of them. No request may be under way."""
        for client in self._clients:
            self._close(client)
        await asyncio.gather(*self._closing, return_exceptions=True)

    def build(self, method: str, path: str, **parts: Any) -> httpx.Request:
        """A request that any connection may send, again and again. ValueError, httpx.InvalidURL."""
        return self._builder.build_request(method, self._endpoint + path, **parts)

    async def exchange(self, request: httpx.Request, check_lease: Callable[[], None]) -> Response:
        """Send a request and read its response. Raise Silent where there is none, and the error of `check_lease`.

        A request that is cancelled can leave httpcore's connection assigned and never begun, or begun and never ended:
        it would be handed to each next request and serve none. So the client of every request that ends without a whole
        response is replaced.
        """
        client, response = await self._free.get(), None
        try:
            async with self._turn_to_send(request):
                check_lease()  # no await between this and the sending
                response = await self._send(client, request)
        finally:
            if response is None:
                client = self._replace(client)
            self._free.put_nowait(client)
        return response

    @asynccontextmanager
    async def _turn_to_send(self, request: httpx.Request) -> AsyncIterator[None]:
        """Have requests sent one after the other: sent together, step by step, all would be as late as the last.

        The turn is over once the head was sent, which waits for nothing; and before a connection is made, which may.
        """
        await self._turn.acquire()
        is_over = False

        def end() -> None:
            nonlocal is_over
            if not is_over:
                is_over = True
                self._turn.release()

        async def follow(step: str, _: object) -> None:
            if not step.startswith("http11.send_request_headers"):
                end()

        request.extensions["trace"] = follow
        try:
            yield
        finally:
            end()

    async def _send(self, client: httpx.AsyncClient, request: httpx.Request) -> Response:
        has_begun = False
        try:
            response = await client.send(request, stream=True)
            has_begun = True
            body = await read_body(response)
            await close_if_more_came(response)
            await response.aclose()
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise Unconnected(f"{type(error).__name__} {error}".strip()) from error
        except TimeoutError:  # the request's deadline, not the wire's: it is the client's, though an OSError too
            raise
        except Unreadable as error:
            raise Silent(str(error), has_begun=True) from error
        except (httpx.HTTPError, OSError) as error:  # OSError: TLS gone wrong
            words = f"the answer was cut: {error}" if has_begun else f"{type(error).__name__} {error}".strip()
            raise Silent(words, has_begun=has_begun) from error
        if sum(len(cookie.name) + len(cookie.value or "") for cookie in self._cookies) > LONGEST_COOKIES:
            self._cookies.clear()
        return Response(response.status_code, response.headers, body)

    def _new_client(self) -> httpx.AsyncClient:
        """A client per connection: of one with several, httpcore looks at all of them before and after each request.

        Without httpx's own time-outs: they are per read, and a server that trickles never trips them.
        """
        return httpx.AsyncClient(
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=KEEPALIVE_SECONDS),
            headers={"Accept-Encoding": "identity"},  # a small answer stays small: nothing to unpack
            cookies=self._cookies,
            timeout=None,  # noqa: S113
            verify=self._tls,
        )

    def _replace(self, client: httpx.AsyncClient) -> httpx.AsyncClient:
        self._clients.discard(client)
        self._close(client)
        self._clients.add(new := self._new_client())
        return new

    def _close(self, client: httpx.AsyncClient) -> None:
        """Close it in a task of its own: cancelling the request must not cancel this half-way."""
        closing = asyncio.create_task(client.aclose())
        self._closing.add(closing)
        closing.add_done_callback(self._closed)

    def _closed(self, closing: asyncio.Task[None]) -> None:
        self._closing.discard(closing)
        if not closing.cancelled():
            closing.exception()  # read, or asyncio would log it: the connection is gone all the same
