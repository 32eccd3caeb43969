"""Batches as the ETL sends them: rows, the TSV they stand in, and the upload."""

import csv
import gzip
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import httpx
import pytest

from api.ingest.rows import COLUMNS
from tests.fix_api import ApiClient

FIRST_ID = 450_971_566_080
TIMESTAMP = "2026-11-20T12:00:00+02:00"

Row = dict[str, str]
Send = Callable[..., httpx.Response]


def heading(content: str) -> str:
    """A `shelfmark_json` as the deployed ETL writes it."""
    entry = {"marc_tag": "100", "marc_ind1": "1", "marc_ind2": " ", "field_type_code": "a", "tag": "a"}
    return repr([{**entry, "content": content}])


def row(number: int, **cells: str) -> Row:
    """The row of one item; `cells` says what is different about it."""
    usual = {
        "item_record_id": str(FIRST_ID + number),
        "item_number": str(1_000_000 + number),
        "barcode": f"3301{number:010}",
        "bib_record_id": str(420_907_800_000 + number),
        "bib_number": str(2_000_000 + number),
        "best_author": "Waltari, Mika",
        "best_title": f"Sinuhe {number}",
        "itype_code_num": "100",
        "item_type_name": "Kirja",
        "material_code": "a",
        "material_name": "Kirja",
        "classification": "84.2",
        "shelfmark_json": heading("Waltari, Mika,"),
    }
    assert cells.keys() <= usual.keys()
    return {**usual, **cells}


def tsv(rows: Iterable[Mapping[str, str]], columns: Sequence[str] = COLUMNS, lineterminator: str = "\n") -> bytes:
    """The rows below a header, as a CSV writer writes them."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, delimiter="\t", lineterminator=lineterminator, restval="?")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("utf-8", "surrogatepass")


@pytest.fixture
def send(etl: ApiClient) -> Send:
    """Send rows, or a TSV, or (as `packed=`) the file itself, with other `fields`; the answer."""

    def post(
        content: Iterable[Row] | bytes = (),
        *,
        timestamp: str = TIMESTAMP,
        changes_since: str | None = None,
        changes_until: str | None = None,
        deletions_until: str | None = None,
        fields: Mapping[str, object] = MappingProxyType({}),
        packed: bytes | None = None,
        **more: Any,
    ) -> httpx.Response:
        unpacked = content if isinstance(content, bytes) else tsv(content)
        times = {"timestamp": timestamp, "changes_since": changes_since, "changes_until": changes_until}
        texts = {**times, "deletions_until": deletions_until, **fields}
        file = gzip.compress(unpacked) if packed is None else packed
        return etl.post(
            "/sync",
            data={name: text for name, text in texts.items() if text is not None},
            files={"file": ("data.tsv.gz", file, "application/gzip")},
            timeout=60,
            **more,
        )

    return post
