"""How do we read an answer to its end, and what do we keep of its connection?

All of the body, within a bound. What came on behind it would be taken for the answer to the next request, so such a
connection is closed.
"""

from operator import attrgetter

import httpx

LARGEST_ANSWER_BYTES = 16 * 1024 * 1024
connection_of = attrgetter("stream._stream._httpcore_stream._stream._connection")  # httpx shows it nowhere else
left_over = attrgetter("_h11_state.trailing_data")


class Unreadable(Exception):
    """An answer that has no end, or is packed as we do not unpack it."""


async def read_body(response: httpx.Response) -> bytes:
    """All of an answer's body. Unreadable where it is larger than any answer of Sierra's."""
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > LARGEST_ANSWER_BYTES:
            raise _too_large()
    return bytes(body)


async def close_if_more_came(response: httpx.Response) -> None:
    """Close the connection of an answer behind which something stands that nobody asked for."""
    connection = connection_of(response)
    if left_over(connection)[0]:
        await connection.aclose()


def _too_large() -> Unreadable:
    return Unreadable(f"the answer is larger than {LARGEST_ANSWER_BYTES >> 20} MiB")
