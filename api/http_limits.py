"""uvicorn's HTTP with bounds on what a client may send that is no body, and on keeping a connection for nothing.

Without them one endless header could fill our memory, and a byte a minute could hold a connection open: before a
request, behind its answer, or by not reading that answer. While a route is at work its own limits count.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_BYTES = 64 * 1024  # of a head, or of what stands behind a body; and what one read of the socket brings
HEAD_SECONDS = 10.0
REST_SECONDS = 120.0  # for the rest of a request that has its answer, as long as the ETL itself would wait
STALL_SECONDS = 30.0  # in which too little of a long answer is read for more to be sent

# Clients and proxies send another request on a connection that has been idle for less than their limit (httpx: 5 s,
# nginx: 60 s). They must be the first to close it, or a request meets our closing and is lost without an answer.
IDLE_SECONDS = 75.0
CROWDED_IDLE_SECONDS = 5.0  # where so many are open that the idle ones could keep others out
CROWD = 200

_BLANKS = b" \t"  # around a header's value they are none of it (RFC 9110, 5.5); the parser leaves those behind it


class BoundedConnection(HttpToolsProtocol):
    """One connection. A head that is too long is told so; a client that dawdles is cut off."""

    _bytes = 0
    _gets_on = False
    _in_head = True
    _patience: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait_at_most(HEAD_SECONDS)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._gets_on = self._in_head = True
        self._wait_at_most(HEAD_SECONDS)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # else it is a trailer, which no route reads
            super().on_header(name, value.strip(_BLANKS))

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._gets_on = True
        super().on_body(body)

    def on_response_complete(self) -> None:
        self._wait_at_most(REST_SECONDS)
        is_crowded = len(self.connections) > CROWD
        self.timeout_keep_alive = CROWDED_IDLE_SECONDS if is_crowded else IDLE_SECONDS  # type: ignore[assignment]
        super().on_response_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled = self.loop.call_later(STALL_SECONDS, self._cut_off)

    def resume_writing(self) -> None:
        _cancel(self._stalled)
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        _cancel(self._patience)
        _cancel(self._stalled)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._gets_on = False
        super().data_received(data)
        self._bytes = 0 if self._gets_on else self._bytes + len(data)
        if self._bytes > MOST_BYTES and not self.transport.is_closing():
            self._refuse()

    def _refuse(self) -> None:
        if self._in_head:
            self.send_400_response(f"The request's head is longer than {MOST_BYTES // 1024} KiB.")
        else:  # its answer may be under way
            self._cut_off()

    def _wait_at_most(self, seconds: float) -> None:
        _cancel(self._patience)
        self._patience = self.loop.call_later(seconds, self._lose_patience)

    def _lose_patience(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self._cut_off()
        else:  # a route is at work
            self._wait_at_most(HEAD_SECONDS)

    def _cut_off(self) -> None:
        # Not `close`: that waits until the client has read what is still to be sent to it.
        self.transport.abort()


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
