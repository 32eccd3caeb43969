"""Every sentence of the pages is there in every language, and no translation is left over.

A word of the database that is shown by `_(row.state)` stands once in Python, as `N_("revoked")`.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

from console.languages import read_catalog
from tests.docs.markdown import HOUSE

FOLDER = HOUSE / "console"
KEYWORDS = {"N_": None, "_": None, "ngettext": (1, 2), "sentence": None, "sentences": (1, 2)}
OPTIONS = {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}  # as console/layout.py has them
PLACE = re.compile(r"%\((\w+)\)s")
# Words that name a thing a second time, or another thing: a client of the API is no patron, a dismissal no rejection.
OTHER_NAMES = {
    "fi": r"asiak|hyllypaik|\bhylkää|\bhylätä\b|perumi|täsmäyt",
    "sv": "avfärd|synkning|utskriftsplats|skicka",
}


def sentences() -> Iterator[str | tuple[str, ...]]:
    """The sentences of templates and code."""
    methods: dict[str, Any] = {"*.html": babel_extract, "*.py": "python"}
    for pattern, method in methods.items():
        for file in FOLDER.rglob(pattern):
            with file.open("rb") as text:
                for _, message, _, _ in extract(method, text, KEYWORDS, options=OPTIONS):
                    yield message


SENTENCES = set(sentences())


@pytest.mark.parametrize("language", ["fi", "sv"])
def test_every_sentence_is_translated_and_no_other(language: str) -> None:
    translated = {message.id for message in read_catalog(language) if message.id and message.string}
    assert translated == SENTENCES


@pytest.mark.parametrize("language", ["fi", "sv"])
def test_translation_has_the_places_of_its_sentence(language: str) -> None:
    for message in read_catalog(language):
        if message.id:
            *_, last = [message.string] if isinstance(message.string, str) else message.string or [""]
            assert set(PLACE.findall(last or "")) == set(PLACE.findall(str(message.id))), message.id


@pytest.mark.parametrize("language", ["fi", "sv"])
def test_a_sentence_has_one_translation(language: str) -> None:
    told: dict[Any, set[Any]] = {}
    for file in (FOLDER / "locale" / language).iterdir():
        with file.open("rb") as text:
            for message in read_po(text, locale=language):
                told.setdefault(message.id, set()).add(message.string)
    assert {sentence: texts for sentence, texts in told.items() if sentence and len(texts) > 1} == {}


@pytest.mark.parametrize(("language", "others"), OTHER_NAMES.items())
def test_a_thing_has_one_name_in_a_language(language: str, others: str) -> None:
    strings = [message.string or "" for message in read_catalog(language) if message.id]
    texts = [text for string in strings for text in ([string] if isinstance(string, str) else string)]
    assert [text for text in texts if re.search(others, text, re.IGNORECASE)] == []
