"""SierraDNA's catalogue: the sandbox's items and their bibs, with the oddities that rows of SierraDNA have.

Each oddity comes once in fifty items, at the place that `DnaOddity` says, beside those of sandbox/catalogue.py. Some
are in the item's record, so that REST shows them too; some in its bibs; some in the rows alone. Two are records beside
the item at that place: another library's item of the same number, and an item that was deleted long ago.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from sandbox.catalogue import Item, barcode_of, place_of
from sandbox.dna_bibs import BibRecord, VarField, class_field, make_bib, var_field
from sandbox.dna_rows import WIDEST, Row, Rows, bib_rows, item_rows
from sandbox.records import Record

CAMPUS_ID, CAMPUS_CODE, THEIR_BARCODE = 21, "muu", "muu33010000000013"  # the other library's
BARCODE_BEHIND = "33010099999999"
FIRST_DELETED = 1_000_001
DELETED_ON = "2015-03-02"
_PERIOD = 50
_HIDDEN, _SHOWN = "\u0098", "\u009c"  # MARC's non-sorting marks: what stands between them does not sort
UNKNOWN_ITYPE, ITYPE_WITH_BLANK = "299", "18"


class DnaOddity(IntEnum):
    """The oddities of SierraDNA's rows, by the item's place modulo 50. Its sources: docs/sierra-dna.md."""

    TWO_CLASSES = 4  # two 097: the greater text wins where a reader takes the maximum, "9" over "85"
    CLASS_SOURCE = 5  # a `$2` in 097, whose text is greater than any number
    CLASS_WITHOUT_BAR = 6  # 097 entered without `|a`
    NO_PROPERTY = 8  # no row in item_record_property
    BARCODE_BEHIND = 9  # the index has a barcode that the item no longer has
    SUPPRESSED = 10
    VIRTUAL = 12
    NULL_ORDER = 14  # the link has no display orders
    UNKNOWN_ITYPE = 15  # no name for its type
    NAME_WITH_BLANK = 16  # the name of its type ends in a blank
    CONTENT_WITH_BAR = 18  # a note without MARC tag, and a title, hold `|` as text
    CONTROL_CHARACTERS = 20  # non-sorting marks, a tab, line breaks, quotes
    WIDEST = 21  # a title as long as a field can be
    DELETED = 22  # deleted before stamps were kept: NULL in all of them, 0 revisions


@dataclass(frozen=True, slots=True)
class Holding:
    """An item as Sierra has it, with its bibs. Where there is a campus it is another library's, and not in REST."""

    record: Record
    bibs: tuple[BibRecord, ...] = ()
    oddity: DnaOddity | None = None
    campus_id: int = 0
    campus_code: str = ""

    def rows(self, ids: Iterator[int]) -> Rows:
        """The item's rows and its bibs', with what is odd in them."""
        rows = item_rows(self.record, ids, self.campus_id, self.campus_code)
        _spoil(rows, self.oddity)
        for bib in self.bibs:
            for table, more in bib_rows(bib, ids).items():
                rows.setdefault(table, []).extend(more)
        return rows


def is_odd_in_dna(place: int) -> bool:
    """Tell whether the rows of the item at that place of the catalogue are odd."""
    return place % _PERIOD in set(DnaOddity)


def is_ours(record_id: int, barcode: str | None) -> bool:
    """Return whether an item is of this catalogue, of any size: its barcode goes with its number, odd or not."""
    place = place_of(record_id)
    expected: set[str | None] = {barcode_of(place)}
    match place % _PERIOD:
        case DnaOddity.NO_PROPERTY:
            expected.add(None)
        case DnaOddity.BARCODE_BEHIND:
            expected.add(BARCODE_BEHIND)
    return place >= 0 and barcode in expected


def make_holdings(items: Sequence[Item]) -> Iterator[Holding]:
    """The catalogue as SierraDNA has it."""
    for place, item in enumerate(items):
        oddity = DnaOddity(place % _PERIOD) if is_odd_in_dna(place) else None
        bibs = tuple(_odd_bib(make_bib(bib, item.classification), oddity) for bib in item.bibs)
        holding = Holding(_odd_record(item.record(), oddity), bibs, oddity)
        yield holding
        if oddity is DnaOddity.VIRTUAL:
            theirs = replace(holding.record, var_fields=[{"fieldTag": "b", "content": THEIR_BARCODE}])
            yield Holding(theirs, (), None, CAMPUS_ID, CAMPUS_CODE)
        if oddity is DnaOddity.DELETED:
            yield Holding(deleted_record(place), (), oddity)


def deleted_record(place: int) -> Record:
    """The item that was deleted long ago, of which REST shows a stub."""
    return Record(str(FIRST_DELETED + place), (), {}, [], deleted_at=DELETED_ON)


def _odd_record(record: Record, oddity: DnaOddity | None) -> Record:
    match oddity:
        case DnaOddity.SUPPRESSED:
            return _with_fixed_field(record, "60", "ICODE2", "n")
        case DnaOddity.UNKNOWN_ITYPE:
            return _with_fixed_field(record, "61", "I TYPE", UNKNOWN_ITYPE)
        case DnaOddity.NAME_WITH_BLANK:
            return _with_fixed_field(record, "61", "I TYPE", ITYPE_WITH_BLANK)
        case DnaOddity.CONTENT_WITH_BAR:
            note = {"fieldTag": "x", "content": "tilattu |asaatu| korjattu"}
            return replace(record, var_fields=[*record.var_fields, note])
    return record


def _with_fixed_field(record: Record, number: str, label: str, value: str) -> Record:
    return replace(record, fixed_fields={**record.fixed_fields, number: {"label": label, "value": value}})


def _odd_bib(bib: BibRecord, oddity: DnaOddity | None) -> BibRecord:
    classes = [field for field in bib.var_fields if field["marcTag"] == "097"]
    headings = [field for field in bib.var_fields if field["marcTag"] != "097"]
    others = [field for field in headings if field["marcTag"] != "245"]
    match oddity:
        case DnaOddity.TWO_CLASSES:
            return _with_fields(bib, *headings, *classes, class_field("9"))
        case DnaOddity.CLASS_SOURCE:
            return _with_fields(bib, *headings, class_field("84.31", ("2", "ykl")))
        case DnaOddity.CLASS_WITHOUT_BAR:
            bare = {**class_field(""), "subfields": None, "content": "84.31"}
            return _with_fields(bib, *headings, bare)
        case DnaOddity.CONTENT_WITH_BAR:
            return _with_fields(bib, *others, _title("Musta | valkea /"), *classes)
        case DnaOddity.CONTROL_CHARACTERS:
            title = f'{_HIDDEN}Der {_SHOWN}Tod\tin\r\n"Venedig"\x1f /'
            return _with_fields(bib, *others, _title(title), *classes)
        case DnaOddity.WIDEST:
            return _with_fields(bib, *others, _title("Ä" * (WIDEST - len("|a"))), *classes)
    return bib


def _with_fields(bib: BibRecord, *fields: VarField) -> BibRecord:
    return replace(bib, var_fields=fields)


def _title(text: str) -> VarField:
    return var_field("t", "245", "1", "0", ("a", text))


def _spoil(rows: Rows, oddity: DnaOddity | None) -> None:
    """Make the item's rows odd, in place."""
    match oddity:
        case DnaOddity.NO_PROPERTY:
            rows["item_record_property"] = []
        case DnaOddity.BARCODE_BEHIND:
            _change(rows["item_record_property"], barcode=BARCODE_BEHIND)
        case DnaOddity.NULL_ORDER:
            _change(rows["bib_record_item_record_link"], items_display_order=None, bibs_display_order=None)
        case DnaOddity.DELETED if "item_record" not in rows:
            stamps = ("creation_date", "record_last_updated", "previous_last_updated")
            _change(rows["record_metadata"], **dict.fromkeys(stamps), num_revisions=0)


def _change(rows: list[Row], **columns: object) -> None:
    for row in rows:
        row.update(columns)
