"""The text fields of a batch: read, held against each other, and made the last words to its ingest.

FieldRefused names the field, and nothing of the batch is stored then.
"""

import re
from datetime import MAXYEAR, UTC, date, datetime, timedelta

from api.ingest.protocol import LastWords
from api.upload import (
    ALL_FROM_ID,
    ALL_TO_ID,
    CHANGES_SINCE,
    CHANGES_UNTIL,
    DELETIONS_UNTIL,
    IS_COMPLETE,
    TIMESTAMP,
    FieldRefused,
)

_TIMES = (TIMESTAMP, CHANGES_SINCE, CHANGES_UNTIL)
_KEY = re.compile(r"-?[0-9]{1,19}")


def read_fields(texts: dict[str, str]) -> tuple[datetime, LastWords]:
    """Return the batch's timestamp and its last words."""
    times = {name: _read_time(name, texts[name]) for name in _TIMES if name in texts}
    _check_order(times)
    last_words: LastWords = {"timestamp": times[TIMESTAMP].isoformat()}
    if CHANGES_SINCE in times:
        last_words["changes_since"] = times[CHANGES_SINCE].isoformat()
    if CHANGES_UNTIL in times:
        last_words["changes_until"] = times[CHANGES_UNTIL].isoformat()
    if DELETIONS_UNTIL in texts:
        last_words["deletions_until"] = _read_day(DELETIONS_UNTIL, texts[DELETIONS_UNTIL], times[TIMESTAMP])
    pass_range = _read_range(texts)
    if pass_range:
        if times.get(CHANGES_UNTIL) != times.get(CHANGES_SINCE):
            raise FieldRefused(CHANGES_UNTIL, "Field is not changes_since, but a pass moves no position")
        last_words["all_from_id"], last_words["all_to_id"] = pass_range
    last_words["pass_complete"] = _read_pass_complete(texts, is_pass=pass_range is not None)
    return times[TIMESTAMP], last_words


def _read_time(field: str, text: str) -> datetime:
    """Return a time given in ISO 8601 with offset, in a year that PostgreSQL and Python know in every zone."""
    try:
        timestamp = datetime.fromisoformat(text)
    except ValueError as error:
        raise FieldRefused(field, "Field is no ISO 8601 date and time") from error
    if timestamp.tzinfo is None:
        raise FieldRefused(field, "Field has no offset from UTC")
    if not 1 < timestamp.year < MAXYEAR:
        raise FieldRefused(field, "Field is out of range")
    return timestamp.astimezone(UTC)


def _check_order(times: dict[str, datetime]) -> None:
    """Refuse a position that lies after the batch, or before the changes that it holds."""
    until = times.get(CHANGES_UNTIL, times[TIMESTAMP])
    if until > times[TIMESTAMP]:
        raise FieldRefused(CHANGES_UNTIL, "Field is later than timestamp")
    if CHANGES_SINCE in times and times[CHANGES_SINCE] > until:
        late = CHANGES_UNTIL if CHANGES_UNTIL in times else TIMESTAMP
        raise FieldRefused(late, "Field is earlier than changes_since")


def _read_day(field: str, text: str, timestamp: datetime) -> str:
    """Return a date of ISO 8601, at most a day after the batch: else no deletion before it would be asked for."""
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise FieldRefused(field, "Field is no ISO 8601 date") from error
    if day > timestamp.date() + timedelta(days=1):
        raise FieldRefused(field, "Field is later than timestamp")
    return day.isoformat()


def _read_range(texts: dict[str, str]) -> tuple[int, int] | None:
    """Return the range of ids of which the file holds every living item, or None if the batch is no pass."""
    given = [name for name in (ALL_FROM_ID, ALL_TO_ID) if name in texts]
    if not given:
        return None
    if len(given) == 1:
        missing = ALL_TO_ID if given == [ALL_FROM_ID] else ALL_FROM_ID
        raise FieldRefused(missing, f"Field required beside {given[0]}: a range has both ends")
    above, to = (_read_key(name, texts[name]) for name in given)
    if to <= above:
        raise FieldRefused(ALL_TO_ID, f"Field is not above {ALL_FROM_ID}: the range would be empty")
    return above, to


def _read_key(field: str, text: str) -> int:
    key = int(text) if _KEY.fullmatch(text) else None
    if key is None or not -(1 << 63) <= key < 1 << 63:
        raise FieldRefused(field, "Field is no whole number of 64 bits")
    return key


def _read_pass_complete(texts: dict[str, str], *, is_pass: bool) -> bool:
    text = texts.get(IS_COMPLETE, "false")
    if text not in ("true", "false"):
        raise FieldRefused(IS_COMPLETE, "Field is neither true nor false")
    if text == "true" and not is_pass:
        raise FieldRefused(IS_COMPLETE, f"Field needs {ALL_FROM_ID} and {ALL_TO_ID}: it comes with the last range")
    return text == "true"
