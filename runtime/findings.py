"""Findings of checks: ok or not, and then what to do."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a check. problem: pushes are missing or late until a person acts; warning: a person should know."""

    level: Level
    check: str
    text: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.text}. {self.advice}" if self.advice else self.text
