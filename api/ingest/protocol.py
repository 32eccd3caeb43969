"""How do the api and its ingest process talk? Frames into its stdin, one line of JSON out of its stdout.

A frame is its length, four bytes, the highest first, and that many bytes. The frames of a batch: the job (JSON), the
file piece by piece, an empty frame, and what may have come behind the file (JSON).
"""

import json
import struct
from collections.abc import Iterator
from typing import Any, BinaryIO

_LENGTH = struct.Struct(">I")

END_OF_FILE = b""


class Interrupted(Exception):
    """The frames end before the batch does: whoever sent them gave up, or is gone."""


def frame(data: bytes) -> bytes:
    """The bytes as a frame."""
    return _LENGTH.pack(len(data)) + data


def json_frame(value: object) -> bytes:
    """The value as a frame."""
    return frame(json.dumps(value).encode())


def read_frame(stream: BinaryIO) -> bytes:
    """The next frame's bytes. Interrupted if there is no whole one."""
    (length,) = _LENGTH.unpack(_read(stream, _LENGTH.size))
    return _read(stream, length)


def read_json_frame(stream: BinaryIO) -> Any:
    """The next frame's value."""
    return json.loads(read_frame(stream))


def read_file_frames(stream: BinaryIO) -> Iterator[bytes]:
    """The pieces of the file, to its end."""
    while data := read_frame(stream):
        yield data


def _read(stream: BinaryIO, length: int) -> bytes:
    data = stream.read(length)
    if len(data) < length:
        raise Interrupted
    return data
