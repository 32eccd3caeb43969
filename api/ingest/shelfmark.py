"""The three letters that sort an item on its shelf, made from its bib's main heading.

The heading is the first of RULES that the bib has. Its letters of the Latin script and its digits count, upper case; a
heading with more letters of other scripts is romanised first.
"""

import re
import unicodedata
from functools import cache, lru_cache
from typing import Protocol

import regex  # type: ignore[import-untyped]

from api.ingest.subfields import MainEntry, UnreadableSubfields, read_main_entries
from runtime.characters import decode, drop_invisible

NO_SHELFMARK = "***"
LENGTH = 3
LIMIT_BYTES = 64 * 1024  # no bib's headings are longer
ROMANISED_CHARACTERS = 64

# (MARC tag, first indicator; None: any), in the order in which headings are preferred.
RULES: tuple[tuple[str, str | None], ...] = (
    ("100", "1"),
    ("110", "2"),
    ("100", "0"),
    ("100", "2"),
    ("110", "1"),
    ("110", "0"),
    ("100", "3"),
    ("111", "0"),
    ("111", "1"),
    ("111", "2"),
    ("245", "0"),
    ("245", "1"),
    ("245", None),
)
_DIGITS = frozenset("0123456789")
_RANK = {rule: rank for rank, rule in enumerate(RULES)}
_UNRANKED = len(RULES)

# The standard library lacks Unicode's script property. `regex` has it, for 23 ms and 3 MB (measured), and is installed
# anyway, because uroman depends on it. A table of the 40 ranges would have to follow each new version of Unicode.
_DROPPED = regex.compile(r"[^[\p{Script=Latin}&&\p{Letter}]0-9]+", regex.VERSION1)
_LATIN = regex.compile(r"[\p{Script=Latin}&&\p{Letter}]", regex.VERSION1)
_FOREIGN = regex.compile(r"[\p{Letter}--\p{Script=Latin}]", regex.VERSION1)

# Characters and codes that need decoding or romanising; nearly all headings have none. Migration 0008 has a copy.
_ODD = re.compile(r"[^ -~À-ÖØ-öø-ÿŠšŽž–—‘’“”]|\{u|&#x")

# Text between these marks (MARC-8's, in Unicode) is not sorted by.
_NON_SORTING, _SORTING = "\x98", "\x9c"


class Romaniser(Protocol):
    """The one method of uroman that is used."""

    def romanize_string(self, s: str) -> str:
        """Return the string in Latin letters."""


def shelfmark_of(shelfmark_json: str | None) -> str:
    """Return the shelfmark of a bib with these subfields; `***` if none of them yields a letter or digit."""
    text = shelfmark_json or "[]"
    if len(text) * 4 > LIMIT_BYTES and len(text.encode()) > LIMIT_BYTES:
        return NO_SHELFMARK
    try:
        entry = main_heading(read_main_entries(text))
    except UnreadableSubfields:
        return NO_SHELFMARK
    return NO_SHELFMARK if entry is None else _shelfmark_of_entry(entry)


def main_heading(entries: list[MainEntry]) -> MainEntry | None:
    """Return the entry whose rule comes first; of several with one rule, the first in the list."""
    entry = min(entries, key=_rank, default=None)
    return None if entry is None or _rank(entry) == _UNRANKED else entry


def _rank(entry: MainEntry) -> int:
    return _RANK.get(entry[:2], _RANK["245", None] if entry.marc_tag == "245" else _UNRANKED)


def _shelfmark_of_entry(entry: MainEntry) -> str:
    skipped = entry.ind2 if entry.marc_tag == "245" and entry.ind2 else ""
    article = int(skipped) if skipped in _DIGITS else 0
    if not _ODD.search(entry.content):
        return _first_letters(entry.content[article:]) or NO_SHELFMARK
    heading = unicodedata.normalize("NFKC", _filing_part(entry.content, article))
    start = heading[:ROMANISED_CHARACTERS]
    is_foreign = len(_FOREIGN.findall(start)) > len(_LATIN.findall(start))
    return (is_foreign and _romanised_letters(start)) or _first_letters(heading) or NO_SHELFMARK


def _filing_part(content: str, article: int) -> str:
    """Return the content, decoded, visible and composed, without the part that is not sorted by.

    That part is the text between non-sorting marks or, without such marks, the first `article` characters.
    """
    visible = drop_invisible(decode(content), but=_NON_SORTING + _SORTING)
    parts, end = list[str](), 0
    composed = unicodedata.normalize("NFC", visible)
    while (begin := composed.find(_NON_SORTING, end)) >= 0 and (last := composed.find(_SORTING, begin)) >= 0:
        parts.append(composed[end:begin])
        end = last + 1
    heading = drop_invisible("".join(parts) + composed[end:])
    return heading if end else heading[article:]


def _first_letters(heading: str) -> str:
    start = heading[:LENGTH]
    if start.isascii() and start.isalnum():  # most headings begin so, and nothing is dropped before
        return start.upper()
    # Dropped once more after upper(), which can add other characters: `ŉ` becomes an apostrophe and N.
    kept: str = _DROPPED.sub("", _DROPPED.sub("", heading)[:LENGTH].upper())
    return kept[:LENGTH]


@lru_cache(maxsize=10_000)
def _romanised_letters(heading: str) -> str:
    return _first_letters(_romanised(heading))


def _romanised(heading: str) -> str:
    """Return the heading in Latin letters. If uroman fails, romanise its halves, and so on down to one character."""
    try:
        return _load_romaniser().romanize_string(heading)
    except Exception:  # uroman has bugs (`TypeError` at the Thai "ฮอ๖"), and no row may fail a batch
        half = len(heading) // 2
        return _romanised(heading[:half]) + _romanised(heading[half:]) if half else ""


@cache
def _load_romaniser() -> Romaniser:
    # Imported here, only when a heading needs it: it takes seconds and 60 MB.
    from uroman import Uroman  # type: ignore[import-untyped]

    romaniser: Romaniser = Uroman()
    return romaniser
