"""The text of a renewed call number, by example."""

from time import process_time

import pytest

from runtime.call_number import Renewal, make_call_number, renew

WHOLE = "{!r} was replaced whole, for it does not begin with a class number"
LEFT_OUT = "{!r} was left out of {!r}"


@pytest.mark.parametrize(
    ("old", "classification", "new"),
    [
        ("84.2 Jännitys", "84.31", "84.31 Jännitys"),
        (" 84.2 Jännitys", "84.31", "84.31 Jännitys"),
        ("84.2 Jännitys", "  84.31 ", "84.31 Jännitys"),
        ("84.2 Jännitys", "\u200b84.31\ufeff", "84.31 Jännitys"),
        ("84.2 Jännitys", "\u009884.31", "84.31 Jännitys"),
        ("\u200e84.2 Jännitys", "84.31", "84.31 Jännitys"),
        ("\ufeff 84.2 Jännitys\u00ad", "84.31", "84.31 Jännitys"),
        ("123.45 Etelä-Haaga -kokoelma", "678.90", "678.90 Etelä-Haaga -kokoelma"),
        ("123.45 -kokoelma", "678.90", "678.90 -kokoelma"),
        ("84.2 –kokoelma", "84.31", "84.31 –kokoelma"),
        ("84.2 Jännitys (englanti)", "84.31", "84.31 Jännitys (englanti)"),
        ("84.2 (englanti)", "84.31", "84.31 (englanti)"),
        ("84.2 ( englanti)", "84.31", "84.31 ( englanti)"),
        ("84.2(englanti)", "84.31", "84.31 (englanti)"),
        ("84.2L", "84.31", "84.31 L"),
        ("84.2-L", "84.31", "84.31 -L"),
        ('84.2"Klassikot"', "84.31", '84.31 "Klassikot"'),
        ("84.2(2 CD)", "84.31", "84.31 (2 CD)"),
        ("84.2 [Sarjakuva]", "84.31", "84.31 [Sarjakuva]"),
        ("84.2 {x}", "84.31", "84.31 {x}"),
        ("84.2 Детектив", "84.31", "84.31 Детектив"),
        ("84.2 «Детектив»", "84.31", "84.31 «Детектив»"),
        ('84.2 "Klassikot"', "84.31", '84.31 "Klassikot"'),
        ('84.2 "Sci-fi"', "84.31", '84.31 "Sci-fi"'),
        ("84.2 ”2. krs” Jännitys", "84.31", "84.31 ”2. krs” Jännitys"),
        ("84.2 ”2. krs Jännitys”", "84.31", "84.31 ”2. krs Jännitys”"),
        ("84.2 „2 Bände“", "84.31", "84.31 „2 Bände“"),
        ("84.2 »2 osaa»", "84.31", "84.31 »2 osaa»"),
        ("84.2 '90-luku", "84.31", "84.31 '90-luku"),
        ("84.2 (1 [2) CD] x", "84.31", "84.31 (1 [2) CD] x"),
        ("78.891 (2 CD)", "81.45", "81.45 (2 CD)"),
        ("84.2 (2. krs) Jännitys", "84.31", "84.31 (2. krs) Jännitys"),
        ("84.2 1900-luku", "84.31", "84.31 1900-luku"),
        ("84.2 2000-luku", "84.31", "84.31 2000-luku"),
        ("84.2/1900-luku", "84.31", "84.31 1900-luku"),
        ("84.2\u200b1900-luku", "84.31", "84.31 1900-luku"),
        ("84.2 3D", "84.31", "84.31 3D"),
        ("84.2 3D-kirjat", "84.31", "84.31 3D-kirjat"),
        ("84.2-85", "84.31", "84.31"),
        ("84.2", "84.31", "84.31"),
        ("", "678.90", "678.90"),
        (" \u200b", "678.90", "678.90"),
        ("84.31 Jännitys", "84.31", "84.31 Jännitys"),
        ("84.31", "84.31", "84.31"),
        ("L 84.2 Jännitys", "L 84.2", "L 84.2 Jännitys"),
        ("84.3 Jännitys", "84.31", "84.31 Jännitys"),
        ("84.311 Jännitys", "84.31", "84.31 Jännitys"),
        ("85.22 Kuv", "85.22 Kuv", "85.22 Kuv"),
        ("85.22 Kuv", "85.22   Kuv", "85.22 Kuv"),
        ("85.22 Kuv Sarja", "85.22 Kuv", "85.22 Kuv Sarja"),
        ("85.22  Kuv", "85.22 Kuv", "85.22  Kuv"),
        ("85.22 Kuvat", "85.22 Kuv", "85.22 Kuv Kuvat"),
        ("85.22 KUV", "85.22 Kuv", "85.22 Kuv"),
        ("85.22 Kuv", "85.32 Kuv", "85.32 Kuv"),
        ("85.22 Kuv", "84.31", "84.31 Kuv"),
        ("85.22 Kuv/Sarja", "85.32 Kuv", "85.32 Kuv Sarja"),
        ("84.2 Jännitys", "84.31 Jännitys", "84.31 Jännitys"),
        ("84.2 Ja\u0308nnitys ja Runot", "84.31 Jännitys ja", "84.31 Jännitys ja Runot"),
        ("84.2 J{u00E4}nnitys {u0410}", "84.31 Jännitys", "84.31 Jännitys {u0410}"),
        ("84.31 J{u00E4}nnitys", "84.31 Jännitys", "84.31 J{u00E4}nnitys"),
        ("84.2 {u00C4}lyk{u00F6}t", "84.31", "84.31 {u00C4}lyk{u00F6}t"),
        ("84.2{u00C4}lyk{u00F6}t", "84.31", "84.31 {u00C4}lyk{u00F6}t"),
        ("84.2 &#x410;нна", "84.31", "84.31 &#x410;нна"),
        ("84.2&#x410;нна", "84.31", "84.31 &#x410;нна"),
        ("{u200E}84.2 Jännitys", "84.31", "84.31 Jännitys"),
        ("84.2 {u201C}2 CD{u201D}", "84.31", "84.31 {u201C}2 CD{u201D}"),
    ],
)
def test_classification_stands_in_front_and_the_genre_words_stay(old: str, classification: str, new: str) -> None:
    made = make_call_number(old, classification)
    assert made == new
    assert make_call_number(made, classification) == new


@pytest.mark.parametrize(
    ("old", "classification", "new", "lost"),
    [
        ("123.45, 678.90 Mystery Romance", "111.22", "111.22 Mystery Romance", "678.90"),
        ("78.891 2 CD", "81.45", "81.45 CD", "2"),
        ('78.891 12" LP', "81.45", "81.45 LP", '12"'),
        ("84.2 2. luokka", "84.31", "84.31 luokka", "2."),
        ("84.2 (2) luokka", "84.31", "84.31 luokka", "(2)"),
        ("84.2 ”2” luokka", "84.31", "84.31 luokka", "”2”"),
        ("84.2 1900", "84.31", "84.31", "1900"),
        ("84.2 3/4 tahti", "84.31", "84.31 tahti", "3/4"),
        ("37.01/.09 Kasvatus", "38", "38 Kasvatus", ".09"),
        ("84.2 \u200b/ 👍 Jännitys", "84.31", "84.31 Jännitys", "👍"),
    ],
)
def test_what_is_dropped_behind_the_number_is_told(old: str, classification: str, new: str, lost: str) -> None:
    assert renew(old, classification) == Renewal(old, new, LEFT_OUT.format(lost, old))


@pytest.mark.parametrize(
    ("old", "classification"),
    [("NoNumbers", "678.90"), ("L 84.2 Jännitys", "84.31"), ("Varasto 84.2", "84.31"), ("(84.2) Jännitys", "84.31")],
)
def test_text_that_does_not_begin_with_a_digit_is_replaced_whole_and_told(old: str, classification: str) -> None:
    assert renew(old, classification) == Renewal(old, classification, WHOLE.format(old), is_unclear=True)


@pytest.mark.parametrize(
    "piece", ["x ", "(", ")", '"', "“„", "/", "\u200b", "{u00E4}", "{u", "&#x", "1 ", "a/", "x x y "]
)
def test_long_text_takes_linear_time(piece: str) -> None:
    def seconds(size: int) -> float:
        text = piece * (size // len(piece))
        began = process_time()
        renew(f"84.2 {text}", f"84.31 {text}z {text}"), renew(f"84.2 {text}x", "84.31")
        return process_time() - began

    once, twice = (min(seconds(size) for _ in range(3)) for size in (10_000, 20_000))
    assert twice < 3.5 * once + 0.02
