"""The languages of the pages: English sentences are the keys, `locale/LANGUAGE/*.po` have the others.

The files are read at the start: there is no step that compiles them.
"""

from collections.abc import Mapping
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from io import BytesIO
from types import MappingProxyType

from babel.core import Locale, negotiate_locale
from babel.messages import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGES: Mapping[str, str] = MappingProxyType({"fi": "suomi", "sv": "svenska", "en": "English"})


def N_(sentence: str) -> str:  # noqa: N802  # gettext's own name
    """The same sentence, which is translated where it is shown."""
    return sentence


@cache
def translations(language: str) -> NullTranslations:
    """The sentences of a language. English ones are their own."""
    if language == "en":
        return NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, read_catalog(language))
    compiled.seek(0)
    return GNUTranslations(compiled)


def read_catalog(language: str) -> Catalog:
    """All translations of a language, from its files. A sentence that two of them have is one."""
    whole = Catalog(locale=language)
    folder = files("console") / "locale" / language
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        with file.open("rb") as text:
            for message in read_po(text, locale=language):
                if message.id:
                    whole.add(message.id, message.string, flags=message.flags)
    return whole


def choose(wanted: str | None, accepted: str | None) -> str:
    """The person's language, else the first of ours in the browser's Accept-Language, else English."""
    if wanted is not None:
        return wanted
    named = [part.partition(";")[0].strip().replace("-", "_") for part in (accepted or "").split(",")[:20]]
    return negotiate_locale([name for name in named if name], list(LANGUAGES)) or "en"


def locale_of(language: str) -> Locale:
    """Babel's locale, for times and numbers."""
    return Locale.parse("en_GB" if language == "en" else language)
