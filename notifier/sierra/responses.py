"""Sierra's responses: from a status and a body to a record, or to the error that says what to do next. Pure."""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from notifier.sierra.errors import (
    ItemError,
    ItemRejected,
    ItemTroubled,
    ListFailed,
    NeedsPerson,
    SierraError,
    SierraRefused,
    SierraUnavailable,
)
from notifier.sierra.records import Record
from runtime.characters import decode

LONGEST_WAIT_SECONDS = 3600.0
LONGEST_DESCRIPTION = 200
LONGEST_NUMBER = 30
LONGEST_DATE = 30
RECORD_NUMBER = re.compile(r"\d{5,}")
RECORD_NOT_FOUND = 107
RECORD_IN_USE = 132


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_page(self) -> bool:
        """Tell whether it is a proxy's web page in place of Sierra's response. A 204 has no body, whatever its type."""
        return self.status != 204 and self._looks_like_a_page

    @property
    def _looks_like_a_page(self) -> bool:
        return "html" in self.headers.get("content-type", "").lower() or self.body.lstrip()[:1] == b"<"

    def json(self) -> Any:
        """The body's data. Raise ValueError where it is no JSON, or nested too deeply."""
        try:
            return json.loads(self.body)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error


@dataclass(frozen=True, slots=True)
class Deleted:
    """An item that was deleted in Sierra."""

    number: str
    on: str


class NotARecord(ValueError):
    """A response that has not the shape of an item record."""


def read_record(entry: Any) -> Record | Deleted:
    """An item record from a response's data. Raise NotARecord where the shape is another: no part can be trusted."""
    identity = entry.get("id") if isinstance(entry, dict) else None
    if not isinstance(identity, int | str) or not (number := str(identity)[:LONGEST_NUMBER]):
        raise NotARecord("an entry has no id")
    if entry.get("deleted") is True:
        on = entry.get("deletedDate")
        return Deleted(number, on[:LONGEST_DATE] if isinstance(on, str) and on else "an unknown date")
    fixed_fields, var_fields = entry.get("fixedFields"), entry.get("varFields")  # a missing list is not an empty one
    if not isinstance(fixed_fields, dict) or not all(isinstance(field, dict) for field in fixed_fields.values()):
        raise NotARecord("fixedFields is not an object of objects")
    if not isinstance(var_fields, list) or not all(_is_var_field(field) for field in var_fields):
        raise NotARecord("varFields is not a list of fields")
    return Record(number, fixed_fields, var_fields)


def read_records(data: Any, numbers: Collection[str]) -> dict[str, Record | Deleted]:
    """The records in a list, by number. Raise NotARecord where it can't be the whole answer to our question.

    An item that a list lacks may be gone from Sierra: so an entry too many, twice, or cut off spoils the whole list.
    """
    if not isinstance(data, dict) or not isinstance(entries := data.get("entries"), list):
        raise NotARecord("it has no entries")
    records = [read_record(entry) for entry in entries]
    found = {record.number: record for record in records}
    if len(found) < len(records):
        raise NotARecord("an item is in it twice")
    if strangers := found.keys() - set(numbers):
        raise NotARecord(f"nobody asked for item {min(strangers)}")
    if isinstance(total := data.get("total"), int) and total > len(records):
        raise NotARecord(f"it has {len(records)} of {total} entries")
    return found


def _is_var_field(field: Any) -> bool:
    if not isinstance(field, dict):
        return False
    subfields = field.get("subfields")
    return subfields is None or (isinstance(subfields, list) and all(isinstance(part, dict) for part in subfields))


def error_of(response: Response, what: str) -> SierraError:
    """The error that a refusal of `what` ("item 1001234") means."""
    said = describe(response)
    alike = RECORD_NUMBER.sub("…", said)  # Sierra's words may name the item
    if 300 <= response.status < 400:
        return NeedsPerson(f"Sierra sent us elsewhere, for {what}: {said}. Check SIERRA_API_ENDPOINT")
    if response.is_page or response.status in (502, 504):
        return SierraUnavailable(f"Sierra answered with a web page to {what}: {said}", retry_after(response))
    match response.status:
        case 400:
            return ItemRejected("refused", f"Sierra refused {what}: {said}", ambiguous=alike)
        case 401 | 403:
            return SierraRefused(f"Sierra refuses our key or its role, at {what}: {said}")
        case 404 if error_code(response) is not None:
            return ItemRejected("absent", f"Sierra has no {what}")
        case 404:
            return NeedsPerson(f"not Sierra answered {what}: {said}. Check SIERRA_API_ENDPOINT")
        case 409:
            return ItemRejected("refused", f"Sierra refused {what}: {said}")
        case 405 | 406 | 408 | 410 | 411 | 412 | 413 | 414 | 415 | 422 | 431:
            return ItemRejected("refused", f"Sierra refused {what}: {said}", ambiguous=alike)
        case 429:
            return SierraUnavailable(f"Sierra is busy: {said}", retry_after(response))
        case 500:
            later = retry_after(response)
            if error_code(response) == RECORD_IN_USE:
                return ItemTroubled(
                    "in_use", f"Somebody is using {what} in Sierra", shows_sierra_well=False, retry_after=later
                )
            return ItemTroubled("failed", f"Sierra failed at {what}: {said}", ambiguous="500", retry_after=later)
    return SierraUnavailable(f"Sierra is not available: {said}", retry_after(response))


def of_a_list(error: SierraError) -> SierraError:
    """The error of a list: an item's error there says nothing about any one item."""
    return ListFailed(str(error)) if isinstance(error, ItemError) else error


def unreadable(said: str) -> ItemTroubled:
    """The error of an answer that is no record, or another's."""
    return ItemTroubled("unreadable", said, ambiguous="unreadable")


def unwrap(response: Response) -> Response:
    """The response to a write; a refusal that comes with the status of a success gets the status in its body."""
    if not 200 <= response.status < 300 or error_code(response) is None:
        return response
    status = response.json().get("httpStatus")
    return replace(response, status=status if isinstance(status, int) and 400 <= status < 600 else 500)


def error_code(response: Response) -> int | None:
    """Sierra's own code in an error body, None where there is none."""
    try:
        data = response.json()
    except ValueError:
        return None
    code = str(data.get("code"))[:9] if isinstance(data, dict) else ""
    return int(code) if code.isascii() and code.isdigit() else None


def describe(response: Response) -> str:
    """The response in words for a person: the status, and Sierra's own words, decoded. Never a record."""
    try:
        data = response.json()
    except ValueError:
        data = None
    words = []
    if isinstance(data, dict) and (code := error_code(response)) is not None:
        words = [decode(data[key]) for key in ("name", "description") if isinstance(data.get(key), str)]
        words.append(f"(code {code})")
    return f"{response.status} {' '.join(words)}".strip()[:LONGEST_DESCRIPTION]


def retry_after(response: Response) -> float | None:
    """The seconds that a Retry-After header asks for, by a number or a date; an hour at the most. None without one.

    A date is compared with the response's own, for Sierra's clock may differ from ours.
    """
    value = response.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:9]), LONGEST_WAIT_SECONDS)
    moment = _moment(value)
    if moment is None:
        return None
    answered_at = _moment(response.headers.get("date", "")) or datetime.now(UTC)
    return min(max((moment - answered_at).total_seconds(), 0.0), LONGEST_WAIT_SECONDS)


def _moment(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
