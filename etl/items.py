"""A chunk of item keys as rows of the file: the values that the deployed ETL would send, whatever they are.

Each view is asked by keys, each bib once however many items share it, and the answers are joined here. Nothing is
trimmed or normalised. `shelfmark_json` is JSON in one frozen form, for the backend compares bytes.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from json.encoder import encode_basestring
from typing import Any, NamedTuple

from etl.dna import Snapshot
from etl.metrics import AMBIGUOUS_CLASSES, ITEMS_READ, NO_PROPERTY
from runtime.statements import load

SQL = load("etl", "items")

COLUMNS = (
    *("item_record_id", "item_number", "barcode", "bib_record_id", "bib_number", "best_author", "best_title"),
    *("itype_code_num", "item_type_name", "material_code", "material_name", "classification", "shelfmark_json"),
    *("item_call_number", "item_updated_at", "location_code", "location_name"),
)
OLD_COLUMNS = 13  # the first of them: those that the deployed ETL sends
NAMES_SECONDS = 3600.0
HEADINGS_CHARACTERS = 65_536  # of a bib. The backend refuses a whole file for one row of over a megabyte

# A key is 16 bits of campus, 16 of the record type's character, 32 of the record's number: all own items are one range.
FIRST_OWN, BEHIND_OWN = ord("i") << 32, (ord("i") + 1) << 32
BEHIND_ALL = (1 << 63) - 1

Row = tuple[Any, ...]
Names = Mapping[Any, str | None]


class NameTables(NamedTuple):
    """The names of codes, in the language of the login."""

    item_types: Names
    materials: Names
    locations: Names


class ItemReader:
    """Reads items of one campus. The name tables are read once an hour."""

    def __init__(self, campus_code: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._campus = campus_code
        self._clock = clock
        self._names: NameTables | None = None
        self._names_read_at = 0.0

    def keys_after(self, snapshot: Snapshot, after: int, most: int) -> list[int]:
        """The next keys of living items, at most so many. None: there is no item behind `after`."""
        below = BEHIND_ALL if self._campus else BEHIND_OWN
        first = after if self._campus else max(after, FIRST_OWN)
        parameters = {"after": first, "below": below, "campus": self._campus, "most": most}
        return [key for (key,) in snapshot.fetch("keys_after", SQL["keys_after"], parameters)]

    def rows(self, snapshot: Snapshot, keys: Sequence[int]) -> list[Row]:
        """A row for each of the keys that is a living item, in the order of the keys."""
        parameters: dict[str, Any] = {"keys": list(keys), "campus": self._campus}

        def ask(name: str) -> list[Row]:
            return snapshot.fetch(name, SQL[name], parameters)

        names = self._name_tables(snapshot)
        living = {row[0]: row for row in ask("living")}
        items = {row[0]: row for row in ask("items")}
        barcodes: dict[int, str | None] = dict(ask("barcodes"))
        links: dict[int, int] = dict(ask("links"))
        parameters["bibs"] = sorted(set(links.values()))
        bib_numbers: dict[int | None, int] = dict(ask("bib_numbers"))
        bibs: dict[int | None, Row] = {row[0]: row for row in ask("bibs")}
        classes = _classes(ask("classes"))
        headings = _headings(ask("headings"))
        call_numbers = _call_numbers(ask("call_numbers"))

        def row(key: int) -> Row:
            _, number, updated_at = living[key]
            _, itype, location = items[key]
            bib = links.get(key)
            _, author, title, material = bibs.get(bib, (None,) * 4)
            return (
                *(key, number, barcodes.get(key), bib, bib_numbers.get(bib), author, title),
                *(itype, names.item_types.get(itype), material, names.materials.get(material)),
                *(classes.get(bib), headings.get(bib)),
                *(
                    call_numbers.get(key),
                    updated_at and updated_at.isoformat(),
                    location,
                    names.locations.get(location),
                ),
            )

        rows = [row(key) for key in sorted(living.keys() & items.keys())]
        ITEMS_READ.inc(len(rows))
        NO_PROPERTY.inc(sum(row[0] not in barcodes for row in rows))
        return rows

    def _name_tables(self, snapshot: Snapshot) -> NameTables:
        if self._names is None or self._clock() - self._names_read_at >= NAMES_SECONDS:
            self._names = NameTables(*(dict(snapshot.fetch(name, SQL[name])) for name in NameTables._fields))
            self._names_read_at = self._clock()
        return self._names


def _classes(found: Sequence[Row]) -> dict[Any, str | None]:
    AMBIGUOUS_CLASSES.inc(sum(bool(is_ambiguous) for _, _, is_ambiguous in found))
    return {bib: greatest for bib, greatest, _ in found}


def _headings(found: Sequence[Row]) -> dict[Any, str]:
    """The JSON of each bib's subfields, which come in order. It ends before the one that would make it too long."""
    parts: dict[Any, list[str]] = {}
    lengths: dict[Any, int] = {}
    for bib, marc_tag, ind1, ind2, field_type, tag, content in found:
        entry = (
            f'{{"marc_tag":{_json(marc_tag)},"marc_ind1":{_json(ind1)},"marc_ind2":{_json(ind2)},'
            f'"field_type_code":{_json(field_type)},"tag":{_json(tag)},"content":{_json(content)}}}'
        )
        lengths[bib] = lengths.get(bib, 0) + len(entry)
        if lengths[bib] <= HEADINGS_CHARACTERS:
            parts.setdefault(bib, []).append(entry)
    return {bib: f"[{','.join(entries)}]" for bib, entries in parts.items()}


def _json(text: str | None) -> str:
    return "null" if text is None else encode_basestring(text)


def _call_numbers(found: Sequence[Row]) -> dict[Any, str]:
    """The text that an update renews: of the item's first field, the first that begins with a digit, else the first."""
    fields: dict[Any, tuple[int, list[str]]] = {}
    for key, field, content in found:
        first, texts = fields.setdefault(key, (field, []))
        if field == first:
            texts.append(content or "")
    return {
        key: next((text for text in texts if text.strip()[:1].isdigit()), texts[0])
        for key, (_, texts) in fields.items()
    }
