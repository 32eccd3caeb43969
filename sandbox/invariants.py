"""Checks the promises that hold after any fault, from the marks acknowledged, Sierra's journal and the tables alone.

1. Every acknowledged mark ended: pushed, found to be so already, rejected with a reason, or dismissed.
2. What Sierra has last is the classification that held at the last mark, or one that came after it.
3. No two writes of one item overlap.
4. Nothing but the call number changes in an item's varFields.
5. No call number is ever empty, or `None`.
6. Barcodes are read, or told that the database is away; never an error of ours.
7. A push that was to be undone is, or it was refused with a reason, or the item was marked since: Sierra has what was
   there before that push, or what it had when it was refused.
8. What history calls pushed, Sierra had then; or Sierra said 204 and did nothing, which the item's next push finds, or
   which could not be checked, as history says.

Times are of one machine's clock. The caller waits for the queue to drain in time.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from db.queue import NOT_CHECKED
from sandbox.journal import Entry
from sandbox.records import Record

WRITTEN = ("pushed", "unchanged")
ANSWERS = (200, 503)


@dataclass(frozen=True, slots=True)
class Logged:
    """A row of update_log. `undoes`: the call number before the push that a revert was to undo; None: no revert."""

    number: str
    outcome: str
    finished_at: datetime
    error: str | None
    call_number_after: str | None = None
    undoes: str | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """All facts of a run, by the items' numbers in Sierra."""

    marks: Sequence[tuple[str, datetime]]  # acknowledged ones, and when they were sent
    classifications: Mapping[str, Sequence[tuple[datetime, str | None]]]  # since when each, oldest first
    before: Mapping[str, Record]
    after: Mapping[str, Record]
    writes: Sequence[Entry]  # every PUT, answered or not
    waiting: Collection[str]  # due some time, or in flight
    log: Sequence[Logged]  # oldest first
    reads: Sequence[int] = ()
    reverts: Sequence[tuple[str, datetime]] = ()  # queued ones, and when they were asked for
    lapsed: Collection[int] = field(
        default=()
    )  # writes of a notifier that was stopped inside them until its lease had lapsed
    silenced_ns: Sequence[int] = ()  # when wires to Sierra had fallen silent: a client that leaves is not seen there


def broken(story: Story) -> list[str]:
    """Return a sentence for each promise that was broken."""
    checks = (_unfinished, _outdated, _not_undone, _overlapping, _damaged, _empty, _unread, _untrue)
    return [sentence for check in checks for sentence in check(story)]


def _last(asked: Sequence[tuple[str, datetime]]) -> dict[str, datetime]:
    last: dict[str, datetime] = {}
    for number, sent_at in asked:
        last[number] = max(sent_at, last.get(number, sent_at))
    return last


def _unfinished(story: Story) -> Iterator[str]:
    ends = {row.number: row for row in story.log if row.undoes is None}
    for number, sent_at in _last(story.marks).items():
        end = ends.get(number)
        if number in story.waiting:
            yield f"item {number} still waits"
        elif end is None or end.finished_at < sent_at:
            yield f"item {number} was marked at {sent_at:%T.%f}, and nothing came of it"
        elif end.outcome == "rejected" and not end.error:
            yield f"item {number} was rejected without a reason"


def _outdated(story: Story) -> Iterator[str]:
    ends = {row.number: row for row in story.log}
    for number, marked_at in _last(story.marks).items():
        end = ends.get(number)
        if end is None or end.outcome not in WRITTEN or end.undoes is not None:
            continue
        values = story.classifications[number]
        overtaken = sum(since <= marked_at for since, _ in values[1:])
        allowed = [value for _, value in values[overtaken:]]
        for call_number in story.after[number].call_numbers() or [""]:
            if not any(value is None or f"{call_number} ".startswith(f"{value} ") for value in allowed):
                yield f"item {number} is {call_number!r} in Sierra, not {allowed}"


def _not_undone(story: Story) -> Iterator[str]:
    ends = {row.number: row for row in story.log}
    for number, sent_at in _last(story.reverts).items():
        end = ends.get(number)
        if number in story.waiting:
            yield f"item {number}, a push of which was to be undone, still waits"
        elif end is None or end.finished_at < sent_at:
            yield f"a push of item {number} was to be undone at {sent_at:%T.%f}, and nothing came of it"
        elif end.undoes is not None and end.outcome == "rejected" and not end.error:
            yield f"the revert of item {number} was rejected without a reason"
    for number, end in ends.items():
        expected = end.undoes if end.outcome in WRITTEN else end.call_number_after
        found = story.after[number].call_numbers()
        if end.undoes is not None and expected is not None and found[:1] != [expected]:
            yield f"item {number} is {found} in Sierra, and its last revert left {expected!r}"


def _overlapping(story: Story) -> Iterator[str]:
    writes = sorted((one for one in story.writes if one.number not in story.lapsed), key=lambda one: one.arrived_ns)
    for number in story.before:
        for one, other in pairwise(write for write in writes if number in write.item_numbers):
            ended_ns = _ended_ns(one, story.silenced_ns)
            if ended_ns is None or ended_ns > other.arrived_ns:
                yield f"writes {one.number} and {other.number} of item {number} overlap"


def _ended_ns(write: Entry, silenced_ns: Sequence[int]) -> int | None:
    """When it ended; or when its wire fell silent under it, for Sierra is not told then that its client has left."""
    hidden = [at for at in silenced_ns if write.arrived_ns <= at and (write.ended_ns is None or at < write.ended_ns)]
    return min(hidden, default=write.ended_ns)


def _damaged(story: Story) -> Iterator[str]:
    for number, record in story.before.items():
        if _others(record) != _others(story.after[number]):
            yield f"item {number} has other varFields than before"


def _others(record: Record) -> list[str]:
    """The varFields without the call number's, to the byte."""
    return [json.dumps(var_field) for var_field in record.var_fields if var_field["fieldTag"] != "c"]


def _empty(story: Story) -> Iterator[str]:
    for write in story.writes:
        if any(not text.strip() or "None" in text for text in _call_numbers(write.patch)):
            yield f"write {write.number} of item {write.item_numbers[0]} has an empty call number"


def _call_numbers(patch: Any) -> Iterator[str]:
    for var_field in (patch or {}).get("varFields", ()):
        if var_field.get("fieldTag") == "c":
            for part in var_field.get("subfields") or (var_field,):
                yield str(part.get("content") or "")


def _unread(story: Story) -> Iterator[str]:
    for status in sorted(set(story.reads).difference(ANSWERS)):
        yield f"{story.reads.count(status)} reads of a barcode were answered {status}"


def _untrue(story: Story) -> Iterator[str]:
    writes = defaultdict[str, list[Entry]](list)
    for write in sorted(story.writes, key=_done_at):
        writes[write.item_numbers[0]].append(write)
    had = {number: record.call_numbers() for number, record in story.before.items()}
    said = dict[str, str]()
    for row in story.log:
        if row.outcome != "pushed" or row.call_number_after is None:
            continue
        those = [write for write in writes[row.number] if _done_at(write) <= row.finished_at]
        del writes[row.number][: len(those)]
        texts = [had[row.number], *(write.call_numbers for write in those if write.call_numbers is not None)]
        had[row.number] = texts[-1]
        said_before, said[row.number] = said.get(row.number), row.call_number_after
        is_first = said_before is None or any(said_before in text for text in texts)
        is_ignored = any(write.write == "never" for write in those)
        is_doubted = NOT_CHECKED in (row.error or "")
        if not any(row.call_number_after in text for text in texts) and not (is_ignored and (is_first or is_doubted)):
            again = "" if is_first else f", like {said_before!r} before"
            when = f"at {row.finished_at:%T.%f}"
            yield f"item {row.number} was not {row.call_number_after!r} in Sierra when it was logged so {when}{again}"


def _done_at(write: Entry) -> datetime:
    """When it was done; if it never was, when it was sent."""
    return datetime.fromisoformat(write.landed_at or write.arrived_at)
