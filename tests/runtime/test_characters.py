"""Codes become characters, and invisible ones are known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.characters import decode, drop_invisible, is_visible, split_characters

NO_CHARACTER = ["{uD800}", "{uDFFF}", "&#xD800;", "&#x00DFFF;", "&#x110000;"]
NO_CODE = ["{u00E4", "{uE4}", "{u000E4}", "{U00E4}", "{u00G4}", "&#x;", "&#xG;", "&#x410", "&#1040;", "&#x0000410;"]

pieces = st.sampled_from(
    [*NO_CHARACTER, "{u00E4}", "{u308}", "&#x410;", "&#x1F600;", "{u", "&#x", "}", ";", "0041", "\n"]
)
texts = st.lists(pieces | st.text(max_size=3), max_size=8).map("".join)


@pytest.mark.parametrize(
    ("code", "character"),
    [
        ("{u00E4}", "ä"),
        ("{u00e4}", "ä"),
        ("{u0E4}", "ä"),
        ("{uD7FF}", "\ud7ff"),
        ("{uE000}", "\ue000"),
        ("&#x410;", "А"),
        ("&#xe4;", "ä"),
        ("&#x1D800;", "\U0001d800"),
        ("&#x10FFFF;", "\U0010ffff"),
        ("{u{u00E4}}", "{uä}"),
        ("a{u0308}", "a\u0308"),
    ],
)
def test_a_code_is_the_character_that_it_means(code: str, character: str) -> None:
    assert decode(f"K{code}{code}n") == f"K{character}{character}n"


@pytest.mark.parametrize("text", [*NO_CHARACTER, *NO_CODE])
def test_what_is_no_character_s_code_stays(text: str) -> None:
    assert decode(text) == text
    assert split_characters(text) == list(text)


@given(texts)
def test_split_characters_are_the_text_and_each_means_one_character(text: str) -> None:
    characters = split_characters(text)
    assert "".join(characters) == text
    assert [decode(character) for character in characters] == list(decode(text))


@pytest.mark.parametrize(
    "text", [None, "", "  ", "\t\u00a0\u3000", "\u200b\ufeff\u00ad\u0098\u200e", "{u200B} &#xFEFF;"]
)
def test_blanks_and_invisible_characters_are_not_seen(text: str | None) -> None:
    assert not is_visible(text)


@pytest.mark.parametrize("text", ["a", "\u200b.", "{u00E4}", "{uD800}", "\u0301", "\ue000"])
def test_anything_else_is_seen(text: str) -> None:
    assert is_visible(text)


def test_invisible_characters_are_dropped_and_blanks_stay() -> None:
    assert drop_invisible("\u200ba\u00ad \tb\u0098c\u009c") == "a \tbc"
    assert drop_invisible("\u200b\u0098b\u009c", but="\u0098") == "\u0098b"
