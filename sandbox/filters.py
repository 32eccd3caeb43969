"""Reads the query parameters of a list of items, and selects the records that they leave.

A parameter or a form of value that it does not know is refused: ignored, it would be answered with every record.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar

from sandbox.quirks import Refused

Value = TypeVar("Value", int, date, datetime)

_MOST_PER_LIST = 2000
_KNOWN = ("id", "fields", "limit", "offset", "deleted", "suppressed", "createdDate", "updatedDate", "deletedDate")
_RANGE = re.compile(r"\[([^,\[\]]*),([^,\[\]]*)\]")
_NUMBER = re.compile(r"[0-9]{1,18}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:?\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Range(Generic[Value]):
    """From `first` to `last`, both included; None: no bound at that end."""

    first: Value | None
    last: Value | None

    def has(self, value: Value | None) -> bool:
        """Return whether a value lies within the range; None never does."""
        return (
            value is not None
            and (self.first is None or self.first <= value)
            and (self.last is None or value <= self.last)
        )


@dataclass(frozen=True, slots=True)
class ListQuery:
    """The query of a list. A field that is None was not asked for, and leaves every record."""

    numbers: frozenset[str] | None
    number_range: Range[int] | None
    created: Range[datetime] | None
    updated: Range[datetime] | None
    deleted_on: Range[date] | None
    deleted: bool | None
    suppressed: bool | None
    limit: int | None
    offset: int
    fields: str | None

    def leaves(self, record: Mapping[str, Any]) -> bool:
        """Return whether the list has a record, as a GET of all fields shows it. A deleted one has only its day."""
        gone = record["deleted"]
        return (
            (self.numbers is None or record["id"] in self.numbers)
            and (self.number_range is None or self.number_range.has(int(record["id"])))
            and (self.created is None or (not gone and self.created.has(_as_moment(record["createdDate"]))))
            and (self.updated is None or (not gone and self.updated.has(_as_moment(record["updatedDate"]))))
            and (self.deleted_on is None or (gone and self.deleted_on.has(date.fromisoformat(record["deletedDate"]))))
            and self.deleted in (None, gone)
            and self.suppressed in (None, record["suppressed"])
        )

    @property
    def may_be_empty(self) -> bool:
        """Return whether this kind of list is answered when it is empty, and not refused."""
        if self.deleted or self.deleted_on:
            return True
        return self.number_range is not None and self.created is None and self.updated is None


def read_list_query(query: Mapping[str, str]) -> ListQuery:
    """Parse the parameters. Raise Refused for one that is unknown, or not in a known form."""
    refuse_unknown_parameters(query, _KNOWN)
    text = query.get("id")
    is_range = text is not None and text.startswith("[")
    return ListQuery(
        numbers=None if text is None or is_range else _numbers(text),
        number_range=_range(query, "id", _number) if is_range else None,
        created=_range(query, "createdDate", _moment),
        updated=_range(query, "updatedDate", _moment),
        deleted_on=_range(query, "deletedDate", _day),
        deleted=_truth(query, "deleted"),
        suppressed=_truth(query, "suppressed"),
        limit=_limit(query),
        offset=_number("offset", query.get("offset", "0")),
        fields=query.get("fields"),
    )


def refuse_unknown_parameters(query: Mapping[str, str], known: tuple[str, ...]) -> None:
    """Refuse a request with a parameter that the simulator does not know."""
    for name in query:
        if name not in known:
            raise Refused(400, 108, f"Invalid parameter : {name} is not a valid parameter")


def _numbers(text: str) -> frozenset[str]:
    """The record numbers of `id=2043111,2043112`, as Sierra writes them."""
    return frozenset(str(_number("id", number)) for number in text.split(","))


def _range(query: Mapping[str, str], name: str, read: Callable[[str, str], Value]) -> Range[Value] | None:
    """The range of `[first,last]`, `[first,]` or `[,last]`; a single value is the range from it to itself."""
    if name not in query:
        return None
    text = query[name]
    bounds = _RANGE.fullmatch(text)
    if bounds is None:
        return Range(read(name, text), read(name, text))
    if not any(bounds.groups()):
        raise _invalid(name, text, "a range with a bound")
    first, last = (read(name, bound) if bound else None for bound in bounds.groups())
    return Range(first, last)


def _number(name: str, text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise _invalid(name, text, "a number")
    return int(text)


def _limit(query: Mapping[str, str]) -> int | None:
    if "limit" not in query:
        return None
    limit = _number("limit", query["limit"])
    if not 1 <= limit <= _MOST_PER_LIST:
        raise _invalid("limit", query["limit"], f"between 1 and {_MOST_PER_LIST}")
    return limit


def _moment(name: str, text: str) -> datetime:
    moment = _as_moment(text)
    if moment is None:
        raise _invalid(name, text, "a time such as 2026-11-20T10:00:00Z")
    return moment


def _day(name: str, text: str) -> date:
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise _invalid(name, text, "a day such as 2026-11-20")


def _truth(query: Mapping[str, str], name: str) -> bool | None:
    if name not in query:
        return None
    if query[name] not in ("true", "false"):
        raise _invalid(name, query[name], "true or false")
    return query[name] == "true"


def _as_moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if _MOMENT.fullmatch(text) else None
    except ValueError:
        return None


def _invalid(name: str, text: str, wanted: str) -> Refused:
    return Refused(400, 108, f"Invalid parameter : {name} {text} is not {wanted}")
