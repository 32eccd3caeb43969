"""The text of a call number: the classification in front, the genre words of the old text behind it. Pure.

Here because the notifier (what to write) and the sync (what is done already) both need it, and know nothing of each
other. Codes count as the characters that they mean, and what is kept of the old text stays as it was read. Blanks,
slashes and invisible characters part words.
"""

import unicodedata
from collections import Counter
from dataclasses import dataclass

from runtime.characters import decode, is_invisible, is_visible, split_characters

BRACKETS = "([{"
QUOTES = "\"'«»“”„‘’‹›"
HYPHENS = "-–"
# The openers that a character can end. Quotes pair as in Finnish (” ”, » »), English, German and French.
ENDS = {
    **{")": "(", "]": "[", "}": "{", '"': '"', "'": "'"},
    **{"»": "«»", "«": "»", "›": "‹›", "‹": "›", "”": "“”„", "“": "„", "’": "‘’"},
}


@dataclass(frozen=True, slots=True)
class Renewal:
    """A call number before and after. `remark`: the part of the old text that is lost, in a sentence; None: no part.

    `is_unclear`: the old text does not begin with a digit, so all of it is lost.
    """

    before: str
    after: str
    remark: str | None = None
    is_unclear: bool = False


def make_call_number(old: str, classification: str) -> str:
    """The renewed text: "84.2 Jännitys" with 84.31 gives "84.31 Jännitys"."""
    return renew(old, classification).after


def renew(old: str, classification: str) -> Renewal:
    """Renew a call number. One that has the classification in front is only stripped."""
    characters = _stripped(old)
    text = decode("".join(characters))
    number = " ".join("".join(_stripped(classification)).split())
    if has_in_front(old, number):
        return Renewal(old, "".join(characters))
    if not text:
        return Renewal(old, number)
    if not begins_with_digit(old):
        return Renewal(old, number, f"{text!r} was replaced whole, for it does not begin with a class number", True)
    spaced = "".join(" " if _parts_words(character) else character for character in text)
    begin = _genre_begins(spaced)
    lost = _without_ends(text[len(spaced.partition(" ")[0]) : begin])
    # Words with which the classification ends and the genre begins stand once.
    twice = _overlap(_folded_words(decode(number)), _folded_words(spaced[begin:]))
    rest = "".join(spaced[begin:].split(maxsplit=twice)[twice:])
    genre = "".join(characters[len(characters) - len(rest) :])
    return Renewal(
        old, f"{number} {genre}" if genre else number, f"{lost!r} was left out of {text!r}" if lost else None
    )


def begins_with_digit(call_number: str) -> bool:
    """Return whether it begins with a digit, as a class number does, after blanks and invisible characters."""
    return decode("".join(_stripped(call_number)))[:1].isdecimal()


def is_relabelled(call_number: str, classification: str | None) -> bool | None:
    """Return whether an update would change no word of it; None where there is no classification to write."""
    return has_in_front(call_number, classification) if classification and is_visible(classification) else None


def has_in_front(call_number: str, classification: str) -> bool:
    """Return whether it is the classification, or begins with it and a blank."""
    return f"{_words(call_number)} ".startswith(f"{_words(classification)} ")


def _words(text: str) -> str:
    """The text's words with a blank between them, codes decoded."""
    # Plain texts, nearly all, are not looked at character by character: the sync asks for each row of a batch.
    if not text.isprintable() or "{u" in text or "&#x" in text:
        text = decode("".join(_stripped(text)))
    return " ".join(text.split())


def _stripped(text: str) -> list[str]:
    """The text's characters from the first to the last visible one."""
    characters = split_characters(text)
    visible = [place for place, character in enumerate(characters) if is_visible(character)]
    return characters[visible[0] : visible[-1] + 1] if visible else []


def _parts_words(character: str) -> bool:
    return character == "/" or character.isspace() or is_invisible(character)


def _without_ends(text: str) -> str:
    """The text as it was read, from its first word to its last."""
    words = [place for place, character in enumerate(text) if not _parts_words(character)]
    return text[words[0] : words[-1] + 1] if words else ""


def _genre_begins(spaced: str) -> int:
    """The index at which the genre begins in a text that begins with a number; the text's length where there is none.

    With the word that holds the first letter; or with that letter, and what opens before it, where the word is the
    number's own. And never between a bracket or quote and its end.
    """
    letter = next((place for place, character in enumerate(spaced) if character.isalpha()), len(spaced))
    if letter == len(spaced):
        return letter
    begin = spaced.rfind(" ", 0, letter) + 1
    if begin == 0:
        begin = letter - (spaced[letter - 1] in BRACKETS + QUOTES + HYPHENS)
    return _outermost_open(spaced, begin)


def _outermost_open(spaced: str, end: int) -> int:
    """The index of the first bracket or quote that is open at `end`; `end` where none is."""
    opened: Counter[str] = Counter()
    outermost, may_open = end, True
    for place, character in enumerate(spaced[:end]):
        if ended := next((opener for opener in ENDS.get(character, "") if opened[opener]), None):
            opened[ended] -= 1
            may_open = False
        elif character in BRACKETS or (character in QUOTES and may_open):
            outermost = outermost if opened.total() else place
            opened[character] += 1
            may_open = True
        else:
            # A quote opens at the beginning of a word only: the one in `12" LP` is none.
            may_open = character == " "
    return outermost if opened.total() else end


def _folded_words(text: str) -> list[str]:
    """The words as they are compared, whatever their case."""
    spaced = "".join(" " if _parts_words(character) else character for character in text)
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", spaced).casefold()).split()


def _overlap(front: list[str], behind: list[str]) -> int:
    """The most words with which `front` ends and `behind` begins; found in linear time, by Knuth, Morris and Pratt."""
    words = [*behind, "", *front]  # no word is empty, so no overlap goes on beyond `behind`
    borders = [0]
    for word in words[1:]:
        length = borders[-1]
        while length and words[length] != word:
            length = borders[length - 1]
        borders.append(length + (words[length] == word))
    return borders[-1]
