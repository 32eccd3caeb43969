"""The patch that undoes a push: it puts back the call number that history has from before. Pure.

Only the call number is put back: IUSE3 and INVDA say that the item was in a person's hands, and it was. It is put back
only where Sierra still has what the push left there. History has one text before and one after, those of the subfield
that was renewed in the item's first call number field; an item with several such fields is left to a person.
"""

from dataclasses import dataclass

from db.reasons import Reason
from notifier.patch import Plan, call_number_of, call_number_texts, with_text
from notifier.sierra.records import Record
from runtime.characters import is_visible

LOST_CHARACTER = "\ufffd"


@dataclass(frozen=True, slots=True)
class Undo:
    """The push that is to be undone, and its call numbers in history; None and None: history has no such push."""

    update_log_id: int
    before: str | None
    after: str | None


def plan_revert(record: Record, undo: Undo) -> Plan:
    """The plan that puts `before` where `after` is; its patch is empty where `before` is there, or it is refused."""
    has = call_number_of(record.var_fields)
    fields = [number for number, var_field in enumerate(record.var_fields) if call_number_texts(var_field)]
    texts = call_number_texts(record.var_fields[fields[0]]) if fields else {}
    # The first of the two, not the first `after`: another line of the label may say the same by chance.
    place = next((place for place, text in texts.items() if text in (undo.before, undo.after)), None)
    refusal = _refusal(record.number, undo, len(fields), has, is_there=place is not None)
    if refusal or place is None or undo.before is None:
        return Plan({}, has, has, refusal=refusal)
    if texts[place] == undo.before:
        return Plan({}, undo.before, undo.before)
    var_fields = list(record.var_fields)
    var_fields[fields[0]] = with_text(var_fields[fields[0]], place, undo.before)
    return Plan({"varFields": var_fields}, undo.after, undo.before)


def _refusal(number: str, undo: Undo, fields: int, has: str | None, is_there: bool) -> Reason | None:
    """The reason why the push can't be undone, for the librarian; None if it can, or is undone already."""
    push = f"push {undo.update_log_id}"
    if undo.after is None:
        said = f"History has no {push} of item {number}: what it was before is not known, and nothing was changed"
        return Reason("not_undoable", said)
    if undo.before is None or not is_visible(undo.before):
        said = (
            f"Item {number} had no call number before {push}, and Sierra's API can't take one away: delete it in Sierra"
        )
        return Reason("not_undoable", said)
    if LOST_CHARACTER in undo.before:
        said = f"History could not store all that item {number} had before {push}: nothing was changed"
        return Reason("not_undoable", said)
    if fields > 1:
        said = f"Item {number} has {fields} call numbers, history knows one: nothing was changed, correct it in Sierra"
        return Reason("not_undoable", said)
    if not is_there:
        now = "no call number" if has is None else repr(has)
        said = f"Item {number} has {now} in Sierra, not {undo.after!r} as {push} left it: nothing was changed"
        return Reason("changed_since", said)
    return None
