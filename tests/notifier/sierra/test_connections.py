"""A request that ended in any way, or was cancelled at any step, spoils no other one by its connection."""

import asyncio
import gc
import ssl
import types
from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count, product
from pathlib import Path
from typing import Any

import pytest

from notifier.sierra.client import Access, SierraClient
from notifier.sierra.errors import SierraError

CERTIFICATE = Path(__file__).with_name("localhost.pem")
PATIENCE_SECONDS = 10
TOKEN = b'{"access_token": "a", "expires_in": 3600}'
RECORD = b'{"id": "1001", "fixedFields": {}, "varFields": []}'

Work = Callable[[SierraClient], Coroutine[Any, Any, object]]
WORKS: dict[str, Work] = {
    "read": lambda client: client.read_item("1001"),
    "read a list": lambda client: client.read_items(["1001"]),
    "write": lambda client: client.write_item("1001", {"fixedFields": {}}),
    "fetch a token": lambda client: client._fetch_token(),
    "ask about the token": lambda client: client._ask(client._connections.build("GET", "info/token")),
}


def http(body: bytes, status: str = "200 OK", kind: str = "application/json") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nContent-Type: {kind}\r\n\r\n".encode() + body


GOOD = http(RECORD)
ANSWERS = {
    "good": GOOD,
    "cut": GOOD[:-5],
    "a page": http(b"<html></html>", kind="text/html"),
    "401": http(b'{"code": 113}', "401 Unauthorized"),
    "204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "empty": b"",
    "two at once": GOOD + GOOD,
}


@dataclass
class Server:
    """A Sierra that gives `answer` to all but the token's requests; `keeps`: and lets the connection live."""

    answer: bytes = GOOD
    keeps: bool = True
    trickles: bool = False
    open: set[asyncio.StreamWriter] = field(default_factory=set)
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open.add(writer)
        try:
            while await self._serve_one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            self.open.discard(writer)
            self.closed.set()
            writer.close()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        _, _, length = head.lower().partition(b"content-length: ")
        await reader.readexactly(int(length.split()[0]) if length else 0)
        answer = http(TOKEN) if head.startswith(b"POST") else self.answer
        for at in range(0, len(answer), size := 1 if self.trickles else len(answer) or 1):
            writer.write(answer[at : at + size])
            await writer.drain()
        return self.keeps and answer in (http(TOKEN), *(ANSWERS[whole] for whole in ("good", "a page", "401", "204")))


@asynccontextmanager
async def serving(scheme: str = "http", **given: Any) -> AsyncIterator[tuple[Server, SierraClient]]:
    """A server, and a client of one connection, so that each request meets what the last one left."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(CERTIFICATE)
    sierra = Server(**given)
    server = await asyncio.start_server(sierra.serve, "127.0.0.1", 0, ssl=tls if scheme == "https" else None)
    endpoint = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    access = Access(
        endpoint, "k", "s", pool_size=1, timeout_seconds=PATIENCE_SECONDS, retries=1, ca_bundle=str(CERTIFICATE)
    )
    async with server, SierraClient(access) as client:
        yield sierra, client


@types.coroutine
def cancelled_at(step: int, work: Coroutine[Any, Any, object], is_late: bool) -> Generator[Any, Any, bool]:
    """Run `work`, and cancel it at that step: while it waits there, or, `is_late`, when what it waits for has come, as
    it does where the deadline and the answer arrive together. Return whether it came so far.
    """
    error: BaseException | None = None
    for number in count(1):
        try:
            waits_for = work.throw(error) if error else work.send(None)
        except StopIteration:
            return False
        except (asyncio.CancelledError, SierraError):
            return error is not None
        error = None
        if number == step and not is_late:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
        try:
            yield waits_for
        except asyncio.CancelledError as cancelled:
            error = cancelled
        if number == step and is_late:
            error = asyncio.CancelledError()
    raise AssertionError("it never ends")


async def cancel_at_every_step(server: Server, client: SierraClient, work: Work, is_late: bool) -> int:
    """Cancel `work` at its first step, its second one, … and read an item after each. Return how many steps it has."""
    given = server.answer, server.trickles
    for step in count(1):
        server.answer, server.trickles = given
        came_so_far = await cancelled_at(step, work(client), is_late)
        server.answer, server.trickles = GOOD, False
        await client.read_item("1001")
        assert client._connections._free.qsize() == 1
        if not came_so_far:
            return step
    raise AssertionError("it never ends")


async def spoils_nothing(server: Server, client: SierraClient, work: Work) -> None:
    """Cancel at a step, with a cold or a warm connection, while the work waits or is about to go on."""
    for server.keeps, is_late in product((True, False), repeat=2):
        assert await cancel_at_every_step(server, client, work, is_late) > 2
    gc.collect()  # asyncio's own loop keeps a handshake that was cancelled until then; uvloop does not
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(server.open) > 1:
            server.closed.clear()
            await server.closed.wait()


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("work", WORKS)
async def test_a_request_cancelled_at_any_step_spoils_no_other(work: str, scheme: str) -> None:
    async with serving(scheme) as (server, client):
        await client.token.get()
        await spoils_nothing(server, client, WORKS[work])


@pytest.mark.parametrize("trickles", [False, True], ids=["at once", "trickling"])
@pytest.mark.parametrize("answer", ANSWERS)
async def test_no_kind_of_answer_that_comes_as_its_request_is_cancelled_spoils_the_next(
    answer: str, trickles: bool
) -> None:
    async with serving(answer=ANSWERS[answer], trickles=trickles) as (server, client):
        await spoils_nothing(server, client, WORKS["read"])


@pytest.mark.parametrize("is_late", [False, True], ids=["waiting", "late"])
async def test_waiting_for_a_connection_is_safe_to_cancel(is_late: bool) -> None:
    async with serving() as (_, client):
        await client.token.get()
        free = client._connections._free
        taken = await free.get()

        async def is_cancelled() -> bool:
            return await cancelled_at(1, client.read_item("1001"), is_late)

        first, other = asyncio.create_task(is_cancelled()), asyncio.create_task(client.read_item("1001"))
        await asyncio.sleep(0)  # now both wait
        free.put_nowait(taken)
        assert await first
        await other
        assert free.qsize() == 1


async def test_one_that_stops_waiting_for_the_token_ends_the_fetch_for_no_other() -> None:
    async with serving() as (_, client):
        first, second = (asyncio.create_task(client.token.get()) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        assert await second == "a"
        assert first.cancelled()
