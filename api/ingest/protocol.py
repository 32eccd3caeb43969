"""The protocol between the api and its ingest process: frames go in on stdin, one Result comes out on stdout.

A frame is its length (four bytes, the highest first) and that many bytes. The frames of a batch: the Job (JSON), the
file piece by piece, an empty frame, and the LastWords (JSON): the fields that may follow the file in the upload.
The Result is one line of JSON.
"""

import errno
import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Literal, NotRequired, TypedDict

BUSY = "another batch is being taken in"
NO_MEMORY = errno.ENOMEM  # exit code of an ingest process that got no more
END_OF_FILE = b""

_LENGTH = struct.Struct(">I")

Kind = Literal["taken", "busy", "unreadable", "too_large", "unavailable", "unconfirmed", "failed"]


class Job(TypedDict):
    """The first frame."""

    connection: dict[str, str | int]
    batch_size: int
    unpacked_limit_bytes: int
    longest_pause_minutes: int


class LastWords(TypedDict):
    """The last frame. An ETL that says `changes_since` sends the highest bib of all, not of those that were edited.

    A range of a pass has `all_from_id` (exclusive) and `all_to_id` (inclusive): the file holds every living item of it.
    """

    timestamp: str
    changes_since: NotRequired[str]
    changes_until: NotRequired[str]
    deletions_until: NotRequired[str]
    all_from_id: NotRequired[int]
    all_to_id: NotRequired[int]
    pass_complete: NotRequired[bool]


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of a batch. `received` less `rejected` rows are stored; `detail` says why none are."""

    kind: Kind
    detail: str = ""
    received: int = 0
    rejected: int = 0
    written: int = 0
    reasons: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    shown: int = 0
    deleted: int = 0
    deletions_held: int = 0


class Interrupted(Exception):
    """The frames end before the batch does: the api gave the batch up, or has ended."""


def frame(data: bytes) -> bytes:
    """Return the bytes as a frame."""
    return _LENGTH.pack(len(data)) + data


def json_frame(value: object) -> bytes:
    """Return the value, as JSON, in a frame."""
    return frame(json.dumps(value).encode())


def read_frame(stream: BinaryIO) -> bytes:
    """Return the next frame's bytes. Raises Interrupted if the stream ends before the frame does."""
    (length,) = _LENGTH.unpack(_read(stream, _LENGTH.size))
    return _read(stream, length)


def read_json_frame(stream: BinaryIO) -> Any:
    """Return the value in the next frame."""
    return json.loads(read_frame(stream))


def read_file_frames(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the pieces of the file, until the empty frame."""
    while data := read_frame(stream):
        yield data


def _read(stream: BinaryIO, length: int) -> bytes:
    data = stream.read(length)
    if len(data) < length:
        raise Interrupted
    return data
