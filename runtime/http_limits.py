"""uvicorn's HTTP protocol with limits on slow and oversized clients, for all that is not a request's body.

Without them one endless header could fill the memory, and a client that sends a byte a minute, or does not read its
answer, could hold a connection for ever. Bodies are limited by the routes that read them.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_BYTES = 64 * 1024  # of a head, or of what follows a body; a read of the socket may go beyond it by as much
HEAD_SECONDS = 10.0
REST_SECONDS = 120.0  # for the rest of a request that is answered already: as long as the ETL waits for an answer
STALL_SECONDS = 30.0  # for a client to read enough of a long answer that more of it can be sent

# Clients and proxies send another request on a connection that has been idle for less than their limit (httpx: 5 s,
# nginx: 60 s). They must be the first to close it: a request that meets our close gets no answer.
IDLE_SECONDS = 75.0
CROWDED_IDLE_SECONDS = 5.0  # while so many connections are open that idle ones could keep others out
CROWD = 200

CUT_OFF = "signum.cut_off"  # the scope's key of a function that ends the connection amid an answer

_BLANKS = b" \t"  # no part of a header's value (RFC 9110, 5.5), but the parser keeps those at its end


class BoundedConnection(HttpToolsProtocol):
    """A client's connection. Answers 400 to a head that is too long, and closes where the client is too slow."""

    _bytes = 0  # received since the last progress
    _has_progress = False  # a message began, or a part of a body came
    _in_head = True
    _deadline: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait_at_most(HEAD_SECONDS)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope[CUT_OFF] = self._cut_off  # type: ignore[literal-required]
        self._has_progress = self._in_head = True
        self._wait_at_most(HEAD_SECONDS)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # else the header is a trailer, which no route reads
            super().on_header(name, value.strip(_BLANKS))

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._has_progress = True
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
        _cancel(self._deadline)
        _cancel(self._stalled)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._has_progress = False
        super().data_received(data)
        self._bytes = 0 if self._has_progress else self._bytes + len(data)
        if self._bytes > MOST_BYTES and not self.transport.is_closing():
            self._refuse()

    def _refuse(self) -> None:
        if self._in_head:
            self.send_400_response(f"The request's head is longer than {MOST_BYTES // 1024} KiB.")
        else:  # an answer may be on its way, and a second one would be read as a part of it
            self._cut_off()

    def _wait_at_most(self, seconds: float) -> None:
        _cancel(self._deadline)
        self._deadline = self.loop.call_later(seconds, self._on_deadline)

    def _on_deadline(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self._cut_off()
        else:  # a route is at work
            self._wait_at_most(HEAD_SECONDS)

    def _cut_off(self) -> None:
        # Not `close`, which waits until the client has read the rest of its answer.
        self.transport.abort()


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
