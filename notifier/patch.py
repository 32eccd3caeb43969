"""The patch that an update writes to Sierra, from the record just read. Pure: no I/O, no clock.

A patch that carries varFields carries all that were read, changed only where we mean to: Sierra replaces them by
fieldTag, older descriptions say all of them, and such a patch is right under both. A field that is right already is not
written, for every write counts as a revision of the record.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from db.reasons import Reason
from notifier.sierra.records import Field, Record
from runtime.call_number import Renewal, begins_with_digit, has_in_front, make_call_number, renew
from runtime.characters import decode, is_visible

CALL_NUMBER_TAG = "c"
CALL_NUMBER_MARC = "099"
INVDA_FIELD = "69"
IUSE3_FIELD = "74"
IUSE3_LABEL = "IUSE3"


@dataclass(frozen=True, slots=True)
class Rules:
    """The fields that an update sets. `iuse3_field`: the fixed field's number, None to find it by its label.

    `reject_unclear`: reject an item whose call number does not begin with a class number, for a person to correct.
    """

    set_invda: bool = True
    set_iuse3: bool = True
    iuse3_field: int | None = None
    reject_unclear: bool = False


@dataclass(frozen=True, slots=True)
class Wish:
    """The values that one item shall have: its classification, and an inventory date not older than `queued_at`."""

    classification: str | None
    queued_at: datetime
    now: datetime


@dataclass(frozen=True, slots=True)
class Plan:
    """The patch to send; empty where the record is right already. `remarks`: the parts left out or lost, and why.

    `refusal`: the reason why it can't be done, for the librarian; the patch is empty then, too.
    """

    patch: Mapping[str, Any]
    call_number_before: str | None
    call_number_after: str | None
    remarks: tuple[str, ...] = ()
    refusal: Reason | None = None


def plan_update(record: Record, wish: Wish, rules: Rules) -> Plan:
    """The plan that makes `record` as wished. Planned again for its own result, its patch is empty."""
    call_number = _plan_call_number(record, wish.classification, rules)
    if call_number.refusal:
        return call_number
    patch, remarks = dict(call_number.patch), list(call_number.remarks)
    if rules.set_iuse3:
        number = find_iuse3(record.fixed_fields, rules.iuse3_field)
        if number is None:
            remarks.append(f"IUSE3 was left out: {iuse3_problem(record.fixed_fields)}")
        elif (entry := _iuse3_entry(record.fixed_fields.get(number))) is not None:
            patch["fixedFields"] = {number: entry}
    if rules.set_invda and not _is_recent(record.fixed_fields.get(INVDA_FIELD), wish.queued_at):
        patch["inventoryDate"] = wish.now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return replace(call_number, patch=patch, remarks=tuple(remarks))


def describe(plan: Plan) -> str:
    """The patch in words, for the log: fields and call numbers, nothing else that the record holds."""
    parts = [f"fixed field {name} = {entry['value']}" for name, entry in plan.patch.get("fixedFields", {}).items()]
    if "varFields" in plan.patch:
        parts.insert(0, f"call number {plan.call_number_after!r} for {plan.call_number_before!r}")
    if "inventoryDate" in plan.patch:
        parts.append(f"inventoryDate {plan.patch['inventoryDate']}")
    return ", ".join(parts)


def call_number_of(var_fields: Sequence[Field]) -> str | None:
    """The item's call number for people: of several fields the first one's; None where there is none."""
    fields = [texts for var_field in var_fields if (texts := call_number_texts(var_field))]
    return fields[0][_renewed_place(fields[0])] if fields else None


def call_number_texts(var_field: Field) -> dict[int, str]:
    """The texts of a call number field's subfields `a`, by place. Empty for any other field."""
    if not is_call_number(var_field):
        return {}
    subfields = enumerate(var_field.get("subfields") or ())
    return {place: str(part.get("content") or "") for place, part in subfields if part.get("tag") == "a"}


def is_call_number(var_field: Field) -> bool:
    """Return whether it is a field that an update renews: tag c, MARC 099."""
    return var_field.get("fieldTag") == CALL_NUMBER_TAG and var_field.get("marcTag") == CALL_NUMBER_MARC


def with_text(var_field: Field, place: int, text: str) -> Field:
    """The field with this text in the subfield at `place`; a new object, the old one untouched."""
    subfields = list(var_field["subfields"])
    subfields[place] = {**subfields[place], "content": text}
    return {**var_field, "subfields": subfields}


def find_iuse3(fixed_fields: Mapping[str, Field], configured: int | None) -> str | None:
    """The number of the fixed field IUSE3; None where no label is IUSE3 and 74 is something else at this site."""
    if configured is not None:
        return str(configured)
    for number, fixed_field in fixed_fields.items():
        if _label(fixed_field).upper() == IUSE3_LABEL:
            return number
    return IUSE3_FIELD if not _label(fixed_fields.get(IUSE3_FIELD)) else None


def iuse3_problem(fixed_fields: Mapping[str, Field]) -> str:
    """The reason why IUSE3 can't be found, for the librarian."""
    label = _label(fixed_fields.get(IUSE3_FIELD))
    return f"no fixed field is called IUSE3, and 74 is {label!r}. SIERRA_UPDATE_IUSE3_FIELD decides which it is"


def _plan_call_number(record: Record, classification: str | None, rules: Rules) -> Plan:
    """The plan for the call number alone: renewed in each field that is one, or added where there is none."""
    before = call_number_of(record.var_fields)
    if classification is None or not is_visible(classification):
        return Plan({}, before, before, ("no classification: the call number was left as it is",))
    if bare := next((text for var_field in record.var_fields if is_visible(text := _bare_text(var_field))), None):
        return Plan({}, bare, bare, refusal=Reason("no_subfield", _no_subfields(record.number, bare)))
    var_fields, renewals = _renew(record.var_fields, classification)
    if rules.reject_unclear and (unclear := next((one for one in renewals if one.is_unclear), None)):
        return Plan(
            {}, unclear.before, unclear.before, refusal=Reason("unclear_call_number", _unclear(record.number, unclear))
        )
    if not renewals:
        content = make_call_number("", classification)
        added = {"fieldTag": CALL_NUMBER_TAG, "marcTag": CALL_NUMBER_MARC, "ind1": " ", "ind2": " "}
        var_fields.append({**added, "subfields": [{"tag": "a", "content": content}]})
        return Plan({"varFields": var_fields}, None, content)
    remarks = tuple(renewal.remark for renewal in renewals if renewal.remark)
    patch = {} if var_fields == list(record.var_fields) else {"varFields": var_fields}
    return Plan(patch, renewals[0].before, renewals[0].after, remarks)


def _renew(var_fields: Sequence[Field], classification: str) -> tuple[list[Field], list[Renewal]]:
    """The fields with one subfield `a` renewed in each that is a call number, and those renewals."""
    fields, renewals = list(var_fields), []
    for number, var_field in enumerate(var_fields):
        if texts := call_number_texts(var_field):
            place = _renewed_place(texts, classification)
            renewals.append(renew(texts[place], classification))
            fields[number] = with_text(var_field, place, renewals[-1].after)
    return fields, renewals


def _renewed_place(texts: Mapping[int, str], classification: str | None = None) -> int:
    """The place of the text that has the class number, or will: of a label's several lines the others stay.

    The first that begins with a digit, or else the first. One that has the classification in front has been renewed
    before, though that may begin with a letter.
    """
    for place, text in texts.items():
        if begins_with_digit(text) or (classification is not None and has_in_front(text, classification)):
            return place
    return min(texts)


def _bare_text(var_field: Field) -> str | None:
    """The text of a call number field that has it in no subfield; None for any other field."""
    is_bare = is_call_number(var_field) and not var_field.get("subfields")
    return str(var_field.get("content") or "") if is_bare else None


def _no_subfields(number: str, text: str) -> str:
    return f"Item {number} has the call number {decode(text)!r} in no subfield: put it into a subfield a in Sierra"


def _unclear(number: str, renewal: Renewal) -> str:
    return (
        f"Item {number} has the call number {decode(renewal.before)!r}, which does not begin with a class number, and "
        f"should get {renewal.after!r}: correct it in Sierra (SIERRA_UPDATE_UNCLEAR_CALL_NUMBER is reject)"
    )


def _iuse3_entry(fixed_field: Field | None) -> Field | None:
    """The entry to send for IUSE3, None where it is 1 already. With a label: Sierra refuses an entry without one."""
    if fixed_field is not None and str(fixed_field.get("value")) == "1":
        return None
    label = fixed_field.get("label") if fixed_field else None
    return {"label": label if _label(fixed_field) else IUSE3_LABEL, "value": "1"}


def _label(fixed_field: Field | None) -> str:
    return str((fixed_field or {}).get("label") or "").strip()


def _is_recent(fixed_field: Field | None, queued_at: datetime) -> bool:
    """Return whether the inventory date was set since the item was queued: by an earlier push, or by staff."""
    try:
        set_at = datetime.fromisoformat(str((fixed_field or {}).get("value")))
    except ValueError:
        return False
    if set_at.tzinfo is None:
        set_at = set_at.replace(tzinfo=UTC)
    return set_at >= queued_at.replace(microsecond=0)
