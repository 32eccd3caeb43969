"""The three letters that a bib gets."""

import subprocess
import sys

import pytest
import regex  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from api.ingest.shelfmark import LENGTH, ROMANISED_CHARACTERS, RULES, shelfmark_of

Subfield = tuple[str, str, str, str | None]


def json_of(*subfields: Subfield, tag: str = "a") -> str:
    names = ("marc_tag", "marc_ind1", "marc_ind2", "content")
    return repr([{**dict(zip(names, subfield, strict=True)), "tag": tag} for subfield in subfields])


def of_author(name: str | None) -> str:
    return shelfmark_of(json_of(("100", "1", " ", name)))


def of_title(title: str, ind2: str) -> str:
    return shelfmark_of(json_of(("245", "1", ind2, title)))


@pytest.mark.parametrize(
    ("name", "shelfmark"),
    [
        ("Heikkilä, Markku,", "HEI"),
        ("Чехов", "CHE"),
        ("村上春樹", "CUN"),
        ("ฮอ๖", "H6"),  # uroman falls over it
        ("3M Company", "3MC"),
        ("!?", "***"),
        ("Öst", "ÖST"),
        ("Ågren, Åsa", "ÅGR"),
        ("äiti", "ÄIT"),
        ("A\u030agren", "ÅGR"),
        ("ßa", "SSA"),
        ("Straße", "STR"),
        ("O'Brien", "OBR"),
        ("d'Artagnan", "DAR"),
        ("X", "X"),
        ("²³", "23"),
        ("Ⅷ Z", "VII"),
        ("x²³", "X23"),
        ("１Ｑ８４", "1Q8"),
        ("Ｍurakami", "MUR"),
        ("ﬁn", "FIN"),
        ("ŉab", "NAB"),
        ("١٢٣ abc", "ABC"),
    ],
)
def test_letters_and_digits_of_the_heading_in_upper_case(name: str, shelfmark: str) -> None:
    assert of_author(name) == shelfmark


@pytest.mark.parametrize(
    ("title", "ind2", "shelfmark"),
    [
        ("A user's guide", "2", "USE"),
        ("The winter", "4", "WIN"),
        ("The winter", "0", "THE"),
        ("The winter", " ", "THE"),
        ("The winter", "", "THE"),
        ("The winter", "x", "THE"),
        ("The winter", "²", "THE"),
        ("The winter", "12", "THE"),
        ("A", "2", "***"),
        ("A\u0308 la carte", "2", "LAC"),
    ],
)
def test_non_filing_characters_of_a_title_are_skipped(title: str, ind2: str, shelfmark: str) -> None:
    assert of_title(title, ind2) == shelfmark


def test_non_filing_characters_are_a_title_s_only() -> None:
    assert shelfmark_of(json_of(("110", "2", "4", "The company"))) == "THE"


@pytest.mark.parametrize("place", range(len(RULES) - 1))
def test_heading_of_an_earlier_rule_wins_wherever_it_stands(place: int) -> None:
    first = (RULES[place][0], RULES[place][1] or "9", "0", "Early")
    second = (RULES[place + 1][0], RULES[place + 1][1] or "9", "0", "Late")
    assert shelfmark_of(json_of(first, second)) == shelfmark_of(json_of(second, first)) == "EAR"


def test_of_several_equals_the_first_counts() -> None:
    assert shelfmark_of(json_of(("245", "1", "0", "One"), ("245", "1", "0", "Two"))) == "ONE"


@pytest.mark.parametrize(
    ("name", "shelfmark"),
    [
        ("{u00C4}iti", "ÄIT"),
        ("A{u0308}iti", "ÄIT"),
        ("{u0427}{u0435}{u0445}{u043E}{u0432}", "CHE"),
        ("&#x410;нна", "ANN"),
        ("&#x1F600; Tod", "TOD"),
        ("{u0098}Der {u009C}Tod", "TOD"),
        ("{uD800}", "UD8"),
        ("&#x110000;", "X11"),
    ],
)
def test_code_is_the_character_that_it_means_and_the_code_of_none_stays(name: str, shelfmark: str) -> None:
    assert of_author(name) == shelfmark


@pytest.mark.parametrize(
    ("title", "ind2", "shelfmark"),
    [
        ("\x98Der\x9c Tod", "0", "TOD"),
        ("\x98Der \x9cTod", "4", "TOD"),
        ("\x98L'\x9cA\u200br\x98ab\x9cx", "0", "ARX"),
        ("\x98\x9cDer Tod", "4", "DER"),
        ("\x98Der Tod", "4", "TOD"),
        ("Der \x9cTod\x98", "4", "TOD"),
        ("\x98Der\x9c", "0", "***"),
        ("\u200bThe\u00ad winter", "4", "WIN"),
        ("\u200fהבית", "1", "VYT"),
        ("{u200F}A{u030A} la carte", "2", "LAC"),
    ],
)
def test_non_sorting_marks_go_before_the_indicator_and_nothing_invisible_counts(
    title: str, ind2: str, shelfmark: str
) -> None:
    assert of_title(title, ind2) == shelfmark


@pytest.mark.parametrize(
    ("name", "shelfmark"),
    [
        ("Война и мир. Т. 1", "VOI"),
        ("Мастер и Маргарита [DVD]", "MAS"),
        ("Мир DVD", "DVD"),
        ("Мири DVD", "MIR"),
        ("!" * 61 + "DVD" + "Ч" * 9, "DVD"),
        ("!" * 60 + "ЧехDVD", "CHE"),
    ],
)
def test_what_most_letters_are_decides_whether_a_heading_is_romanised(name: str, shelfmark: str) -> None:
    assert of_author(name) == shelfmark


@pytest.mark.parametrize("blank", [None, "", "  ", "\u200b", "{u200B}", "\x98 \x9c", "\ufeff\u00ad"])
def test_blank_heading_is_not_there(blank: str | None) -> None:
    assert shelfmark_of(json_of(("100", "1", " ", blank), ("245", "1", "0", "Title"))) == "TIT"


def test_heading_that_leaves_nothing_is_not_passed_over() -> None:
    assert shelfmark_of(json_of(("100", "1", " ", "!?"), ("245", "1", "0", "Title"))) == "***"


@pytest.mark.parametrize("rule", [("130", "0"), ("100", "9"), ("110", "3"), ("111", "3"), ("700", "1")])
def test_other_headings_give_no_shelfmark(rule: tuple[str, str]) -> None:
    assert shelfmark_of(json_of((*rule, " ", "Raamattu"))) == "***"


def test_other_subfields_give_no_shelfmark() -> None:
    assert shelfmark_of(json_of(("100", "1", " ", "1908-1979"), tag="d")) == "***"


@pytest.mark.parametrize("text", [None, "", "[]", "{}", "[1]", "nonsense", "[{'content': '\\x00'}]"])
def test_what_can_not_be_read_gives_stars(text: str | None) -> None:
    assert shelfmark_of(text) == "***"


@pytest.mark.parametrize("letter", ["x", "ä"])
def test_subfields_over_64_kib_are_not_read(letter: str) -> None:
    room = 64 * 1024 - len(json_of(("100", "1", " ", "Waltari")).encode())
    longest = "Waltari" + letter * (room // len(letter.encode()))
    assert of_author(longest) == "WAL"
    assert of_author(longest + letter) == "***"


@given(st.text(st.characters(min_codepoint=0xE01, max_codepoint=0xE5B), min_size=1, max_size=ROMANISED_CHARACTERS))
def test_no_text_keeps_a_batch_from_being_taken_in(thai: str) -> None:
    assert 1 <= len(of_author(thai)) <= LENGTH


def test_only_the_first_64_characters_are_romanised() -> None:
    assert of_author("!" * 63 + "Ч") != "***"
    assert of_author("!" * 64 + "Ч") == "***"


@given(st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0", max_codepoint=0x24F), max_size=12))
def test_shelfmark_is_stars_or_one_to_three_letters_and_digits(name: str) -> None:
    assert regex.fullmatch(r"\*\*\*|[\p{Script=Latin}0-9]{1,3}", of_author(name))


def test_romaniser_is_not_loaded_for_latin_headings() -> None:
    program = "import sys, api.ingest.shelfmark as s; assert s.shelfmark_of(%r) == 'WAL'; assert %r not in sys.modules"
    latin = json_of(("100", "1", " ", "Waltari"))
    subprocess.run([sys.executable, "-c", program % (latin, "uroman")], check=True, timeout=60)
