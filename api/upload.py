"""The reader of an upload: parses its multipart body as it comes and passes the file on, without spooling it.

UploadRefused           has the answer's status and detail
└── FieldRefused        422, names the part
"""

from collections.abc import AsyncIterator, Awaitable, Callable

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

FILE = "file"
TIMESTAMP = "timestamp"
CHANGES_SINCE = "changes_since"
CHANGES_UNTIL = "changes_until"
DELETIONS_UNTIL = "deletions_until"
ALL_FROM_ID = "all_from_id"
ALL_TO_ID = "all_to_id"
IS_COMPLETE = "pass_complete"

TEXTS = (TIMESTAMP, CHANGES_SINCE, CHANGES_UNTIL, DELETIONS_UNTIL, ALL_FROM_ID, ALL_TO_ID, IS_COMPLETE)
TEXT_LIMIT_BYTES = 100
MOST_PARTS = 16


class UploadRefused(Exception):
    """The body can't be taken."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


class FieldRefused(UploadRefused):
    """A part is missing, comes twice, or is not what it should be."""

    def __init__(self, name: str, detail: str) -> None:
        super().__init__(422, detail)
        self.name = name


async def receive_upload(
    content_type: str, body: AsyncIterator[bytes], limit_bytes: int, pass_on: Callable[[bytes], Awaitable[None]]
) -> dict[str, str]:
    """Pass the file's bytes on as they come. Return the text fields, from before or after it. Raises UploadRefused."""
    form = _Form(_boundary(content_type))
    received = 0
    async for piece in body:
        received += len(piece)
        if received > limit_bytes:
            raise too_large(limit_bytes)
        for file_bytes in form.feed(piece):
            await pass_on(file_bytes)
    return form.end()


def too_large(limit_bytes: int) -> UploadRefused:
    """Return the refusal of a body that is longer than the limit."""
    return UploadRefused(413, f"The upload is larger than {limit_bytes >> 20} MiB")


def _boundary(content_type: str) -> bytes:
    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise FieldRefused(FILE, "Field required: the body must be multipart/form-data")
    return options[b"boundary"]


class _Form:
    """The form, as far as it has come. The parser calls the methods `_on_…`."""

    def __init__(self, boundary: bytes) -> None:
        self._seen: list[str] = []
        self._part = ""
        self._header = b""
        self._header_value = b""
        self._disposition = b""
        self._texts: dict[str, bytes] = {}
        self._file_pieces: list[bytes] = []
        self._complete = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._on_part_begin,
                    "on_header_field": self._on_header_field,
                    "on_header_value": self._on_header_value,
                    "on_header_end": self._on_header_end,
                    "on_headers_finished": self._on_headers_finished,
                    "on_part_data": self._on_part_data,
                    "on_end": self._on_end,
                },
            )
        except FormParserError as error:
            raise UploadRefused(400, f"The body is not multipart: {error}") from error

    def feed(self, piece: bytes) -> list[bytes]:
        """Return the file's bytes in this piece of the body."""
        self._file_pieces = []
        try:
            self._parser.write(piece)
        except FormParserError as error:
            raise UploadRefused(400, f"The body is not multipart: {error}") from error
        return self._file_pieces

    def end(self) -> dict[str, str]:
        """Return the text fields by name. Raises UploadRefused if the body is incomplete or lacks file or timestamp."""
        if not self._complete:
            raise UploadRefused(400, "The upload is cut off: its multipart body has no end")
        for name in (TIMESTAMP, FILE):
            if name not in self._seen:
                raise FieldRefused(name, "Field required")
        return {name: text.decode("utf-8", "replace") for name, text in self._texts.items()}

    def _on_part_begin(self) -> None:
        self._part, self._header, self._header_value, self._disposition = "", b"", b"", b""

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _on_header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._header_value
        self._header, self._header_value = b"", b""

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition.decode("latin-1"))
        self._part = options.get(b"name", b"").decode("latin-1")
        if self._part in (FILE, *TEXTS) and self._part in self._seen:
            raise FieldRefused(self._part, "Field comes twice")
        if self._part in TEXTS:
            self._texts[self._part] = b""
        self._seen.append(self._part)
        if len(self._seen) > MOST_PARTS:
            raise UploadRefused(400, f"The body has more than {MOST_PARTS} parts")

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._part == FILE:
            self._file_pieces.append(data[start:end])
        elif self._part in TEXTS:
            self._texts[self._part] += data[start:end]
            if len(self._texts[self._part]) > TEXT_LIMIT_BYTES:
                raise FieldRefused(self._part, f"Field is longer than {TEXT_LIMIT_BYTES} bytes")

    def _on_end(self) -> None:
        self._complete = True
