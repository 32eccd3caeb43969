"""The verdict: from a snapshot of the whole, what keeps items waiting, in words, and what to do. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from console.causes import AWAY, Cause
from console.database_causes import find_database_causes
from console.notifier_causes import find_notifier_causes
from console.queue_causes import find_queue_causes
from console.sentences import AtLeast, Sentence, sentence, sentences
from console.sync_causes import find_sync_causes
from db.snapshot import Snapshot

LEVELS = ("problem", "warning", "notice")


@dataclass(frozen=True, slots=True)
class Verdict:
    """One sentence, and all causes: first those that stop everything, then by what keeps the most items waiting."""

    headline: Sentence
    causes: Sequence[Cause]

    @property
    def is_well(self) -> bool:
        """Return whether no person need look."""
        return all(cause.level == "notice" for cause in self.causes)


def judge(snapshot: Snapshot | None) -> Verdict:
    """The verdict on a snapshot; on None, that the database is away."""
    if snapshot is None:
        return Verdict(AWAY.sentence, [AWAY])
    causes = sorted(_find_causes(snapshot), key=_rank)
    verdict = Verdict(_all_is_well(snapshot), causes)
    return verdict if verdict.is_well else Verdict(causes[0].sentence, causes)


def _find_causes(snapshot: Snapshot) -> Iterator[Cause]:
    yield from find_database_causes(snapshot)
    # Where the database can't be written, no heartbeat is either: what it says of the notifiers is out of date.
    stops = [] if snapshot.only_reads else list(find_notifier_causes(snapshot))
    yield from stops
    yield from find_queue_causes(snapshot, is_stopped=snapshot.only_reads or any(cause.stops_all for cause in stops))
    yield from find_sync_causes(snapshot)


def _rank(cause: Cause) -> tuple[bool, bool, int, int]:
    """Put first a cause that stops everything, for all that is marked from now on waits too; notices come last."""
    return cause.level == "notice", not cause.stops_all, -cause.items, LEVELS.index(cause.level)


def _all_is_well(snapshot: Snapshot) -> Sentence:
    labels: int | AtLeast = snapshot.labels_today
    if snapshot.more_labels_today:
        labels = AtLeast(snapshot.labels_today)
    if not snapshot.labels_today:
        return sentence("All is well: no label today yet.")
    if not snapshot.pushes:
        return sentences("All is well: %(number)s label today.", "All is well: %(number)s labels today.", labels)
    return sentences(
        "All is well: %(number)s label today, the last one in Sierra %(span)s ago.",
        "All is well: %(number)s labels today, the last one in Sierra %(span)s ago.",
        labels,
        span=timedelta(seconds=snapshot.pushes[0].ended_seconds),
    )
