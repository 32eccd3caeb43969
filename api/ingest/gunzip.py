"""The unpacking of a gzip file that is not trusted: in pieces, so that memory stays small and a bomb stops early.

UnreadableFile          the file can't be taken in, and nothing of it is stored
└── FileTooLarge        it unpacks to more than is allowed
"""

import zlib
from collections.abc import Iterable, Iterator

PIECE_BYTES = 256 * 1024
GZIP = zlib.MAX_WBITS | 16


class UnreadableFile(Exception):
    """The file can't be taken in. The text is for its sender, and says why."""


class FileTooLarge(UnreadableFile):
    """The file unpacks to more than is allowed."""


def gunzip(chunks: Iterable[bytes], limit_bytes: int) -> Iterator[bytes]:
    """Yield the unpacked bytes in pieces of at most PIECE_BYTES. Raises UnreadableFile if it is bad or cut off."""
    total = 0
    for piece in _unpack(chunks):
        total += len(piece)
        if total > limit_bytes:
            raise FileTooLarge(f"the file unpacks to more than {limit_bytes >> 20} MiB")
        yield piece


def _unpack(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the unpacked bytes of each member. A gzip file has one or more of them, and zeros may pad its end."""
    member = None
    members = 0
    for data in chunks:
        piece = b""
        # After a full piece zlib may hold more, even if all of the input is used up.
        while data or len(piece) == PIECE_BYTES:
            if member is None:
                data = data.lstrip(b"\0") if members else data
                if not data:
                    break
                member = zlib.decompressobj(GZIP)
                members += 1
            try:
                piece = member.decompress(data, PIECE_BYTES)
            except zlib.error as error:
                raise UnreadableFile(f"the file is not gzip, or damaged: {error}") from error
            if piece:
                yield piece
            data, member = (member.unused_data, None) if member.eof else (member.unconsumed_tail, member)
    if member is not None or not members:
        raise UnreadableFile("the file is cut off: its gzip data has no end")
