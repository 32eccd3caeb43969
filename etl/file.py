"""Rows as the file of an upload: gzip of UTF-8 TSV with a header, on disk, so that memory stays a chunk."""

import csv
import gzip
import io
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any, Self

from etl.errors import DiskRefuses
from etl.items import COLUMNS, OLD_COLUMNS, Row

DELETED_ON = "deleted_on"
_LEVEL = 1  # of gzip: the network is no bottleneck, the processor is


class ItemFile:
    """A temporary file that is gone on exit, or one of the caller's. `rows` counts what is in it."""

    def __init__(self, *, more: bool = False, deletions: bool = False, into: IO[bytes] | None = None) -> None:
        """`more`: the columns that the deployed ETL does not send, too. `deletions`: a column `deleted_on`."""
        self._columns = COLUMNS if more else COLUMNS[:OLD_COLUMNS]
        self._bytes: IO[Any] = into or tempfile.TemporaryFile(prefix="signum-etl-")  # noqa: SIM115
        self._packed = gzip.GzipFile(fileobj=self._bytes, mode="wb", compresslevel=_LEVEL, mtime=0, filename="")
        self._text = io.TextIOWrapper(self._packed, encoding="utf-8", newline="", write_through=False)
        # With CRLF as its own line end the writer quotes a bare CR, which it does not otherwise before Python 3.13.
        self._writer = csv.writer(self._text, delimiter="\t", lineterminator="\r\n")
        self._writer.writerow((*self._columns, *([DELETED_ON] if deletions else [])))
        self.rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bytes.close()

    def add(self, rows: Sequence[Row]) -> None:
        """Write rows of items."""
        width = len(self._columns)
        self._writer.writerows(row[:width] for row in rows)
        self.rows += len(rows)

    def add_deleted(self, deleted: Iterable[Row]) -> None:
        """Write a row for each item, of its key and the day of its deletion."""
        empty = [None] * (len(self._columns) - 1)
        for key, day in deleted:
            self._writer.writerow((key, *empty, day.isoformat()))
            self.rows += 1

    def finish(self) -> IO[bytes]:
        """The whole file, at its beginning. It takes no more rows."""
        self._text.close()  # and the gzip stream, whose file stays open
        self._bytes.seek(0)
        return self._bytes


@contextmanager
def temporary_file(*, more: bool, deletions: bool) -> Iterator[ItemFile]:
    """A file of the temporary folder. DiskRefuses says which folder that is, and what to do."""
    try:
        with ItemFile(more=more, deletions=deletions) as file:
            yield file
    except OSError as error:
        where = tempfile.tempdir or "of this machine"
        raise DiskRefuses(
            f"the temporary folder {where} takes no batch: {error.strerror}. Free room there, or set TMPDIR to another"
        ) from error
