"""The body of a response, read to its end within a bound.

Bytes behind that end would be taken for the response to the next request, so a connection that has any is closed.
"""

import ssl
import zlib
from operator import attrgetter

import httpx

LARGEST_RESPONSE_BYTES = 16 * 1024 * 1024
GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
connection_of = attrgetter("stream._stream._httpcore_stream._stream._connection")  # httpx shows it nowhere else
left_over = attrgetter("_h11_state.trailing_data")


class Unreadable(Exception):
    """A response that is too large, cut, or packed in a way that we do not unpack."""


async def read_body(response: httpx.Response) -> bytes:
    """The whole body, unpacked. Raise Unreadable where it is larger than any response of Sierra's."""
    body = bytearray()
    async for piece in response.aiter_raw():
        body += piece
        if len(body) > LARGEST_RESPONSE_BYTES:
            raise _too_large()
    return _unpack(bytes(body), response.headers.get("content-encoding", "identity").strip().lower())


async def close_if_more_came(response: httpx.Response) -> None:
    """Close the response's connection if bytes came behind the response: no request asked for them."""
    connection = connection_of(response)
    if left_over(connection)[0] or _holds_more(response.extensions["network_stream"].get_extra_info("ssl_object")):
        await connection.aclose()


def _holds_more(tls: ssl.SSLObject | None) -> bool:
    """Return whether TLS has unread bytes, or an end. Only a read can tell: it hands out a record at a time."""
    if tls is None:
        return False
    try:
        tls.read(1)
    except ssl.SSLWantReadError:
        return False
    except ssl.SSLError:
        return True
    return True


def _unpack(body: bytes, packed: str) -> bytes:
    """Unpack a body; the bound holds meanwhile. httpx would unpack a piece, of however many layers, as a whole."""
    if packed in ("identity", "") or not body:
        return body
    if packed not in ("gzip", "x-gzip", "deflate"):
        raise Unreadable(f"the answer is packed as nobody asked for: {packed[:40]}")
    unpacker = zlib.decompressobj(GZIP_OR_ZLIB)
    try:
        unpacked = unpacker.decompress(body, LARGEST_RESPONSE_BYTES)
    except zlib.error as error:
        raise Unreadable(f"the answer can't be unpacked: {error}") from error
    if unpacker.unconsumed_tail:
        raise _too_large()
    if not unpacker.eof:
        raise Unreadable("the answer was cut: it ends in the middle of its gzip")
    return unpacked


def _too_large() -> Unreadable:
    return Unreadable(f"the answer is larger than {LARGEST_RESPONSE_BYTES >> 20} MiB")
