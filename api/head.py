"""How much may come, and how slowly, before a request can be looked at? uvicorn itself sets no bound to its head.

Without one, anybody could fill our memory with one endless header, or hold connections open by a byte a minute.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_BYTES = 64 * 1024  # and what one read of the socket brings
SECONDS = 10.0


class BoundedHead(HttpToolsProtocol):
    """uvicorn's HTTP. A head that is too long is told so, one that takes too long is cut off."""

    _bytes = 0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._begin()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._begin()

    def on_headers_complete(self) -> None:
        self._end()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._timer is None or self.transport.is_closing():
            return
        self._bytes += len(data)
        if self._bytes > MOST_BYTES:
            self._end()
            self.send_400_response(f"The request's head is longer than {MOST_BYTES // 1024} KiB.")

    def _begin(self) -> None:
        self._end()
        self._bytes = 0
        self._timer = self.loop.call_later(SECONDS, self.transport.close)

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
