"""How is a push undone? Pure: from the record just read to the patch that puts back what history has of the push.

Only the call number is put back: IUSE3 and INVDA say that the item was in somebody's hands, and it was. It is put back
only where Sierra still has what the push left there. History has one text before and one after, those of the item's
first call number. So an item with several is left to a person: nobody knows what the others were.
"""

from dataclasses import dataclass

from notifier.patch import Field, Plan, Record, call_number_of, call_numbers_of, is_call_number, is_visible

LOST_CHARACTER = "\ufffd"


@dataclass(frozen=True, slots=True)
class Undo:
    """The push that is to be undone, and its call numbers in history; None and None: history has no such push."""

    update_log_id: int
    before: str | None
    after: str | None


def plan_revert(record: Record, undo: Undo) -> Plan:
    """The patch that puts `before` where `after` is; empty where `before` is there already, or where it is refused."""
    texts = call_numbers_of(record.var_fields)
    has = call_number_of(record.var_fields)
    before = undo.before
    refusal = _why_not(record.number, texts, undo)
    if refusal or before is None or texts == [before]:
        return Plan({}, has, has, refusal=refusal)
    var_fields = [_with_text(var_field, before) for var_field in record.var_fields]
    return Plan({"varFields": var_fields}, has, before)


def _why_not(number: str, texts: list[str], undo: Undo) -> str | None:
    """Why it can't be undone, for the librarian; None if it can, or is so already."""
    push = f"push {undo.update_log_id}"
    if undo.after is None:
        return f"History has no {push} of item {number}: what it was before is not known, and nothing was changed"
    if undo.before is None or not is_visible(undo.before):
        return (
            f"Item {number} had no call number before {push}, and Sierra's API can't take one away: delete it in Sierra"
        )
    if LOST_CHARACTER in undo.before:
        return f"History could not store all that item {number} had before {push}: nothing was changed"
    if len(texts) > 1:
        return (
            f"Item {number} has {len(texts)} call numbers, history knows one: nothing was changed, correct it in Sierra"
        )
    if texts not in ([undo.before], [undo.after]):
        now = repr(texts[0]) if texts else "no call number"
        return f"Item {number} has {now} in Sierra, not {undo.after!r} as {push} left it: nothing was changed"
    return None


def _with_text(var_field: Field, text: str) -> Field:
    if not is_call_number(var_field):
        return var_field
    subfields = [
        {**subfield, "content": text} if subfield.get("tag") == "a" else subfield
        for subfield in var_field.get("subfields") or ()
    ]
    return {**var_field, "subfields": subfields} if subfields else var_field
