"""Makes the catalogue of the sandbox's library: always the same items, from lists of words and the item's place.

Most are ordinary. Every oddity that a real catalogue has comes once in fifty items, at the place that `Oddity` says, so
even a small catalogue has them all. Headings that must be romanised come among the first two hundred only: the backend
loads its romaniser in seconds, for each batch that needs it, and here batches are small.

Each item comes in two forms: as Sierra's record and as the rows that the ETL sends.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from sandbox.records import Record

ITEM, BIB = ord("i") << 32, ord("b") << 32  # SierraDNA's keys: the record's kind above its number
_FIRST_ITEM, _FIRST_BIB, _FIRST_BARCODE = 2_000_001, 1_000_001, 33_010_000_000_001
_PERIOD = 50
_LAST_ROMANISED = 200

FORENAMES = "Aino Eero Helmi Ilmari Kaarina Lauri Maija Onni Päivi Risto Saara Toivo Ulla Väinö Yrjö Åke"
SURNAMES = "Aalto Heikkilä Järvinen Koskela Lindqvist Mäkelä Nieminen Ollila Rautio Salonen Talvio Virtanen Öberg"
ADJECTIVES = "Hiljainen Kadonnut Musta Pitkä Punainen Sininen Valkea Vanha Viimeinen Yöllinen Äänetön"
NOUNS = "järvi kesä kirje laiva metsä mökki puutarha satama silta talo tie tähti uni vuosi yö"
GENRES = "Jännitys Fantasia Scifi Historia Romantiikka Huumori Kauhu Sota Eräkirjat"
CLASSES = (
    ("84.2", "84.31"),
    ("85.22", "85.2"),
    ("86.2", "86.25"),
    ("59.35", "59.3"),
    ("67.451", "67.45"),
    ("30.1", "30.16"),
)
FOREIGN = (
    ("Чехов, Антон,", "Вишнёвый сад /"),
    ("Достоевский, Фёдор,", "Игрок /"),
    ("村上春樹,", "海辺のカフカ /"),
    ("鲁迅,", "呐喊 /"),
)
AUTHORLESS = (("2", "A user's guide /"), ("4", 'The "quiet" harbour\'s log :'), ("0", "Suomen lintuatlas"), ("0", "!?"))


class Oddity(IntEnum):
    """The oddities of items, by their place modulo 50."""

    NO_BIB = 3
    NO_CALL_NUMBER = 7
    TWO_CALL_NUMBERS = 11
    GHOST = 13  # Sierra shows it, but it can't be written
    HIGH_ITYPE = 17  # above 255: the deployed ETL cuts it to 8 bits
    SEVERAL_BIBS = 19
    CYRILLIC = 23
    CHINESE = 29
    NO_AUTHOR = 31
    NO_CLASSIFICATION = 37
    ALREADY_RIGHT = 41
    LENT = 43  # its fixed fields name the borrower


ROMANISED = (Oddity.CYRILLIC, Oddity.CHINESE, Oddity.NO_AUTHOR)  # their headings have no Latin letter


@dataclass(frozen=True, slots=True)
class Bib:
    """A bibliographic record, as far as a label needs it."""

    number: int
    author: str | None
    title: str
    subfields: Sequence[dict[str, str | None]]


@dataclass(frozen=True, slots=True)
class Item:
    """An item as both sides know it."""

    number: int
    barcode: str
    itype: int
    bibs: tuple[Bib, ...]
    classification: str | None
    call_numbers: tuple[str, ...]
    oddity: Oddity | None

    @property
    def record_id(self) -> int:
        """The 64-bit key that the print stations use."""
        return ITEM + self.number

    def record(self) -> Record:
        """The item as Sierra's record."""
        return Record(
            number=str(self.number),
            bib_numbers=tuple(str(bib.number) for bib in self.bibs),
            fixed_fields=_fixed_fields(self),
            var_fields=_var_fields(self),
            ghost=self.oddity is Oddity.GHOST,
        )

    def rows(self) -> Iterator[dict[str, Any]]:
        """The item as the ETL's rows: one per bib, and one if there is none. `shelfmark_json` is still a list."""
        for bib in self.bibs or (None,):
            yield {
                "item_record_id": self.record_id,
                "item_number": self.number,
                "barcode": self.barcode,
                "bib_record_id": bib and BIB + bib.number,
                "bib_number": bib and bib.number,
                "best_author": bib and bib.author,
                "best_title": bib and bib.title,
                "itype_code_num": self.itype,
                "item_type_name": "Lautapeli" if self.itype > 255 else "Kirja",
                "material_code": "a",
                "material_name": "Kirja",
                "classification": self.classification,
                "shelfmark_json": bib and bib.subfields,
            }


def make_catalogue(size: int) -> list[Item]:
    """The first `size` items of the one catalogue there is: a smaller one is the beginning of a larger."""
    return [_make_item(place) for place in range(size)]


def place_of(record_id: int) -> int:
    """The place in the catalogue of the item with that key; negative if it has none there."""
    return record_id - ITEM - _FIRST_ITEM


def barcode_of(place: int) -> str:
    """The barcode of the item at that place."""
    return str(_FIRST_BARCODE + place)


def _make_item(place: int) -> Item:
    luck = random.Random(place)  # noqa: S311
    oddity = _oddity(place)
    old, new = luck.choice(CLASSES) if place else CLASSES[0]
    genre = luck.choice(GENRES.split()) if place else "Jännitys"
    return Item(
        number=_FIRST_ITEM + place,
        barcode=barcode_of(place),
        itype=300 if oddity is Oddity.HIGH_ITYPE else luck.choice((1, 2, 17)),
        bibs=_make_bibs(place, oddity, luck),
        classification=None if oddity is Oddity.NO_CLASSIFICATION else new,
        call_numbers=_call_numbers(f"{old} {genre}", f"{new} {genre}", oddity),
        oddity=oddity,
    )


def _oddity(place: int) -> Oddity | None:
    oddity = Oddity(place % _PERIOD) if place % _PERIOD in set(Oddity) else None
    romanised = oddity in ROMANISED
    return None if romanised and place >= _LAST_ROMANISED else oddity


def _call_numbers(old: str, new: str, oddity: Oddity | None) -> tuple[str, ...]:
    match oddity:
        case Oddity.NO_CALL_NUMBER:
            return ()
        case Oddity.TWO_CALL_NUMBERS:
            return old, f"{old} (englanti)"
        case Oddity.ALREADY_RIGHT:
            return (new,)
    return (old,)


def _make_bibs(place: int, oddity: Oddity | None, luck: random.Random) -> tuple[Bib, ...]:
    if oddity is Oddity.NO_BIB:
        return ()
    count = 2 if oddity is Oddity.SEVERAL_BIBS else 1
    return tuple(_make_bib(_FIRST_BIB + 2 * place + which, place, oddity, luck) for which in range(count))


def _make_bib(number: int, place: int, oddity: Oddity | None, luck: random.Random) -> Bib:
    rank, skip = place // _PERIOD, "0"
    heading: str | None
    heading, title = f"{luck.choice(SURNAMES.split())}, {luck.choice(FORENAMES.split())},", ""
    match oddity:
        case Oddity.CYRILLIC:
            heading, title = FOREIGN[rank % 2]
        case Oddity.CHINESE:
            heading, title = FOREIGN[2 + rank % 2]
        case Oddity.NO_AUTHOR:
            heading, (skip, title) = None, AUTHORLESS[rank % len(AUTHORLESS)]
        case _:
            title = f"{luck.choice(ADJECTIVES.split())} {luck.choice(NOUNS.split())} /"
    author = heading and heading.rstrip(",")
    subfields = [subfield("100", "1", " ", "a", "a", heading)] if heading else []
    subfields.append(subfield("245", "1" if heading else "0", skip, "t", "a", title))
    if author:
        subfields.append(subfield("245", "1", skip, "t", "c", f"{' '.join(reversed(author.split(', ')))}."))
    return Bib(number, author, title.rstrip(" /:"), subfields)


def subfield(marc_tag: str, ind1: str, ind2: str, kind: str, tag: str, content: str) -> dict[str, str | None]:
    """A part of a bib's heading, as SierraDNA shows it."""
    return {
        "marc_tag": marc_tag,
        "marc_ind1": ind1,
        "marc_ind2": ind2,
        "field_type_code": kind,
        "tag": tag,
        "content": content,
    }


def _fixed_fields(item: Item) -> dict[str, dict[str, str]]:
    fields = {
        "61": {"label": "I TYPE", "value": str(item.itype), "display": "Kirja"},
        "74": {"label": "IUSE3", "value": "0"},
        "76": {"label": "TOT CHKOUT", "value": str(item.number % 40)},
        "79": {"label": "LOCATION", "value": "mainl", "display": "Pääkirjasto"},
        "80": {"label": "REC TYPE", "value": "i"},
        "81": {"label": "RECORD #", "value": str(item.number)},
        "83": {"label": "CREATED", "value": "2010-02-03T10:00:00Z"},
        "84": {"label": "UPDATED", "value": "2026-01-01T08:00:00Z"},
        "85": {"label": "REVISIONS", "value": "42"},
        "88": {"label": "STATUS", "value": "-", "display": "PAIKALLA"},
        "93": {"label": "INTL USE ", "value": "0"},
        "98": {"label": "PDATE", "value": "2026-01-01T08:00:00Z"},
    }
    if item.number % 3:  # the others' inventory was never taken
        fields["69"] = {"label": "INVDA", "value": "2025-01-02T08:00:00Z"}
    if item.oddity is Oddity.LENT:
        fields["65"] = {"label": "DUE DATE", "value": "2026-12-24T02:00:00Z"}
        fields["66"] = {"label": "PATRON#", "value": str(1_100_000 + item.number % 1000)}
    return fields


def _var_fields(item: Item) -> list[dict[str, Any]]:
    return [
        {"fieldTag": "b", "content": item.barcode},
        *(call_number_field(text) for text in item.call_numbers),
        {"fieldTag": "x", "content": f"tarrat tulostettu {2000 + item.number % 25}"},
    ]


def call_number_field(text: str) -> dict[str, Any]:
    """A call number as Sierra keeps it."""
    return {
        "fieldTag": "c",
        "marcTag": "099",
        "ind1": " ",
        "ind2": " ",
        "subfields": [{"tag": "a", "content": text}],
    }
