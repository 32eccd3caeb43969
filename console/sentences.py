"""Sentences to be translated: English with named places, and the values that stand there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from gettext import NullTranslations
from typing import Union


@dataclass(frozen=True, slots=True)
class AtLeast:
    """A number beyond which nothing was counted."""

    number: int


Plain = int | str | datetime | timedelta | AtLeast
Value = Union[Plain, "Sentence"]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence in English, and its form for a `number` other than one, where it has two."""

    one: str
    values: Mapping[str, Value]
    many: str | None = None
    number: int = 1


def sentence(text: str, /, **values: Value) -> Sentence:
    """A sentence with these values in its places."""
    return Sentence(text, values)


def sentences(one: str, many: str, number: int | AtLeast, /, **values: Value) -> Sentence:
    """A sentence about a number, which is its value `number`."""
    count = number.number if isinstance(number, AtLeast) else number
    return Sentence(one, {"number": number, **values}, many, count)


def say(said: Sentence, language: NullTranslations, show: Callable[[Plain], str]) -> str:
    """The sentence in a language, each value as `show` has it."""
    text = language.gettext(said.one) if said.many is None else language.ngettext(said.one, said.many, said.number)
    shown = {
        name: say(value, language, show) if isinstance(value, Sentence) else show(value)
        for name, value in said.values.items()
    }
    return text % shown
