"""What is to be written to Sierra for a printed item? Pure: from the record just read to the patch, no I/O, no clock.

A patch that carries varFields carries all that were read, changed only where we mean to: Sierra replaces them by
fieldTag, older descriptions say all of them, and such a patch is right under both. What is so already is not written,
for every write counts as a revision of the record.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Field = Mapping[str, Any]

CALL_NUMBER_TAG = "c"
CALL_NUMBER_MARC = "099"
INVDA_FIELD = "69"
IUSE3_FIELD = "74"
IUSE3_LABEL = "IUSE3"
OPENING = "([{-–"


@dataclass(frozen=True, slots=True)
class Record:
    """An item as Sierra answered it: fixed fields by number, variable fields in their order."""

    number: str
    fixed_fields: Mapping[str, Field]
    var_fields: Sequence[Field]


@dataclass(frozen=True, slots=True)
class Rules:
    """What an update sets, from the settings. `iuse3_field`: the fixed field's number, None to find it by its label."""

    set_invda: bool = True
    set_iuse3: bool = True
    iuse3_field: int | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What one item shall have: its classification, and an inventory date not older than `queued_at`."""

    classification: str | None
    queued_at: datetime
    now: datetime


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send: `patch` is empty where all is so already. `remarks` say what was left out of the update and why.

    `refusal`: why it can't be done, for the librarian; the patch is empty then, too.
    """

    patch: Mapping[str, Any]
    call_number_before: str | None
    call_number_after: str | None
    remarks: tuple[str, ...] = ()
    refusal: str | None = None


def plan_update(record: Record, wish: Wish, rules: Rules) -> Plan:
    """The patch that makes `record` as wished. Applied to its own result, it is empty."""
    patch: dict[str, Any] = {}
    remarks: list[str] = []
    before = call_number_of(record.var_fields)
    var_fields = _with_call_number(record.var_fields, wish.classification)
    if not is_visible(wish.classification):
        remarks.append("no classification: the call number was left as it is")
    if var_fields != list(record.var_fields):
        patch["varFields"] = var_fields
    if rules.set_iuse3:
        number = find_iuse3(record.fixed_fields, rules.iuse3_field)
        if number is None:
            remarks.append(f"IUSE3 was left out: {iuse3_problem(record.fixed_fields)}")
        elif (entry := _iuse3_entry(record.fixed_fields.get(number))) is not None:
            patch["fixedFields"] = {number: entry}
    if rules.set_invda and not _is_recent(record.fixed_fields.get(INVDA_FIELD), wish.queued_at):
        patch["inventoryDate"] = wish.now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Plan(patch, before, call_number_of(var_fields), tuple(remarks))


def describe(plan: Plan) -> str:
    """What the patch changes, for the log: fields and call numbers, never what else the record holds."""
    parts = [f"fixed field {name} = {entry['value']}" for name, entry in plan.patch.get("fixedFields", {}).items()]
    if "varFields" in plan.patch:
        parts.insert(0, f"call number {plan.call_number_after!r} for {plan.call_number_before!r}")
    if "inventoryDate" in plan.patch:
        parts.append(f"inventoryDate {plan.patch['inventoryDate']}")
    return ", ".join(parts)


def make_call_number(old: str, classification: str) -> str:
    """The call number with the classification in front and the genre words of the old one behind it.

    "84.2 Jännitys" with 84.31 gives "84.31 Jännitys". A text that has the classification in front already stays.
    """
    old = old.strip()
    new = " ".join(classification.split())
    if f"{' '.join(old.split())} ".startswith(f"{new} "):
        return old
    return f"{new} {genre_of(old)}".rstrip()


def is_visible(text: str | None) -> bool:
    """Whether a person would see anything of it: not of blanks, nor of U+200B and other format characters alone."""
    return any(character.isprintable() and not character.isspace() for character in text or "")


def genre_of(call_number: str) -> str:
    """What stands behind the class number: "(englanti)" of "84.2 (englanti)"; "" where there is no number or word."""
    if not call_number[:1].isdecimal():
        return ""
    for position, character in enumerate(call_number):
        if character.isalpha():
            opened = position - 1 if call_number[position - 1] in OPENING else position
            return call_number[opened:]
    return ""


def call_number_of(var_fields: Sequence[Field]) -> str | None:
    """The item's call number for people: of several the first; None where there is none."""
    return next(iter(call_numbers_of(var_fields)), None)


def call_numbers_of(var_fields: Sequence[Field]) -> list[str]:
    """Each subfield `a` of each call number field."""
    return [
        str(subfield.get("content") or "")
        for var_field in var_fields
        if is_call_number(var_field)
        for subfield in var_field.get("subfields") or ()
        if subfield.get("tag") == "a"
    ]


def is_call_number(var_field: Field) -> bool:
    """Whether it is the field that an update renews: tag c, MARC 099."""
    return var_field.get("fieldTag") == CALL_NUMBER_TAG and var_field.get("marcTag") == CALL_NUMBER_MARC


def find_iuse3(fixed_fields: Mapping[str, Field], configured: int | None) -> str | None:
    """Number of the fixed field IUSE3; None where 74 is something else at this site and no label says which it is."""
    if configured is not None:
        return str(configured)
    for number, fixed_field in fixed_fields.items():
        if _label(fixed_field).upper() == IUSE3_LABEL:
            return number
    return IUSE3_FIELD if not _label(fixed_fields.get(IUSE3_FIELD)) else None


def iuse3_problem(fixed_fields: Mapping[str, Field]) -> str:
    """Why IUSE3 can't be found, for the librarian."""
    label = _label(fixed_fields.get(IUSE3_FIELD))
    return f"no fixed field is called IUSE3, and 74 is {label!r}. SIERRA_UPDATE_IUSE3_FIELD decides which it is"


def _with_call_number(var_fields: Sequence[Field], classification: str | None) -> list[Field]:
    """The fields with the call number renewed, or added where there is none; new objects, the old ones untouched."""
    if classification is None or not is_visible(classification):
        return list(var_fields)
    renewed = [_renewed(var_field, classification) for var_field in var_fields]
    if call_number_of(var_fields) is not None:
        return renewed
    content = make_call_number("", classification)
    added = {"fieldTag": CALL_NUMBER_TAG, "marcTag": CALL_NUMBER_MARC, "ind1": " ", "ind2": " "}
    return [*renewed, {**added, "subfields": [{"tag": "a", "content": content}]}]


def _renewed(var_field: Field, classification: str) -> Field:
    if not is_call_number(var_field):
        return var_field
    subfields = [
        {**subfield, "content": make_call_number(str(subfield.get("content") or ""), classification)}
        if subfield.get("tag") == "a"
        else subfield
        for subfield in var_field.get("subfields") or ()
    ]
    return {**var_field, "subfields": subfields} if subfields else var_field


def _iuse3_entry(fixed_field: Field | None) -> Field | None:
    """What to send for IUSE3, None where it is 1 already. With the label: Sierra refuses an entry without one."""
    if fixed_field is not None and str(fixed_field.get("value")) == "1":
        return None
    label = fixed_field.get("label") if fixed_field else None
    return {"label": label if _label(fixed_field) else IUSE3_LABEL, "value": "1"}


def _label(fixed_field: Field | None) -> str:
    return str((fixed_field or {}).get("label") or "").strip()


def _is_recent(fixed_field: Field | None, queued_at: datetime) -> bool:
    """Whether the inventory date was set since the item was queued: by us, or by somebody who held it in hand."""
    try:
        set_at = datetime.fromisoformat(str((fixed_field or {}).get("value")))
    except ValueError:
        return False
    if set_at.tzinfo is None:
        set_at = set_at.replace(tzinfo=UTC)
    return set_at >= queued_at.replace(microsecond=0)
