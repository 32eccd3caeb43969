"""Checks that the loop is closed once Sierra is quiet: our catalogue is what SierraDNA has, and each push is shown.

SierraDNA is read as our ETL reads it. Titles are left out: the deployed ETL's double invents
them.
"""

import time
from collections.abc import Iterable, Mapping
from typing import Any

import psycopg

from etl.chunks import Chunks
from etl.items import BEHIND_ALL, ItemReader
from etl.items import COLUMNS as ALL_COLUMNS
from etl.process import dna_of
from runtime.etl_settings import SierraDnaSettings
from sandbox.settings import etl_settings
from sandbox.system import System

QUIET_SECONDS = 180.0  # transfers move no stamp: the comparison of all items has to come round
COLUMNS = ("item_number", "barcode", "bib_number", "classification", "item_call_number")
HELD = f"SELECT item_record_id, {', '.join(COLUMNS)} FROM sierra_item WHERE deleted_on IS NULL"
NOT_SHOWN = """
    SELECT i.item_number, pushed.call_number_after
    FROM sierra_item i
    CROSS JOIN LATERAL (
        SELECT call_number_after, shown_at FROM update_log
        WHERE item_record_id = i.item_record_id AND outcome = 'pushed'
        ORDER BY update_log_id DESC LIMIT 1
    ) AS pushed
    WHERE pushed.shown_at IS NULL AND pushed.call_number_after = i.item_call_number
"""
Catalogue = Mapping[int, tuple[str | None, ...]]


def open_ends(system: System) -> list[str]:
    """Wait until the loop is closed. Return a sentence for each item that is still otherwise after QUIET_SECONDS."""
    there = _in_sierra_dna(system)
    give_up_at = time.monotonic() + QUIET_SECONDS
    while found := _differences(system, there):
        if time.monotonic() > give_up_at:
            break
        time.sleep(0.5)
    return found


def _in_sierra_dna(system: System) -> Catalogue:
    given = etl_settings(system.dna, system.api_url, system.etl_key)
    settings = SierraDnaSettings(**{name.lower(): value for name, value in given.items()})  # type: ignore[arg-type]
    with dna_of(settings) as dna:
        chunks = Chunks(dna, ItemReader(settings.etl_campus_code), settings.etl_chunk_items)
        rows = [dict(zip(ALL_COLUMNS, row, strict=True)) for rows in chunks.page(0, BEHIND_ALL) for row in rows]
    return {row["item_record_id"]: _texts(row[name] for name in COLUMNS) for row in rows}


def _differences(system: System, there: Catalogue) -> list[str]:
    with psycopg.connect(system.postgres.dsn(), autocommit=True) as connection:
        held = {key: _texts(rest) for key, *rest in connection.execute(HELD)}
        not_shown = connection.execute(NOT_SHOWN).fetchall()
    keys = sorted(key for key in held.keys() | there.keys() if held.get(key) != there.get(key))
    return [
        *(f"item {key} is {held.get(key)} here, and {there.get(key)} in SierraDNA" for key in keys),
        *(f"the push of {text!r} to item {number} is not shown" for number, text in not_shown),
    ]


def _texts(values: Iterable[Any]) -> tuple[str | None, ...]:
    """The values as text: numbers of records are text here, and numbers in SierraDNA."""
    return tuple(None if value is None else str(value) for value in values)
