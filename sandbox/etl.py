"""Sends the catalogue to the backend as the deployed ETL does: gzipped TSV as pandas writes it, in batches.

The wire format's oddities are the deployed ETL's. `shelfmark_json` is the Python repr of a list, not JSON. A column of
whole numbers comes as `1000001.0` as soon as one row of the batch lacks it, for pandas makes floats of it then. Item
types are cut to 8 bits: 300 comes as 44.
"""

import csv
import gzip
import io
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx

COLUMNS = (
    *("item_record_id", "item_number", "barcode", "bib_record_id", "bib_number", "best_author", "best_title"),
    *("itype_code_num", "item_type_name", "material_code", "material_name", "classification", "shelfmark_json"),
)
_NUMBERS = ("item_record_id", "item_number", "bib_record_id", "bib_number", "itype_code_num")
Row = dict[str, Any]


class SyncRefused(Exception):
    """The backend refused a batch or a row of it, or did not say what to send. The text is its answer."""


class Etl:
    """The ETL's two requests, with its time-outs; it follows no redirects."""

    def __init__(self, base_url: str, key: str) -> None:
        self._http = httpx.Client(base_url=base_url, headers={"x-api-key": key}, timeout=4, trust_env=False)

    def ask(self) -> dict[str, Any]:
        """Ask the backend for the mode and position of the next batch."""
        return _answer(self._http.get("/sync"))

    def send(self, rows: Sequence[Row], timestamp: datetime) -> dict[str, Any]:
        """Send one batch; `timestamp` is Sierra's clock at the start of this run."""
        files = {"file": ("data.tsv.gz", encode(rows), "application/gzip")}
        return _answer(self._http.post("/sync", data={"timestamp": timestamp.isoformat()}, files=files, timeout=120))

    def load(self, rows: Sequence[Row], tell: Callable[[int], None] = lambda items: None) -> int:
        """Do a full sync from its position to its end. Return the number of items sent; `tell` gets each batch's."""
        sent = 0
        while (wanted := self.ask())["sync_mode"] == "SYNC_FULL":
            batch = next_batch(rows, wanted["last_synced_id"], wanted["batch_size"])
            answer = self.send(batch, datetime.now(UTC))
            if answer["upserted"] != len(batch):
                raise SyncRefused(f"of {len(batch)} rows {answer['upserted']} were taken in: {answer}")
            items = len({row["item_record_id"] for row in batch})
            tell(items)
            sent += items
        return sent

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


def next_batch(rows: Sequence[Row], last_synced_id: int, batch_size: int) -> list[Row]:
    """The rows of the next `batch_size` items, in the order of their ids; an item's rows are never parted."""
    later = sorted(
        (row for row in rows if row["item_record_id"] > last_synced_id), key=lambda row: row["item_record_id"]
    )
    ids = sorted({row["item_record_id"] for row in later})[:batch_size]
    return [row for row in later if ids and row["item_record_id"] <= ids[-1]]


def encode(rows: Sequence[Row]) -> bytes:
    """Encode rows as the part `file` of an upload. Without rows the header alone: a valid, empty batch."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_lines(rows))
    return gzip.compress(text.getvalue().encode(), compresslevel=6)


def _lines(rows: Sequence[Row]) -> Iterator[list[str]]:
    floats = {name for name in _NUMBERS if any(row[name] is None for row in rows)}
    for row in rows:
        itype = row["itype_code_num"]
        sent = row | {"itype_code_num": None if itype is None else itype % 256}
        yield [
            "" if sent[name] is None else f"{sent[name]}.0" if name in floats else str(sent[name]) for name in COLUMNS
        ]


def _answer(response: httpx.Response) -> dict[str, Any]:
    if response.status_code != 200:
        raise SyncRefused(f"{response.request.method} {response.request.url}: {response.status_code} {response.text}")
    answer: dict[str, Any] = response.json()
    return answer
