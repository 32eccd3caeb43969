"""An HTTP server that misbehaves on purpose: it speaks proper HTTP/1.1, by h11, until an answer asks for bad manners.

Web frameworks see to it that every answer is whole. Sierra's sometimes are not, so the sandbox sends its bytes itself.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import parse_qsl, unquote

import h11


class Manner(StrEnum):
    """The ways in which an answer is sent."""

    WHOLE = "whole"
    TRICKLE = "trickle"  # all of it, byte by byte: no single read ever times out
    CUT = "cut"  # half the promised body, then the connection ends
    EMPTY = "empty"  # the connection ends without a byte
    HANG = "hang"  # nothing, until the client gives up


@dataclass(frozen=True, slots=True)
class Request:
    """A request: header names in lower case; of a repeated query parameter the last value."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Response:
    """A response. `pace_seconds` is the time between two bytes of a trickle."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    manner: Manner = Manner.WHOLE
    pace_seconds: float = 0.1


Handler = Callable[[Request, "Exchange"], Awaitable[None]]


class Exchange:
    """The way back of one request's response."""

    def __init__(self, state: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._state, self._reader, self._writer = state, reader, writer
        self.over = False

    async def send(self, response: Response) -> None:
        """Send the answer in its manner. A client that has left is no error. Nothing can be sent after a bad manner."""
        head, body = self._encode(response)
        self.over = response.manner is not Manner.WHOLE
        with contextlib.suppress(ConnectionError):
            match response.manner:
                case Manner.WHOLE:
                    self._writer.write(head + body)
                    await self._writer.drain()
                case Manner.CUT:
                    self._writer.write(head + body[: len(body) // 2] if body else head[: len(head) // 2])
                    await self._writer.drain()
                case Manner.TRICKLE:
                    await self._trickle(head + body, response.pace_seconds)
                case Manner.HANG:
                    while await self._reader.read(65536):
                        pass

    def _encode(self, response: Response) -> tuple[bytes, bytes]:
        headers = dict(response.headers)
        if response.status != 204:
            headers |= {"content-length": str(len(response.body))}
        head = self._state.send(h11.Response(status_code=response.status, headers=list(headers.items())))
        body = self._state.send(h11.Data(data=response.body)) if response.body else b""
        return head or b"", (body or b"") + (self._state.send(h11.EndOfMessage()) or b"")

    async def _trickle(self, data: bytes, pace_seconds: float) -> None:
        for at in range(len(data)):
            self._writer.write(data[at : at + 1])
            await self._writer.drain()
            await asyncio.sleep(pace_seconds)


class HttpServer:
    """A server that calls `handler` with every request and its Exchange, and lets it finish if the client leaves."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._conversations: set[asyncio.Task[None]] = set()

    async def start(self, host: str, port: int) -> int:
        """Start to listen. Return the port: a free one if 0 was asked for."""
        self._server = await asyncio.start_server(self._welcome, host, port)
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def stop(self) -> None:
        """Stop listening and close all connections."""
        self._server.close()
        for conversation in list(self._conversations):
            conversation.cancel()
        await asyncio.gather(*self._conversations, return_exceptions=True)
        await self._server.wait_closed()

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversation = asyncio.current_task()
        assert conversation is not None
        self._conversations.add(conversation)
        try:
            with contextlib.suppress(ConnectionError, h11.RemoteProtocolError, asyncio.CancelledError):
                await self._converse(reader, writer)
        finally:
            self._conversations.discard(conversation)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        state = h11.Connection(h11.SERVER)
        while request := await _read(state, reader, writer):
            exchange = Exchange(state, reader, writer)
            await self._handler(request, exchange)
            if exchange.over or state.our_state is not h11.DONE or state.their_state is not h11.DONE:
                return
            state.start_next_cycle()


async def _read(state: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request | None:
    """Read the next request, in full. Return None when the client has left."""
    head: h11.Request | None = None
    body: list[bytes] = []
    while True:
        match state.next_event():
            case h11.NEED_DATA:
                if state.they_are_waiting_for_100_continue:
                    writer.write(state.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")
                state.receive_data(await reader.read(65536))
            case h11.Request() as head:
                pass
            case h11.Data(data=piece):
                body.append(bytes(piece))
            case h11.EndOfMessage():
                assert head is not None
                return _request(head, b"".join(body))
            case _:
                return None


def _request(head: h11.Request, body: bytes) -> Request:
    path, _, query = head.target.decode("latin-1").partition("?")
    return Request(
        method=head.method.decode(),
        path=unquote(path),
        query=dict(parse_qsl(query, keep_blank_values=True)),
        headers={name.decode(): value.decode("latin-1") for name, value in head.headers},
        body=body,
    )
