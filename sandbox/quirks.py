"""Sierra's unexpected habits, each as one function from plain data to plain data.

tests/sandbox/test_quirks.py has a test of the same name for each. Where the vendor's documentation and what libraries
measured differ, the measured behaviour is here.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

RecordJson = dict[str, Any]

DEFAULT_LIMIT = 50
DEFAULT_FIELDS = (
    *("id", "updatedDate", "createdDate", "deleted", "bibIds"),
    *("location", "status", "volumes", "barcode", "callNumber"),
)
ALL_FIELDS = (
    *DEFAULT_FIELDS,
    "deletedDate",
    "suppressed",
    "itemType",
    "copyNo",
    "holdCount",
    "fixedFields",
    "varFields",
)
WRITABLE = ("fixedFields", "varFields", "inventoryDate")
INVENTORY_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


class Refused(Exception):
    """Sierra's error answer. `code` is Sierra's own number; the HTTP status alone says too little."""

    def __init__(self, status: int, code: int, description: str, specific_code: int = 0) -> None:
        super().__init__(description)
        self.status, self.code, self.description, self.specific_code = status, code, description, specific_code


def cut_list_at_limit_silently(numbers: Sequence[str], limit: int | None) -> Sequence[str]:
    """A list without a limit ends after the first 50, without a hint at more."""
    return numbers[: DEFAULT_LIMIT if limit is None else limit]


def list_by_record_number(numbers: Iterable[str]) -> list[str]:
    """A list comes in the order of record numbers, not the request's, and each record once."""
    return sorted(set(numbers), key=int)


def answer_404_when_none_is_found(entries: Sequence[RecordJson]) -> Sequence[RecordJson]:
    """Absent records of a list are left out silently. If all are absent it is an error, as for a single record.

    Not so where a range of numbers or the deleted are asked for: these are answered with an empty list.
    """
    if not entries:
        raise Refused(404, 107, "Record not found")
    return entries


def show_deleted_record_as_stub(record: RecordJson) -> RecordJson:
    """Of a deleted record only the number and the day are left, whichever fields were asked for."""
    return {"id": record["id"], "deletedDate": record["deletedDate"], "deleted": True}


def show_fields_asked_for(record: RecordJson, fields: str | None) -> RecordJson:
    """By default neither fixedFields nor varFields come; `,` means all, `default` those unasked; `id` comes always."""
    asked = ["default"] if fields is None else [name for name in fields.split(",") if name] or ALL_FIELDS
    names = [*asked, *(DEFAULT_FIELDS if "default" in asked else ())]
    return {name: record[name] for name in ("id", *names) if name in record}


def refuse_unknown_field_names(fields: str | None) -> None:
    """A name that Sierra has no field of is not ignored, as is usual, but an error."""
    for name in (fields or "").split(","):
        if name and name != "default" and name not in ALL_FIELDS:
            raise Refused(400, 108, f"Invalid parameter : {name} is not a valid field")


def refuse_read_only_keys(patch: Mapping[str, Any]) -> None:
    """A record sent back as a GET gave it is refused: most of its keys can't be written."""
    unknown = [key for key in patch if key not in WRITABLE]
    if unknown:
        raise Refused(400, 115, f"Invalid JSON : field(s) unknown : {', '.join(unknown)}")


def refuse_fixed_field_without_label_or_value(fixed_fields: Mapping[str, Any]) -> None:
    """The number says which field it is; Sierra wants the label all the same, and fails the whole patch without."""
    for number, fixed_field in fixed_fields.items():
        for key in ("label", "value"):
            if not isinstance(fixed_field.get(key), str):
                raise Refused(400, 126, f"Invalid fixed field {number} : {key} is missing or is no text")


def replace_var_fields_by_tag(old: Sequence[RecordJson], new: Sequence[RecordJson]) -> list[RecordJson]:
    """Of each tag that is sent, the record has exactly what was sent; tags that are not sent stay.

    So a patch with one of two call numbers deletes the other one.
    """
    sent = {var_field["fieldTag"] for var_field in new}
    return [var_field for var_field in old if var_field["fieldTag"] not in sent] + list(new)


def replace_all_var_fields(old: Sequence[RecordJson], new: Sequence[RecordJson]) -> list[RecordJson]:
    """Older descriptions say this of the same array. A careful patch gives the same result under both readings."""
    return list(new)


def keep_label_of_the_site(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Fixed fields are merged by number. A label that the record has stays, whatever the patch calls the field."""
    return {**old, **{number: {**field, **_label(old.get(number))} for number, field in new.items()}}


def _label(fixed_field: Mapping[str, Any] | None) -> dict[str, Any]:
    return {"label": fixed_field["label"]} if fixed_field and fixed_field.get("label") else {}


def keep_inventory_date_as_fixed_field_69(fixed_fields: Mapping[str, Any], inventory_date: object) -> dict[str, Any]:
    """Written under a name, at the top; read under a number, among the fixed fields."""
    if not isinstance(inventory_date, str) or not INVENTORY_DATE.fullmatch(inventory_date):
        raise Refused(400, 108, f"Invalid parameter : inventoryDate {inventory_date!r} is not YYYY-MM-DDThh:mm:ssZ")
    return {**fixed_fields, "69": {"label": "INVDA", "value": inventory_date}}


def stamp_every_put(fixed_fields: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Even an identical PUT moves UPDATED and PDATE, and counts as two revisions."""
    at = iso(now)
    revisions = int(fixed_fields.get("85", {}).get("value") or 0) + 2
    return {
        **fixed_fields,
        "84": {"label": "UPDATED", "value": at},
        "85": {"label": "REVISIONS", "value": str(revisions)},
        "98": {"label": "PDATE", "value": at},
    }


def stamp_writes_of_rest_in_milliseconds(now: datetime) -> datetime:
    """SierraDNA's stamp of what REST and batch jobs wrote, cut and not rounded: it may precede the change."""
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def stamp_edits_of_staff_in_whole_seconds(now: datetime) -> datetime:
    """SierraDNA's stamp of what staff edited, cut too: up to a second before the change."""
    return now.replace(microsecond=0)


def refuse_to_write_what_can_be_read(number: str, *, ghost: bool, deleted: bool) -> None:
    """A ghost answers 200 to GET and 404 to PUT; so does a deleted record."""
    if ghost or deleted:
        raise Refused(404, 107, f"Record not found : {number}")


def show_as_suppressed_what_icode2_hides(fixed_fields: Mapping[str, Any]) -> bool:
    """Every code in ICODE2 but `-` hides an item from the public; to Sierra's API it is as visible as others."""
    return (fixed_fields.get("60", {}).get("value") or "-") != "-"


def iso(at: datetime) -> str:
    """Sierra's way to write a time: UTC, whole seconds, `Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
