"""Item records, read and patched as Sierra's REST API does.

The oddities are in sandbox/quirks.py. The simulator refuses what it does not know, and ignores nothing;
every field that can be read from it can be written back.

Every change of an item passes through `Records.keep`. `on_change` hears of it there, before it holds, and may refuse
it: so sandbox/dna.py has SierraDNA show an item's change before the answer to it leaves.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

from sandbox import quirks
from sandbox.filters import ListQuery
from sandbox.quirks import Refused

Merge = Callable[[Sequence[Any], Sequence[Any]], list[Any]]
_TEXTS_OF_A_VAR_FIELD = ("marcTag", "ind1", "ind2", "content")


@dataclass(frozen=True, slots=True)
class Record:
    """One item. Never changed in place: a PUT makes a new one."""

    number: str
    bib_numbers: tuple[str, ...]
    fixed_fields: dict[str, Any]
    var_fields: list[dict[str, Any]]
    created_at: str = "2010-02-03T10:00:00Z"
    deleted_at: str | None = None  # a day
    ghost: bool = False

    def shown(self) -> dict[str, Any]:
        """Everything that a GET may ask for."""
        fixed = {number: fixed_field.get("value") or "" for number, fixed_field in self.fixed_fields.items()}
        return {
            "id": self.number,
            "updatedDate": fixed.get("84") or self.created_at,
            "createdDate": self.created_at,
            **({"deletedDate": self.deleted_at} if self.deleted_at else {}),
            "deleted": self.deleted_at is not None,
            "suppressed": quirks.show_as_suppressed_what_icode2_hides(self.fixed_fields),
            "bibIds": list(self.bib_numbers),
            "location": {"code": fixed.get("79", ""), "name": ""},
            "status": {"code": fixed.get("88", "-")},
            "volumes": self._contents("v"),
            "barcode": "".join(self._contents("b")[:1]),
            "callNumber": "".join(f"|a{text}" for text in self.call_numbers()[:1]),
            "itemType": fixed.get("61", ""),
            "copyNo": 1,
            "holdCount": 0,
            "fixedFields": self.fixed_fields,
            "varFields": self.var_fields,
        }

    def call_numbers(self) -> list[str]:
        """Every subfield `a` of every call number field, as a shelf reader sees them."""
        return [
            subfield["content"] or ""
            for var_field in self.var_fields
            if var_field["fieldTag"] == "c"
            for subfield in var_field.get("subfields") or ()
            if subfield["tag"] == "a"
        ]

    def _contents(self, tag: str) -> list[str]:
        return [f["content"] for f in self.var_fields if f["fieldTag"] == tag and f.get("content")]


@dataclass(frozen=True, slots=True)
class Change:
    """One item's change. `before` is None for a new one; `stamp` is None where SierraDNA's stamp of it stays."""

    before: Record | None
    after: Record
    stamp: datetime | None


@dataclass(slots=True)
class Records:
    """All item records. `merge_var_fields` says which reading of a PUT's array holds."""

    by_number: dict[str, Record] = field(default_factory=dict)
    merge_var_fields: Merge = quirks.replace_var_fields_by_tag
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    on_change: Callable[[Sequence[Change]], None] | None = None  # all of one call are one transaction

    def add(self, records: Iterable[Record]) -> None:
        """Add a record, in place of one of the same number."""
        self.keep(list(records), quirks.stamp_edits_of_staff_in_whole_seconds(self.now()))

    def keep(self, records: Sequence[Record], stamp: datetime | None) -> None:
        """Keep these records as they are from now on, all or none of them."""
        if self.on_change:
            self.on_change([Change(self.by_number.get(record.number), record, stamp) for record in records])
        self.by_number |= {record.number: record for record in records}

    def get(self, number: str, fields: str | None) -> dict[str, Any]:
        """One record as its GET shows it. Refused: there is none, or a field that no record has."""
        quirks.refuse_unknown_field_names(fields)
        return self._show(self._find(number), fields)

    def get_list(self, query: ListQuery) -> list[dict[str, Any]]:
        """The records that the query leaves, as a list's GET shows them. Refused: none, where Sierra refuses that."""
        quirks.refuse_unknown_field_names(query.fields)
        named = self.by_number if query.numbers is None else self.by_number.keys() & query.numbers
        found = [number for number in named if query.leaves(self.by_number[number].shown())]
        numbers = quirks.list_by_record_number(found)[query.offset :]
        shown = quirks.cut_list_at_limit_silently(numbers, query.limit)
        entries = [self._show(self.by_number[number], query.fields) for number in shown]
        return list(entries if query.may_be_empty else quirks.answer_404_when_none_is_found(entries))

    def put(self, number: str, patch: object) -> Record:
        """The record as patched. Refused: nothing of the patch was done."""
        now = self.now()
        changed = self.patched(number, patch, now)
        self.keep([changed], quirks.stamp_writes_of_rest_in_milliseconds(now))
        return changed

    def patched(self, number: str, patch: object, now: datetime | None = None) -> Record:
        """The record as `put` would make it, refused as there; nothing is done."""
        record = self._find(number)
        quirks.refuse_to_write_what_can_be_read(number, ghost=record.ghost, deleted=record.deleted_at is not None)
        return apply_patch(record, patch, now or self.now(), self.merge_var_fields)

    def edit(self, number: str, changes: dict[str, Any]) -> Record:
        """Edit a record as a librarian does at her desk: the same patch, with her own rights, ghost or not."""
        now = self.now()
        changed = apply_patch(self._find(number), changes, now, self.merge_var_fields)
        self.keep([changed], quirks.stamp_edits_of_staff_in_whole_seconds(now))
        return changed

    def edit_alike(self, numbers: Sequence[str], changes: dict[str, Any]) -> None:
        """Edit many records as a batch job does (global update): one transaction, and one stamp to the millisecond."""
        now = self.now()
        changed = [apply_patch(self._find(number), changes, now, self.merge_var_fields) for number in numbers]
        self.keep(changed, quirks.stamp_writes_of_rest_in_milliseconds(now))

    def link(self, number: str, bib_numbers: Sequence[str]) -> None:
        """Link an item to these bibs and no others: transfer it, add a second, or unlink it. No stamp moves."""
        self.keep([replace(self._find(number), bib_numbers=tuple(bib_numbers))], None)

    def delete(self, number: str, day: date) -> None:
        """Delete an item. A stub with that day stays; no stamp moves."""
        self.keep([replace(self._find(number), deleted_at=day.isoformat())], None)

    def _find(self, number: str) -> Record:
        if number not in self.by_number:
            raise Refused(404, 107, "Record not found")
        return self.by_number[number]

    def _show(self, record: Record, fields: str | None) -> dict[str, Any]:
        shown = record.shown()
        if record.deleted_at:
            return quirks.show_deleted_record_as_stub(shown)
        return quirks.show_fields_asked_for(shown, fields)


def apply_patch(record: Record, patch: object, now: datetime, merge_var_fields: Merge) -> Record:
    """The record with the patch done and its stamps moved. Refused, as a whole, if any part of it is wrong."""
    if not isinstance(patch, dict):
        raise Refused(400, 130, "Invalid JSON types : an object is expected")
    quirks.refuse_read_only_keys(patch)
    new_fixed, new_var = patch.get("fixedFields", {}), patch.get("varFields", [])
    _refuse_wrong_types(new_fixed, new_var, as_read=record.var_fields)
    quirks.refuse_fixed_field_without_label_or_value(new_fixed)
    fixed_fields = quirks.keep_label_of_the_site(record.fixed_fields, new_fixed)
    if "inventoryDate" in patch:
        fixed_fields = quirks.keep_inventory_date_as_fixed_field_69(fixed_fields, patch["inventoryDate"])
    var_fields = merge_var_fields(record.var_fields, new_var) if "varFields" in patch else record.var_fields
    return replace(record, fixed_fields=quirks.stamp_every_put(fixed_fields, now), var_fields=var_fields)


def _refuse_wrong_types(fixed_fields: object, var_fields: object, as_read: Sequence[Any]) -> None:
    if not isinstance(fixed_fields, dict) or not all(isinstance(value, dict) for value in fixed_fields.values()):
        raise Refused(400, 130, "Invalid JSON types : fixedFields is not an object of objects")
    if not isinstance(var_fields, list) or not all(one in as_read or _is_var_field(one) for one in var_fields):
        raise Refused(400, 130, "Invalid JSON types : varFields is not an array of variable-length fields")


def _is_var_field(value: object) -> bool:
    """Return whether it has a tag and a content, or a MARC tag and subfields. A missing part may be absent or null."""
    if not isinstance(value, dict) or not isinstance(value.get("fieldTag"), str):
        return False
    if not value.keys() <= {"fieldTag", "subfields", *_TEXTS_OF_A_VAR_FIELD}:
        return False
    if not all(isinstance(value.get(name), str | None) for name in _TEXTS_OF_A_VAR_FIELD):
        return False
    subfields = value.get("subfields")
    if subfields is None:
        return value.get("content") is not None
    return value.get("marcTag") is not None and isinstance(subfields, list) and all(map(_is_subfield, subfields))


def _is_subfield(value: object) -> bool:
    return (
        isinstance(value, dict) and isinstance(value.get("tag"), str) and isinstance(value.get("content"), str | None)
    )
