"""The client against servers that speak HTTP wrongly: what is behind an answer, what is packed in it."""

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from notifier.sierra.client import Access, SierraClient
from notifier.sierra.errors import ItemTroubled, SierraUnavailable

CERTIFICATE = Path(__file__).with_name("localhost.pem")  # with its key; nobody else trusts it
NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"


def http(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]).encode() + body


TOKEN = http(b'{"access_token": "a", "expires_in": 3600}')


@asynccontextmanager
async def answering(*answers: bytes, scheme: str = "http") -> AsyncIterator[SierraClient]:
    """A client whose Sierra gives these answers, in this order, the last one again and again. Each in two halves:
    over TLS, two records.
    """
    left = list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await read_head(reader):
            _, _, length = head.lower().partition(b"content-length: ")
            await reader.readexactly(int(length.split()[0]) if length else 0)
            answer = left.pop(0) if len(left) > 1 else left[0]
            writer.write(answer[: len(answer) // 2])
            writer.write(answer[len(answer) // 2 :])
        writer.close()

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(CERTIFICATE)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls if scheme == "https" else None)
    endpoint = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    access = Access(endpoint, "k", "s", pool_size=1, timeout_seconds=5, ca_bundle=str(CERTIFICATE))
    async with server, SierraClient(access) as client:
        yield client


async def read_head(reader: asyncio.StreamReader) -> bytes:
    """A request's head; nothing at the end of the connection."""
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_what_stands_behind_an_answer_does_not_answer_the_next_request(scheme: str) -> None:
    refusal = http(b'{"code": 112}', status="500 Internal Server Error")
    async with answering(TOKEN, NO_CONTENT + NO_CONTENT, refusal, scheme=scheme) as client:
        await client.write_item("1001", {})
        with pytest.raises(ItemTroubled, match="code 112"):
            await client.write_item("1002", {})


PACKED = gzip.compress(b" " * (20 << 20), 1)


@pytest.mark.parametrize(
    ("body", "encoding", "said"),
    [
        (PACKED, "gzip", "larger than 16 MiB"),
        (gzip.compress(PACKED, 1), "gzip, gzip", "packed as nobody asked for: gzip, gzip"),
        (PACKED[:99], "gzip", "the answer was cut"),
        (b"{}", "gzip", "can't be unpacked"),
    ],
    ids=["too large", "in layers", "cut", "no gzip"],  # not by the bytes: gzip puts the time into them
)
async def test_an_answer_is_unpacked_within_the_bound_and_only_once(body: bytes, encoding: str, said: str) -> None:
    async with answering(http(body, f"Content-Encoding: {encoding}")) as client:
        with pytest.raises(SierraUnavailable, match=said):
            await client.token.get()


async def test_an_answer_that_a_proxy_packed_unasked_is_read() -> None:
    packed = http(gzip.compress(b'{"access_token": "a"}'), "Content-Encoding: gzip")
    async with answering(packed) as client:
        assert await client.token.get() == "a"


async def test_cookies_without_end_do_not_fill_the_head_of_the_next_request() -> None:
    cookies = [f"Set-Cookie: c{number}={'v' * 1000}; Path=/" for number in range(40)]
    async with answering(TOKEN, http(b"", *cookies, status="204 No Content"), http(b"", *cookies[:2])) as client:
        for _ in range(3):
            await client.write_item("1001", {})
        sent = client._connections.build("GET", "items")
    assert 1000 < len(sent.headers["cookie"]) < 4096, "few are kept: they may be our session"
