"""Characters as people see them: codes decoded, invisible ones recognised.

Sierra writes what its own character set lacks as `{u00E4}`, and records that were converted from MARC-8 have
`&#x410;`. Here because api (shelfmarks) and notifier (call numbers, Sierra's messages) both need it, and know nothing
of each other.
"""

import re
import unicodedata

_CODE = re.compile(r"\{u([0-9A-Fa-f]{3,4})\}|&#x([0-9A-Fa-f]{1,6});")


def decode(text: str) -> str:
    """The text with the characters that its codes mean. The code of no character (`{uD800}`) stays as it is."""
    return _CODE.sub(_meaning, text) if "{u" in text or "&#x" in text else text


def split_characters(text: str) -> list[str]:
    """The text's characters as it has them, each alone or as its code. Joined they are the text again."""
    characters, end = list[str](), 0
    for code in _CODE.finditer(text):
        characters += text[end : code.start()]
        characters += code[0] if _meaning(code) == code[0] else [code[0]]
        end = code.end()
    return [*characters, *text[end:]]


def is_invisible(character: str) -> bool:
    """True for a format or control character that is no blank, U+200B for instance."""
    return not character.isprintable() and not character.isspace() and unicodedata.category(character) in ("Cc", "Cf")


def is_visible(text: str | None) -> bool:
    """True if a person would see any of the text: it does not consist of blanks and invisible characters alone."""
    text = text or ""
    return text[:1].isalnum() or any(not one.isspace() and not is_invisible(one) for one in decode(text))


def drop_invisible(text: str, but: str = "") -> str:
    """The text without its invisible characters, except those in `but`."""
    if text.isprintable():
        return text
    return "".join(character for character in text if character in but or not is_invisible(character))


def _meaning(code: re.Match[str]) -> str:
    number = int(code[1] or code[2], 16)
    is_character = number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF
    return chr(number) if is_character else code[0]
