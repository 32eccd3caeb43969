"""The reader of the ETL's TSV: makes records of it, as a CSV reader does, with bounds on what that costs.

Tabs between fields; a field that holds a tab, a quote or a newline is quoted, its quotes doubled. LF or CRLF.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple, NoReturn

from api.ingest.gunzip import UnreadableFile

RECORD_LIMIT_BYTES = 1024 * 1024
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

# A CR within a field: Python before 3.13 writes it without quotes, but can't read it so. It passes the csv reader as
# half a surrogate pair, which no well-formed text holds.
_BARE_CR = re.compile(r"\r(?!\n?\Z)")
_CR_STAND_IN = "\udc0d"
_OTHER_HALF = "\udc00"  # replaces a stand-in that was sent: its row is refused all the same


class Record(NamedTuple):
    """A record: the number of its first line in the file, and its fields."""

    line_number: int
    fields: list[str]


def read_records(pieces: Iterable[bytes]) -> Iterator[Record]:
    """Yield the records, the header first, without blank lines. Raises UnreadableFile where a record has no clear end.

    A field may hold half a surrogate pair, if it was encoded so: its row can then be refused without the others.
    """
    csv.field_size_limit(RECORD_LIMIT_BYTES)
    lines = _Lines(pieces)
    reader = csv.reader(lines.read(), delimiter="\t", strict=True)
    first_line = 1
    try:
        for fields in reader:
            if fields:
                yield Record(first_line, lines.end_record(fields))
            first_line = reader.line_num + 1
    except csv.Error as error:
        raise UnreadableFile(
            f"line {first_line}: a quote is never closed, or stands where none may be ({error})"
        ) from error


class _Lines:
    """The lines of the text. Raises UnreadableFile at a record that grows too large, by one line or by many."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces
        self._line_number = 0
        self._record_bytes = 0
        self._holds_stand_in = False

    def read(self) -> Iterator[str]:
        """Yield the lines, each with its end."""
        for line in self._split():
            self._line_number += 1
            self._record_bytes += len(line)
            if self._record_bytes > RECORD_LIMIT_BYTES:
                self._refuse_size()
            try:
                text = line.decode()
            except UnicodeDecodeError:
                text = self._decode_odd(line)
            yield text if "\r" not in text else self._hide_bare_cr(text)

    def end_record(self, fields: list[str]) -> list[str]:
        """Begin to count the next record. Return the fields of this one as they were sent."""
        self._record_bytes = 0
        if not self._holds_stand_in:
            return fields
        self._holds_stand_in = False
        return [field.replace(_CR_STAND_IN, "\r") for field in fields]

    def _decode_odd(self, line: bytes) -> str:
        """Decode a line that holds half a surrogate pair. It may be of a record that has a CR in another line."""
        try:
            return line.decode("utf-8", "surrogatepass").replace(_CR_STAND_IN, _OTHER_HALF)
        except UnicodeDecodeError as error:
            raise UnreadableFile(f"line {self._line_number} is not UTF-8: {error.reason}") from error

    def _hide_bare_cr(self, text: str) -> str:
        hidden = _BARE_CR.sub(_CR_STAND_IN, text)
        self._holds_stand_in = self._holds_stand_in or hidden != text
        return hidden

    def _split(self) -> Iterator[bytes]:
        rest = b""
        is_first = True
        for piece in self._pieces:
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                yield (line.removeprefix(BYTE_ORDER_MARK) if is_first else line) + b"\n"
                is_first = False
            if self._record_bytes + len(rest) > RECORD_LIMIT_BYTES:
                self._refuse_size()
        if rest:
            yield rest.removeprefix(BYTE_ORDER_MARK) if is_first else rest

    def _refuse_size(self) -> NoReturn:
        raise UnreadableFile(
            f"the record that ends after line {self._line_number} is over {RECORD_LIMIT_BYTES >> 20} MiB: "
            "is a quote never closed?"
        )
