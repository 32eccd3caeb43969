"""Requests are sent one after the other, and none waits for what another one waits for."""

import asyncio
from contextlib import suppress

import pytest

from notifier.sierra.connections import Connections, Silent

PATIENCE_SECONDS = 10
SIZE = 3


async def _all_arrive(scheme: str) -> None:
    """SIZE requests reach a server that answers none, and shakes no hands either where TLS is asked for."""
    arrived, everyone = list[bytes](), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.append(await reader.read(1))
        if len(arrived) == SIZE:
            everyone.set()
        with suppress(ConnectionError):
            await reader.read()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        connections = Connections(f"{scheme}://127.0.0.1:{port}", SIZE, None)
        requests = [connections.build("PUT", "items/1001", json={}) for _ in range(SIZE)]
        sending = [asyncio.create_task(connections.exchange(request, lambda: None)) for request in requests]
        async with asyncio.timeout(PATIENCE_SECONDS):
            await everyone.wait()
        for task in sending:
            task.cancel()
        await asyncio.gather(*sending, return_exceptions=True)
        await connections.aclose()


async def test_no_request_waits_for_the_answer_to_another() -> None:
    await _all_arrive("http")


async def test_no_request_waits_for_the_connection_of_another() -> None:
    await _all_arrive("https")


async def test_a_request_that_may_not_be_sent_ends_its_turn() -> None:
    connections = Connections("http://127.0.0.1:1", 1, None)
    request = connections.build("GET", "items")

    def refuse() -> None:
        raise ValueError

    async with asyncio.timeout(PATIENCE_SECONDS):
        for check, error in ((refuse, ValueError), (lambda: None, Silent)):
            with pytest.raises(error):
                await connections.exchange(request, check)
    await connections.aclose()
