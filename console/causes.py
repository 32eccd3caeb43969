"""A cause of the verdict: what is the matter, what to do, and how many items wait for it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from console.sentences import AtLeast, Sentence, sentence, sentences
from db.snapshot import MOST, Snapshot

Level = Literal["problem", "warning", "notice"]


@dataclass(frozen=True, slots=True)
class Cause:
    """problem: pushes are missing or late until a person acts; warning: a person should look; notice: none need.

    `code` is one word for it, `quoted` what Sierra, PostgreSQL or a person said, `page` the page where to act.
    """

    code: str
    level: Level
    sentence: Sentence
    advice: Sentence
    items: int = 0
    stops_all: bool = False
    quoted: str | None = None
    page: str | None = None


AWAY = Cause(
    "away",
    "problem",
    sentence("The database does not answer: labels can't be reported, and nothing is sent to Sierra."),
    sentence("Ask the database's administrator to look at the server. Nothing that was taken is lost."),
    stops_all=True,
)


def counted(items: int) -> int | AtLeast:
    """The number as it is shown: the snapshot counts no further than `MOST`."""
    return items if items <= MOST else AtLeast(MOST)


def stop(
    snapshot: Snapshot,
    code: str,
    level: Level,
    why: Sentence,
    advice: Sentence,
    quoted: str | None = None,
    page: str | None = None,
) -> Cause:
    """A cause for which everything waits, with the number that does and since when."""
    items, seconds = snapshot.count("waiting"), oldest_seconds(snapshot)
    if items and seconds is not None:
        why = sentences(
            "%(number)s item waits since %(since)s: %(why)s",
            "%(number)s items wait since %(since)s: %(why)s",
            counted(items),
            since=snapshot.as_of - timedelta(seconds=seconds),
            why=why,
        )
    return Cause(code, level, why, advice, items, True, quoted, page)


def oldest_seconds(snapshot: Snapshot) -> float | None:
    """For how long the oldest item that waits could have been claimed; None where none waits."""
    return max((group.oldest_seconds or 0 for group in snapshot.queue if group.state == "waiting"), default=None)
