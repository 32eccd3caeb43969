"""Filters in an address: the fields of a page's form as values for the database, and as the next page's address."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import HTTPException

from console.fields import Fields

LARGEST = 2**63 - 1
LONGEST_REASON = 200


def read_choice(fields: Fields, name: str, choices: Iterable[str]) -> str | None:
    """One of the choices, None where it is empty. 400 for any other word."""
    text = fields.text(name)
    if text and text not in choices:
        raise HTTPException(400, f"{name} is none of: {', '.join(choices)}")
    return text or None


def read_days(fields: Fields, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    """The begin of the day `from`, and the end of the day `until`, in the library's zone. None where it is empty."""
    begin, end = (_read_day(fields, name) for name in ("from", "until"))
    return (
        datetime.combine(begin, time(), zone) if begin else None,
        datetime.combine(end + timedelta(days=1), time(), zone) if end else None,
    )


def read_ids(fields: Fields, name: str) -> list[int]:
    """The ids of that name, of what is ticked. 400 where one is none."""
    return [_read_id(text, name) for text in fields.all(name) if text.strip()]


def read_id(fields: Fields, name: str) -> int | None:
    """The id of that name; None where it is empty."""
    text = fields.text(name)
    return _read_id(text, name) if text else None


def read_why(fields: Fields) -> str | None:
    """The reason that the person gives for an act, cut to LONGEST_REASON; None where it is empty."""
    return fields.text("why")[:LONGEST_REASON] or None


def read_time(fields: Fields, name: str) -> datetime:
    """The time at which a question was asked, as its form has it. 400 where it is none."""
    try:
        found = datetime.fromisoformat(fields.text(name))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None or not 1970 < found.year < 9999:
        raise HTTPException(400, f"The form's field {name} is no time: open the page anew, and send it again")
    return found


def encode_filter(fields: Fields, names: Iterable[str], **more: object) -> str:
    """The filter as an address has it behind its `?`, without what is empty."""
    told = {name: fields.text(name) for name in names}
    return urlencode({name: value for name, value in {**told, **more}.items() if value not in ("", None)})


def tell_filter(fields: Fields, names: Iterable[str]) -> Mapping[str, str]:
    """The filter as the form shows it."""
    return {name: fields.text(name) for name in names}


def _read_day(fields: Fields, name: str) -> date | None:
    text = fields.text(name)
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise HTTPException(400, f"{name} is no day like 2026-11-26") from None
    if not 1970 < day.year < 9000:
        raise HTTPException(400, f"{name} is no day of our time")
    return day


def _read_id(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= LARGEST):
        raise HTTPException(400, f"{name} is no id")
    return int(text)
