"""Follows one label all the way: read at the print station, marked, written to Sierra, and brought back from there.

Nothing here is faked. The print station's requests go to a real api process, the update comes from a real notifier
process, Sierra's record is shown as Sierra holds it, and a real ETL brings it back from SierraDNA. The time of one
dispatch is that from the api's 200 at the print station to the arrival of the PUT at Sierra, by the machine's monotonic
clock. It is the second label since the start; the first, which finds everything cold, is reported too.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import httpx
import psycopg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from sandbox.catalogue import Item
from sandbox.dna_catalogue import is_odd_in_dna
from sandbox.etl import Etl
from sandbox.processes import Process
from sandbox.system import BATCH_SIZE, System

_PATIENCE_SECONDS = 10
_BACK_PATIENCE_SECONDS = 30
_CALL_NUMBER = """SELECT content FROM sierra_view.subfield
    WHERE record_id = %s AND field_type_code = 'c' ORDER BY occ_num, display_order"""
_SHOWN_AT = "SELECT shown_at FROM update_history WHERE item_number = %s AND finished_at >= %s AND shown_at IS NOT NULL"


class DemoFailed(Exception):
    """The system is not as it should be. The text says why."""


@dataclass(frozen=True, slots=True)
class Printed:
    """The outcome of one printed label."""

    item: dict[str, Any]
    before: dict[str, Any]
    after: dict[str, Any]
    dispatch_ms: float
    printed_at: datetime
    pushed_at: datetime
    in_dna_at: datetime | None = None  # None: the system has no SierraDNA
    call_number_in_dna: str | None = None
    brought_back_at: datetime | None = None

    @property
    def call_number_before(self) -> str:
        """Sierra's call number before the push."""
        return call_number(self.before)

    @property
    def call_number_after(self) -> str:
        """Sierra's call number after the push."""
        return call_number(self.after)

    @property
    def seen_back_ms(self) -> float | None:
        """From the api's answer to when our ETL had brought the new call number back, by the machine's clock."""
        if self.brought_back_at is None:
            return None
        return round((self.brought_back_at - self.printed_at).total_seconds() * 1000, 1)


def load_catalogue(system: System, items: list[Item], screen: Console) -> int:
    """Wait for our ETL's first load; without SierraDNA load as the deployed ETL does. Return the items taken in."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=screen) as progress:
        task = progress.add_task("ETL: GET /sync, POST /sync", total=len(items))
        if system.etl:
            return _wait_for_load(system.etl, lambda loaded: progress.update(task, completed=loaded))
        etl = Etl(system.api_url, system.etl_key)
        loaded = etl.load([row for item in items for row in item.rows()], lambda sent: progress.advance(task, sent))
        etl.close()
    return loaded


def _wait_for_load(etl: Process, tell: Callable[[int], None]) -> int:
    """Wait until our ETL has sent the last page, which is shorter than the others. Its log has a line per batch."""
    while True:
        log = etl.log.read_text(errors="replace")
        pages = [int(items) for items in re.findall(r"mode=full items=(\d+)", log)]
        tell(sum(pages))
        if pages and pages[-1] < BATCH_SIZE:
            return sum(pages)
        if " ERROR " in log:
            raise DemoFailed(f"the catalogue was not loaded:\n{etl.last_words()}")
        etl.check()
        time.sleep(0.05)


def print_label(system: System, item: Item) -> Printed:
    """Print the label of one item. Raise DemoFailed if Sierra does not hold the right record afterwards."""
    with (
        httpx.Client(base_url=system.api_url, headers={"x-api-key": system.printer_key}, trust_env=False) as api,
        httpx.Client(base_url=system.sierra_url, trust_env=False, timeout=_PATIENCE_SECONDS + 5) as sierra,
    ):
        shown = _json(api.get(f"/itemdata/{item.barcode}"))
        before = _json(sierra.get(f"/_sandbox/records/{item.number}"))
        marked = api.put(f"/itemdata/{shown['item_record_id']}")
        answered_ns, printed_at = time.monotonic_ns(), datetime.now(UTC)
        if _json(marked) != {"updated": True}:
            raise DemoFailed(f"the mark was answered with {marked.text}")
        wait = {"kind": "put_item", "item": str(item.number), "seconds": str(_PATIENCE_SECONDS)}
        put = _json(sierra.get("/_sandbox/journal/wait", params=wait))[0]
        after = _json(sierra.get(f"/_sandbox/records/{item.number}"))
        in_dna = _call_number_in_dna(system.dna, item) if system.dna else None
        seen_at = datetime.now(UTC) if system.dna else None
        _wait_until_unmarked(api, item.barcode)
    # On a busy machine the PUT can be at Sierra before the print station has read the api's answer.
    dispatch_ms = max(0.0, round((put["arrived_ns"] - answered_ns) / 1e6, 1))
    pushed_at = datetime.fromisoformat(put["arrived_at"])
    printed = Printed(shown, before, after, dispatch_ms, printed_at, pushed_at, seen_at, in_dna)
    _check(printed, item)
    return printed


def follow_back(system: System, printed: Printed) -> Printed:
    """Wait until our ETL has brought the label's call number back. Return it with that time; as it is without ETL."""
    if system.etl is None:
        return printed
    give_up_at = time.monotonic() + _BACK_PATIENCE_SECONDS
    with psycopg.connect(system.postgres.dsn(), autocommit=True) as connection:
        while True:
            row = connection.execute(_SHOWN_AT, [printed.after["id"], printed.pushed_at]).fetchone()
            if row:
                return replace(printed, brought_back_at=row[0])
            system.etl.check()
            if time.monotonic() > give_up_at:
                raise DemoFailed(
                    f"Sierra has the update, but the ETL did not bring it back:\n{system.etl.last_words()}"
                )
            time.sleep(0.02)


def ordinary_items(items: list[Item]) -> list[Item]:
    """The items without an oddity, here and in SierraDNA, whose call number is to be changed."""
    return [item for place, item in enumerate(items) if item.oddity is None and not is_odd_in_dna(place)]


def call_number(record: dict[str, Any]) -> str:
    """The call number of a record as Sierra shows it."""
    texts = [
        subfield["content"]
        for var_field in record["varFields"]
        if var_field["fieldTag"] == "c"
        for subfield in var_field["subfields"]
    ]
    return " / ".join(texts)


def fixed_value(record: dict[str, Any], number: str) -> str:
    """The value of one of the record's fixed fields; empty if it has no such field."""
    value: str = record["fixedFields"].get(number, {"value": ""})["value"]
    return value


def _call_number_in_dna(login: str, item: Item) -> str:
    """The call number as SierraDNA shows it to the library's login."""
    with psycopg.connect(login) as connection:
        rows = connection.execute(_CALL_NUMBER, [item.record_id]).fetchall()
    return " / ".join(text for (text,) in rows)


def _wait_until_unmarked(api: httpx.Client, barcode: str) -> None:
    """Wait for the queue: the notifier gets Sierra's answer a moment after Sierra gave it."""
    give_up_at = time.monotonic() + _PATIENCE_SECONDS
    while _json(api.get(f"/itemdata/{barcode}"))["in_update_queue"]:
        if time.monotonic() > give_up_at:
            raise DemoFailed("Sierra has the update, but the item is still in the queue")
        time.sleep(0.01)


def _check(printed: Printed, item: Item) -> None:
    """Compare the api's answer and Sierra's record with the catalogue."""
    genre = item.call_numbers[0].partition(" ")[2]
    before, after = (fixed_value(record, "84") for record in (printed.before, printed.after))
    expected = {
        "classification shown": (printed.item["classification"], item.classification),
        "title shown": (printed.item["best_title"], item.bibs[0].title),
        "item waiting before it was marked": (printed.item["in_update_queue"], False),
        "call number": (printed.call_number_after, f"{item.classification} {genre}"),
        "IUSE3": (fixed_value(printed.after, "74"), "1"),
        "INVDA between the last update and this": (before < fixed_value(printed.after, "69") <= after, True),
        "revisions": (int(fixed_value(printed.after, "85")), int(fixed_value(printed.before, "85")) + 2),
        "other fields": (_others(printed.after), _others(printed.before)),
    }
    if printed.call_number_in_dna is not None:
        expected["call number in SierraDNA"] = (printed.call_number_in_dna, printed.call_number_after)
    for name, (found, wanted) in expected.items():
        if found != wanted:
            raise DemoFailed(f"{name}: {found!r}, not {wanted!r}")


def _others(record: dict[str, Any]) -> list[Any]:
    return [var_field for var_field in record["varFields"] if var_field["fieldTag"] != "c"]


def _json(response: httpx.Response) -> Any:
    if response.status_code != 200:
        raise DemoFailed(f"{response.request.method} {response.request.url}: {response.status_code} {response.text}")
    return response.json()
