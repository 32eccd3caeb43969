"""Answers that no Sierra would give: an odd token, and one without an end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from notifier.sierra.client import Access, SierraClient
from notifier.sierra.errors import (
    SierraUnavailable,
)


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[str]:
    """A server that answers everything with these bytes; its address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def http(body: bytes, *headers: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", "Content-Type: application/json", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


@pytest.mark.parametrize(
    "token",
    [
        b'{"access_token": "\xc3\xa4", "expires_in": 3600}',
        b'{"access_token": "a\\nb", "expires_in": 3600}',
        b'{"access_token": "", "expires_in": 3600}',
        b'{"access_token": 1, "expires_in": 3600}',
        b'{"access_token": "a", "expires_in": ' + b"9" * 400 + b"}",
        b'{"access_token": "a", "expires_in": null}',
        b'{"access_token": "a", "expires_in": 0}',
        b'{"access_token": "a", "expires_in": NaN}',
        b"[]",
        b"{}",
        b"x",
    ],
)
async def test_an_odd_token_is_sierra_being_down(token: bytes) -> None:
    async with (
        answering(http(token)) as endpoint,
        SierraClient(Access(endpoint, "k", "s", timeout_seconds=2)) as client,
    ):
        with pytest.raises(SierraUnavailable):
            await client.read_item("1001")


async def test_an_endless_answer_is_cut_off() -> None:
    large = http(b'{"a": "' + b"x" * (20 << 20) + b'"}')
    async with answering(large) as endpoint, SierraClient(Access(endpoint, "k", "s", timeout_seconds=5)) as client:
        with pytest.raises(SierraUnavailable, match="larger than 16 MiB"):
            await client.token.get()
