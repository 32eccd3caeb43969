"""The text of a renewed call number, for all that may stand in a record and in the catalogue."""

from collections import Counter
from itertools import pairwise
from unicodedata import normalize

from hypothesis import example, given
from hypothesis import strategies as st

from runtime.call_number import is_relabelled, make_call_number, renew
from runtime.characters import decode, is_invisible, is_visible, split_characters

DIGITS = ["1", "2", "84.2", "1900-luku", "٣", "²"]
LETTERS = ["a", "Kuv", "KUV", "Jännitys", "Ja\u0308nnitys", "Детектив", "村上", "ß", "{u00E4}", "&#x410;"]
MARKS = ["-", "–", "/", ".", ",", "👍", "\u0301", "{uD800}", "{u", "}"]
BLANKS = [" ", "  ", "\u00a0", "\t", "\u200b", "\u200e", "\ufeff", "\u0098", "\u00ad", "{u200B}"]
BRACKETS = {"(": ")", "[": "]", "{": "}"}
QUOTES = {'"': '"', "'": "'", "«": "»", "»": "»", "“": "”", "”": "”", "„": "“", "‘": "’", "’": "’", "‹": "›"}
PAIRS = [*BRACKETS.items(), *QUOTES.items()]

pieces = st.sampled_from([*DIGITS, *LETTERS, *MARKS, *BLANKS, *BLANKS, *(mark for pair in PAIRS for mark in pair)])
texts = st.lists(pieces, max_size=9).map("".join) | st.text(max_size=20)
call_numbers = st.sampled_from(["", "84.2", "84.2 ", "84.2(", " 84.2/"]).flatmap(lambda head: texts.map(head.__add__))
classifications = call_numbers.filter(is_visible)
numbers = st.sampled_from(["903.1", "904", "\u200b905"])  # that no call number here begins with

words = st.lists(st.sampled_from([*DIGITS, *LETTERS, "CD"]), min_size=1, max_size=3).map(" ".join)
quoted = st.tuples(st.sampled_from(PAIRS), words).map(lambda made: f"{made[0][0]}{made[1]}{made[0][1]}")
bracketed = st.recursive(
    words | quoted,
    lambda inner: st.tuples(st.sampled_from([*BRACKETS.items()]), st.lists(inner, min_size=1, max_size=3)).map(
        lambda made: f"{made[0][0]}{' '.join(made[1])}{made[0][1]}"
    ),
    max_leaves=4,
)
balanced = st.lists(bracketed, max_size=4).map(" ".join)


def words_of(text: str) -> list[str]:
    """As they are compared: decoded, parted by blanks, slashes and invisible characters, in lower case."""
    spaced = "".join(" " if character == "/" or is_invisible(character) else character for character in decode(text))
    return normalize("NFC", normalize("NFC", spaced).casefold()).split()


def letters_of(text: str) -> str:
    return "".join(character for character in "".join(words_of(text)) if character.isalpha())


def doubled_in(text: str) -> set[str]:
    """Words that stand twice in a row."""
    words = words_of(text)
    return {word for word, following in pairwise(words) if word == following}


def single_brackets(text: str) -> Counter[str]:
    """Brackets without their other one, each kind by itself."""
    single: Counter[str] = Counter()
    for opening, closing in BRACKETS.items():
        for character in decode(text):
            if character == closing and single[opening]:
                single[opening] -= 1
            elif character in (opening, closing):
                single[character] += 1
    return single


@given(call_numbers, classifications)
def test_renewed_twice_is_renewed_once(old: str, classification: str) -> None:
    once = renew(old, classification)
    again = renew(once.after, classification)
    assert (again.after, again.remark, again.is_unclear) == (once.after, None, False)
    assert is_visible(once.after[0])
    assert is_visible(once.after[-1])


@given(call_numbers, classifications)
@example("84.2L L", "84.31 L")
def test_no_word_is_lost_untold_and_none_is_doubled(old: str, classification: str) -> None:
    made = renew(old, classification)
    if not made.is_unclear:
        assert letters_of(made.after).endswith(letters_of(old)), "a letter is lost where all is, and only there"
    for word in words_of(old)[1:]:
        assert word in words_of(made.after) or made.remark
    doubled_before = doubled_in(classification) | doubled_in(old) | doubled_in(make_call_number(old, "0"))
    assert doubled_in(made.after) <= doubled_before


@given(call_numbers, numbers)
@example("84.2 (2 CD)", "904")
def test_no_bracket_is_left_single(old: str, number: str) -> None:
    made = make_call_number(old, number)
    assert single_brackets(made) <= single_brackets(old)


@given(balanced, numbers)
def test_brackets_and_quotes_that_belong_together_are_kept_or_dropped_together(text: str, number: str) -> None:
    made = make_call_number(f"84.2 {text}", number)
    for opening, closing in PAIRS:
        assert made.count(opening) == made.count(closing) or opening in "„“”‘’»«"
    assert sum(made.count(mark) for mark in set("".join(QUOTES) + "".join(QUOTES.values()))) % 2 == 0


@given(call_numbers, numbers, numbers, numbers)
@example("84.2 a", "\u200b905", "904", "903.1")
def test_genre_goes_on_through_one_class_after_the_other(old: str, first: str, second: str, last: str) -> None:
    chained = make_call_number(make_call_number(make_call_number(old, first), second), last)
    assert chained == make_call_number(old, last)
    assert chained.partition(" ")[2] in old, "what is kept stays as it was read"


@given(call_numbers, classifications)
@example("84.311 Jännitys", "84.31")
@example("84.31  J{u00E4}nnitys", "84.31 Jännitys")
@example("\u200b84.31 ", " 84.31")
def test_relabelled_is_what_an_update_leaves_as_it_is(old: str, classification: str) -> None:
    made = renew(old, classification).after
    assert is_relabelled(made, classification)
    assert is_relabelled(old, classification) == (made == "".join(visible_part(split_characters(old))))


def visible_part(characters: list[str]) -> list[str]:
    places = [place for place, character in enumerate(characters) if is_visible(character)]
    return characters[places[0] : places[-1] + 1] if places else []


@given(call_numbers, st.sampled_from([None, "", " ", "\u200b"]))
def test_without_a_classification_it_is_neither_relabelled_nor_not(old: str, classification: str | None) -> None:
    assert is_relabelled(old, classification) is None
