"""The three letters that a bib gets, for all that the ETL may send."""

import json
from time import process_time
from typing import Any

import pytest
import regex  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from api.ingest.shelfmark import LENGTH, NO_SHELFMARK, ROMANISED_CHARACTERS, shelfmark_of

PIECES = ["a", "ß", "Ä", "a\u0308", "ŉ", "ǰ", "Ж", "村", "ה", "Ｍ", "３", "²", "ª", "1", " ", "(", "'", "👍", "\u0301"]
ODDITIES = [
    "\x98",
    "\x9c",
    "\u200b",
    "\u200f",
    "\u00ad",
    "{u00E4}",
    "{u0410}",
    "{uD800}",
    "&#x5D4;",
    "&#x0;",
    "{u",
    "&#x",
]

contents = st.lists(st.sampled_from(PIECES + ODDITIES), max_size=8).map("".join) | st.text(max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | contents,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(contents, inner, max_size=2),
    max_leaves=4,
)
subfields = st.fixed_dictionaries(
    {
        "marc_tag": st.sampled_from(["100", "110", "111", "130", "245"]) | values,
        "marc_ind1": st.sampled_from(["0", "1", "2", "3"]) | values,
        "marc_ind2": st.sampled_from(["0", "1", "4", "9"]) | values,
        "tag": st.sampled_from(["a", "b"]) | values,
        "content": contents | values,
    }
)


def of(content: str, marc_tag: str = "245", ind2: str = "0") -> str:
    entry = {"marc_tag": marc_tag, "marc_ind1": "1", "marc_ind2": ind2, "field_type_code": "a", "tag": "a"}
    return shelfmark_of(json.dumps([{**entry, "content": content}]))


@given(st.lists(subfields | st.dictionaries(contents, values, max_size=3), max_size=4), st.booleans())
def test_any_list_of_objects_has_a_shelfmark_of_one_to_three_letters_or_stars(objects: Any, as_json: bool) -> None:
    mark = shelfmark_of(json.dumps(objects) if as_json else repr(objects))
    assert mark == NO_SHELFMARK or regex.fullmatch(r"[[\p{Script=Latin}&&\p{Letter}]0-9]{1,3}", mark, regex.VERSION1)
    assert mark == mark.upper()


@given(contents, st.sampled_from(["100", "245"]))
def test_shelfmark_of_a_shelfmark_is_itself(content: str, marc_tag: str) -> None:
    mark = of(content, marc_tag)
    assert of(mark, marc_tag) == mark


@given(st.lists(st.sampled_from([*"abcdeäöåé", *"АБВГДЖ", *" .-[]1"]), max_size=80).map("".join))
def test_heading_is_romanised_where_most_letters_of_its_first_64_characters_are_not_latin(content: str) -> None:
    start = content[:ROMANISED_CHARACTERS]
    latin = "".join(letter for letter in content if letter in "abcdeäöåé1").upper()
    cyrillic = sum(letter in "АБВГДЖ" for letter in start)
    if cyrillic <= sum(letter in "abcdeäöåé" for letter in start):
        assert of(content) == (latin[:LENGTH] or NO_SHELFMARK)
    else:
        assert of(content) == of(start), "what is behind the first 64 does not count"
        assert of(content)[0] in "ABCDEGOVZ1"


@given(contents, st.integers(0, 9).map(str), st.sampled_from(["\u200b", "{u200B}", "\ufeff", "\u00ad", "&#x200E;"]))
def test_invisible_character_anywhere_changes_nothing(content: str, ind2: str, invisible: str) -> None:
    assert of(invisible + content + invisible, ind2=ind2) == of(content, ind2=ind2)


@pytest.mark.parametrize(
    "piece", ["\x98", "\x98\x9c", "\x9c\x98", "\u200b", "{u00E4}", "{u", "&#x", "&#x0;", "Ж", "\u0301"]
)
def test_hostile_content_takes_linear_time(piece: str) -> None:
    def seconds(size: int) -> float:
        content, began = piece * (size // len(piece)), process_time()
        of(content)
        return process_time() - began

    once, twice = (min(seconds(size) for _ in range(3)) for size in (7_000, 14_000))
    assert twice < 3.5 * once + 0.02
