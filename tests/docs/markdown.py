"""The pages' blocks, tables, links and code, as plain data."""

import re
from pathlib import Path
from typing import NamedTuple

HOUSE = Path(__file__).resolve().parents[2]
PAGES = sorted(file.relative_to(HOUSE).as_posix() for file in (*HOUSE.glob("*.md"), *HOUSE.glob("docs/**/*.md")))

_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


class Block(NamedTuple):
    """A fenced block, and the heading that it stands below."""

    heading: str
    text: str


def read(page: str) -> str:
    """The page as it is."""
    return (HOUSE / page).read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[Block]:
    """The fenced blocks in that language, in their order."""
    text = read(page)
    found = []
    for fenced in _FENCED.finditer(text):
        if fenced[1] == language:
            *_, heading = ["", *_HEADING.findall(prose_of(text[: fenced.start()]))]
            found.append(Block(heading, fenced[2]))
    return found


def prose_of(text: str) -> str:
    """The text without its fenced blocks."""
    return _FENCED.sub("", text)


def code(page: str) -> list[str]:
    """The text in backticks outside fenced blocks."""
    return re.findall(r"`([^`\n]+)`", prose_of(read(page)))


def links(page: str) -> list[str]:
    """The targets of the page's links."""
    return re.findall(r"\]\(([^)\s]+)\)", prose_of(read(page)))


def anchors(page: str) -> set[str]:
    """The names by which links find the page's headings, as GitHub makes them."""
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings(page)}


def headings(page: str) -> list[str]:
    """The page's headings, without their number signs."""
    return _HEADING.findall(prose_of(read(page)))


def table(page: str, heading: str) -> list[list[str]]:
    """The cells of the first table below that heading, row by row, without its two head lines."""
    _, _, below = prose_of(read(page)).partition(f"# {heading}\n")
    lines = re.search(r"(?:^\|.*\n)+", below, re.MULTILINE)
    assert lines, f"{page} has no table below {heading}"
    _, _, *rows = lines[0].splitlines()
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
