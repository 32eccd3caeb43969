"""The reader of `shelfmark_json`: its objects, and among them the main entries, which can name a shelf.

The deployed ETL sends the Python repr of a list of objects, a correct ETL sends JSON. Three readers, all linear:

- a scan for the repr exactly as the deployed ETL writes it: nearly every row, in one call of the regex engine;
- `json.loads`;
- for any other repr, each token translated to JSON, then `json.loads`. No quote is replaced without knowing what it
  closes, and nothing is evaluated: `ast.literal_eval` takes 300 MB for one hostile megabyte.
"""

import json
import re
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from runtime.characters import is_visible

MAIN_ENTRY_TAGS = ("100", "110", "111", "245")

# A string as repr writes it. `*+` never backtracks, so that an unclosed quote costs one look at each character.
_STRING = r"""(?:'[^'\\\0-\x1f]*+(?:{escape}[^'\\\0-\x1f]*+)*+'|"[^"\\\0-\x1f]*+(?:{escape}[^"\\\0-\x1f]*+)*+")"""
if sys.version_info < (3, 11, 5):  # `*+` is broken there within a repeat that failed (CPython issue 106052)
    _STRING = _STRING.replace("(?:{escape}", "(?>(?:{escape}").replace(")*+", ")*)")  # takes more memory
_ANY_ESCAPE = r"""\\(?:[\\'"nrt]|x[0-9a-f]{2}|u[0-9a-f]{4}|U00(?:0[0-9a-f]|10)[0-9a-f]{4})"""
# Without NUL and surrogates, which make a cell unreadable: those are left to the full reader.
_TAME_ESCAPE = r"""\\(?:[\\'"nrt]|x(?!00)[0-9a-f]{2}|u(?!0000|d[89a-f])[0-9a-f]{4})"""

# Two kinds of object: a main entry, whose parts are captured, and any other.
_TEXT = _STRING.format(escape=_TAME_ESCAPE)
_SHORT = r"(?:'[^'\\\0-\x1f]*+'|None)"
_SHORT_CAUGHT = r"(?:'([^'\\\0-\x1f]*+)'|None)"
_DEPLOYED_OBJECT = re.compile(
    r"\{'marc_tag': (?:"
    rf"'({'|'.join(MAIN_ENTRY_TAGS)})', 'marc_ind1': {_SHORT_CAUGHT}, 'marc_ind2': {_SHORT_CAUGHT}, "
    rf"'field_type_code': {_SHORT}, 'tag': 'a', 'content': ({_TEXT})"
    "|"
    rf"{_SHORT}, 'marc_ind1': {_SHORT}, 'marc_ind2': {_SHORT}, "
    rf"'field_type_code': {_SHORT}, 'tag': {_SHORT}, 'content': (?:{_TEXT}|None)"
    r")\}"
)
_STRIDE = _DEPLOYED_OBJECT.groups + 1

# Brackets, commas, blanks and numbers stay as they are: JSON and repr write them alike, and json.loads checks them.
_TOKEN = re.compile(
    r"""(?P<plain>'[^'"\\\0-\x1f]*+')"""
    rf"|(?P<string>{_STRING.format(escape=_ANY_ESCAPE)})|(?P<word>None|True|False)|(?P<other>[^\[\]{{}},: 0-9.e+-])"
)
_WORDS = {"None": "null", "True": "true", "False": "false"}
_ESCAPE = re.compile(r"\\(?:x(..)|u(....)|U(.{8})|(.))")
_LETTER_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}

_UNSTORABLE = re.compile(r"[\0\ud800-\udfff]")
_PERHAPS_UNSTORABLE = re.compile(r"[\0\ud800-\udfff]|\\(?:x00|u0000|u[dD][89a-fA-F]|U0000)")


class UnreadableSubfields(ValueError):
    """The text is no list of objects, or holds a character that no database can store."""


class MainEntry(NamedTuple):
    """A subfield `a`, with at least one visible character, of a heading that can name a shelf."""

    marc_tag: str
    ind1: str | None
    ind2: str | None
    content: str


def read_main_entries(text: str) -> list[MainEntry]:
    """Return the main entries in order. Raises UnreadableSubfields if any part of the text can't be read."""
    entries = _scan_deployed(text)
    return _main_entries(read_objects(text)) if entries is None else entries


def read_objects(text: str) -> list[dict[str, Any]]:
    """Return all objects of the list, JSON or Python repr. Raises UnreadableSubfields if the text is anything else."""
    value = _read_value(text)
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise UnreadableSubfields("no list of objects")
    if _PERHAPS_UNSTORABLE.search(text) and any(_UNSTORABLE.search(string) for string in _strings_in(value)):
        raise UnreadableSubfields("holds NUL or half a surrogate pair")
    return value


def _scan_deployed(text: str) -> list[MainEntry] | None:
    """Return the main entries of a text that is, from first to last character, what the deployed ETL writes.

    Return None for any other text. Only the list's own brackets and commas may lie between the objects: so the first
    one begins where the list does, each next one where the last ended, and none is found inside a string.
    """
    parts = _DEPLOYED_OBJECT.split(text)
    gaps = parts[_STRIDE:-1:_STRIDE]
    if parts[0] != "[" or parts[-1] != "]" or gaps.count(", ") != len(gaps):
        return None
    # The four groups of each object follow one another; those of an object that is no main entry are None.
    return [
        MainEntry(parts[place], parts[place + 1], parts[place + 2], content)
        for place in range(1, len(parts), _STRIDE)
        if parts[place] and is_visible(content := _unquote(parts[place + 3]))
    ]


def _main_entries(objects: list[dict[str, Any]]) -> list[MainEntry]:
    return [
        MainEntry(entry["marc_tag"], _text(entry.get("marc_ind1")), _text(entry.get("marc_ind2")), content)
        for entry in objects
        if entry.get("tag") == "a"
        and _text(entry.get("marc_tag")) in MAIN_ENTRY_TAGS
        and (content := _text(entry.get("content")))
        and is_visible(content)
    ]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _read_value(text: str) -> Any:
    # RecursionError: a text of ten thousand nested brackets is no list of subfields either.
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return json.loads(_TOKEN.sub(_as_json, text))
    except (ValueError, RecursionError) as error:
        raise UnreadableSubfields("neither JSON nor the Python repr of a list") from error


def _as_json(token: re.Match[str]) -> str:
    text = token[0]
    match token.lastgroup:
        case "plain":
            return f'"{text[1:-1]}"'
        case "string":
            return json.dumps(_unquote(text), ensure_ascii=False)
        case "word":
            return _WORDS[text]
        case _:
            raise UnreadableSubfields(f"{text!r} at position {token.start()}")


def _unquote(literal: str) -> str:
    inner = literal[1:-1]
    return _ESCAPE.sub(_unescape, inner) if "\\" in inner else inner


def _unescape(escape: re.Match[str]) -> str:
    code = escape[1] or escape[2] or escape[3]
    return chr(int(code, 16)) if code else _LETTER_ESCAPES.get(escape[4], escape[4])


def _strings_in(value: Any) -> Iterator[str]:
    """Yield every string in the value, keys too; without recursion, because it may be nested deeply."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str(string):
                yield string
            case list(entries):
                waiting += entries
            case dict(entry):
                waiting += [*entry, *entry.values()]
