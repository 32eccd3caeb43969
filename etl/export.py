"""`signum etl export`: the file of an upload without the upload, to hold beside the deployed ETL's."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from etl.changes import find_changed
from etl.chunks import Chunks
from etl.dna import SierraDna
from etl.file import ItemFile
from etl.items import BEHIND_ALL, ItemReader


def export(
    dna: SierraDna,
    campus_code: str,
    chunk_items: int,
    target: Path,
    *,
    ids: Sequence[int] | None = None,
    since: datetime | None = None,
) -> int:
    """Write these items, or those that changed since, or all. Return the number of rows. The backend is not asked."""
    chunks = Chunks(dna, ItemReader(campus_code), chunk_items)
    with target.open("wb") as into, ItemFile(into=into) as file:
        if ids is not None:
            pages = chunks.of_keys(sorted(set(ids)))
        elif since is not None:
            pages = chunks.of_keys(find_changed(chunks, since))
        else:
            pages = chunks.page(0, BEHIND_ALL)
        for rows in pages:
            file.add(rows)
        file.finish()
        return file.rows
