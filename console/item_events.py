"""An item's story as one line of time: marks, pushes and their ends, and when Sierra showed them. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from console.languages import N_
from db.item_story import Story

ENDS = {
    "pushed": N_("Written to Sierra: %(before)s → %(after)s, in %(ms)s ms, at try %(attempts)s"),
    "unchanged": N_("Nothing to write: Sierra had %(after)s already"),
    "rejected": N_("Rejected after %(attempts)s tries"),
    "dismissed": N_("Taken off the queue by %(by)s"),
}
MARKED, UNDOING = N_("Marked by %(by)s"), N_("To be undone, says %(by)s: push %(row)s")
UNDONE = N_("Push %(row)s undone: %(before)s → %(after)s")
SHOWN = N_("Sierra shows it")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to the item. `undoable`: the row of history, if an undo of it can be asked for."""

    at: datetime
    sentence: str
    values: dict[str, Any] = field(default_factory=dict)
    reason: str | None = None
    reason_code: str | None = None
    undoable: int | None = None


def tell_story(story: Story) -> list[Event]:
    """The events, the newest first."""
    rows = [*story.outcomes, story.queued] if story.queued else story.outcomes
    marks = {row["queued_at"]: _entered(row) for row in rows}  # one for all ends that it had: a rejected item stays
    events = [*marks.values(), *(event for row in story.outcomes for event in _of_outcome(row))]
    return sorted(events, key=lambda event: event.at, reverse=True)


def _of_outcome(row: dict[str, Any]) -> Iterator[Event]:
    before, after = row["call_number_before"] or "–", row["call_number_after"] or "–"
    by, undone = row["queued_by"], row["revert_of"]
    is_undone = undone is not None and row["outcome"] == "pushed"
    values = {
        "before": before,
        "after": after,
        "ms": "–" if row["sierra_ms"] is None else row["sierra_ms"],
        "attempts": row["attempts"],
        "by": row["finished_by"] if row["outcome"] == "dismissed" else by,
        "row": undone,
    }
    can_be_undone = row["outcome"] == "pushed" and before != after and before.strip() not in ("", "–")
    yield Event(
        row["finished_at"],
        UNDONE if is_undone else ENDS[row["outcome"]],
        values,
        row["reason"],
        row["reason_code"],
        row["update_log_id"] if can_be_undone else None,
    )
    if row["shown_at"]:
        yield Event(row["shown_at"], SHOWN)


def _entered(row: dict[str, Any]) -> Event:
    sentence = MARKED if row["revert_of"] is None else UNDOING
    return Event(row["queued_at"], sentence, {"by": row["queued_by"], "row": row["revert_of"]})
