"""The reader of single cells: the value that can be stored, or RowRefused with the reason."""

import re
from datetime import MAXYEAR, date, datetime

from runtime.characters import is_invisible

QUOTED_CHARACTERS = 60

# pandas writes a column of whole numbers as 1000001.0 as soon as one row of the batch lacks it.
_WHOLE = re.compile(r"(-?[0-9]{1,19})(?:\.0*)?")
_SURE_DIGITS = {32: 9, 64: 18}  # so many fit into these bits, whatever they are
_DECIMAL = re.compile(r"(-?[0-9]+)\.([0-9]*)")
_DIGITS = re.compile(r"[0-9]+")
# From 2^53 on a float stands for several whole numbers, and 1e15 for as many as have its first digits.
_EXACT = 1 << 53
_EXACT_DIGITS = len(str(_EXACT))
_POWER = re.compile(r"[+-]?[0-9.]+[eE][+-]?[0-9]+")
_UNSTORABLE = re.compile(r"[\0\ud800-\udfff]")


class RowRefused(Exception):
    """A row that is kept aside. The text is its reason."""

    def __init__(self, reason_code: str, reason: str) -> None:
        super().__init__(reason)
        self.reason_code = reason_code


def whole(column: str, text: str, bits: int) -> int | None:
    """Return the whole number, without the fraction that pandas adds; None for an empty cell."""
    if not text:
        return None
    if text.isdecimal() and text.isascii() and len(text) <= _SURE_DIGITS[bits]:
        return int(text)
    match = _WHOLE.fullmatch(text)
    number = int(match[1]) if match else None
    if number is None or not -(1 << bits - 1) <= number < 1 << bits - 1:
        raise RowRefused(column, f"{column} {quoted(text)} is no whole number of {bits} bits")
    if "." in text:
        _check_exact(column, text, str(abs(number)))
    return number


def item_number(text: str) -> str | None:
    """Return the digits of a record number, or None for an empty cell."""
    number = without_fraction("item_number", text)
    if number is not None and not _DIGITS.fullmatch(number):
        raise RowRefused("item_number", f"item_number {quoted(text)} is not all digits")
    return number


def without_fraction(column: str, text: str) -> str | None:
    """Return the text, without a fraction of 0 if it is a number."""
    if text.isdigit() and text.isascii():
        return text
    if _POWER.fullmatch(text):
        raise RowRefused(column, f"{column} {quoted(text)} names no record for sure")
    match = _DECIMAL.fullmatch(text) if "." in text else None
    if match is None:
        return text or None
    if match[2].strip("0"):
        raise RowRefused(column, f"{column} {quoted(text)} is no whole number")
    _check_exact(column, text, match[1].lstrip("-0"))
    return match[1]


def _check_exact(column: str, text: str, digits: str) -> None:
    if len(digits) > _EXACT_DIGITS or int(digits or 0) >= _EXACT:
        raise RowRefused(column, f"{column} {quoted(text)} is too large a float to name a record for sure")


def trimmed(text: str) -> str:
    """Return the text without blanks, line ends and invisible characters at its ends: no scanner reads those."""
    if text.isalnum():
        return text
    visible = [index for index, character in enumerate(text) if not character.isspace() and not is_invisible(character)]
    return text[visible[0] : visible[-1] + 1] if visible else ""


def moment(column: str, text: str) -> str:
    """Return the time, which has an offset and a year that PostgreSQL and Python know in every zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None or not 1 < found.year < MAXYEAR:
        raise RowRefused(column, f"{column} {quoted(text)} is no ISO 8601 date and time with offset")
    return found.isoformat()


def day(column: str, text: str) -> str:
    """Return the date."""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise RowRefused(column, f"{column} {quoted(text)} is no ISO 8601 date") from error


def is_storable(text: str) -> bool:
    """Return whether PostgreSQL can store the text."""
    if text.isascii():
        return "\0" not in text
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def fit_to_store(text: str) -> str:
    """Return the text with escapes for what PostgreSQL can't store."""
    return _UNSTORABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def quoted(text: str) -> str:
    """Return the text in quotes, short, as it can be stored and shown."""
    return ascii(text[:QUOTED_CHARACTERS]) if not is_storable(text) else repr(text[:QUOTED_CHARACTERS])
