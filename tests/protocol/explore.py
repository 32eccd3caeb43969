"""The search of all states that a protocol can reach, breadth first: a broken promise is told by its shortest story."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple

from tests.protocol.rules import Protocol
from tests.protocol.states import NO, Due, Holder, Item, Lease, Phase, Remembers, swap

World = tuple[Item, ...]

PEOPLE = ("sync", "mark", "revert", "retry", "dismiss")
TIME = ("end_lease", "end_lateness", "catch_up", "fail_over")
OF_ALL_ITEMS = ("crash", "lose_session")
NOTIFIER = {
    Phase.IDLE: ("claim", "recheck", "give_back"),
    Phase.READ: ("send", "finish", "postpone", "reject"),
    Phase.SENT: ("hear", "hear_falsely", "stop_in_doubt", "fail_in_doubt", "be_refused", "hear_nothing"),
    Phase.WRITTEN: ("finish",),
    Phase.IGNORED: ("finish",),
    Phase.SILENT: ("postpone", "reject"),
}


class Story(NamedTuple):
    """The broken promise and the way there, or None and nothing; and how much was looked at."""

    broken: str | None
    lines: list[str]
    states: int
    depth: int


def every_mark_is_pushed_or_dismissed_or_waits(item: Item) -> bool:
    """An item that has left the queue was pushed with the class of its newest mark, or a later one, or dismissed."""
    return item.db.row is not None or not item.db.owed


def at_rest_sierra_has_what_history_says(item: Item) -> bool:
    """With nothing under way, to be recorded or queued, but for a rejected revert, Sierra has the text of history."""
    busy = any(hand.phase in (Phase.SENT, Phase.SILENT) or hand.remembers == Remembers.TELL for hand in item.hands)
    is_queued = item.db.row and not (item.db.row.due == Due.NEVER and item.db.row.revert_of)
    at_rest = not (is_queued or item.late or busy)
    return not at_rest or item.db.told in (None, item.sierra) or item.ignored > 0


def no_write_is_sent_within_two_timeouts_of_another(item: Item) -> bool:
    """While a lease counts, no two writes are under way, nor may one be done that was sent just before the other."""
    sent = sum(hand.phase == Phase.SENT and hand.may_write for hand in item.hands)
    return sent == 0 or sent + any(write.is_young for write in item.late) == 1


def one_false_answer_at_most_is_believed(item: Item) -> bool:
    """A Sierra that does not what it says is found out by the next mark, or by a look that is still to come."""
    return item.ignored <= 1 or item.db.row is not None or item.db.told in (None, item.sierra)


PROMISES = (
    every_mark_is_pushed_or_dismissed_or_waits,
    at_rest_sierra_has_what_history_says,
    no_write_is_sent_within_two_timeouts_of_another,
    one_false_answer_at_most_is_believed,
)


def a_good_end_is_near(world: World) -> bool:
    """Nothing waits but for a person, and nobody is at work."""
    return all(
        (item.db.row is None or item.db.row.due == Due.NEVER)
        and not item.late
        and all(hand.phase == Phase.IDLE and hand.remembers == NO for hand in item.hands)
        for item in world
    )


def explore(
    protocol: Protocol,
    *,
    items: int = 1,
    depth: int = 10**6,
    standby: str = NO,
    without: str = "",
    after: Sequence[str] = (),
    promises: Sequence[Callable[[Item], bool]] = PROMISES,
) -> Story:
    """Look at all states up to a depth: each must keep the promises, and have a way to a good end without people.

    `after`: the steps that have been taken before, of one item.
    """
    start: World = (Item(standby=standby),) * items
    for name in after:
        start = dict(steps(protocol, start))[name]
    came_from: dict[World, tuple[str, World] | None] = {start: None}
    leads_from: dict[World, list[World]] = defaultdict(list)
    left_out, level, reached = set(without.split()), [start], 0
    while level and reached < depth:
        reached, following = reached + 1, []
        for world in level:
            for step, new in steps(protocol, world):
                name = step.split()[-1]
                if new == world or name in left_out:
                    continue
                known = next((twin for twin in twins(new) if twin in came_from), None)
                if known is None:
                    known = new
                    came_from[new] = (step, world)
                    following.append(new)
                    for promise in promises:
                        if not all(map(promise, new)):
                            return Story(promise.__name__, tell(came_from, new), len(came_from), reached)
                if name not in PEOPLE:
                    leads_from[known].append(world)
        level = following
    if not level and (stuck := next(iter(without_good_end(came_from, leads_from)), None)):
        return Story("every_row_comes_to_a_good_end", tell(came_from, stuck), len(came_from), reached)
    return Story(None, [], len(came_from), reached)


def without_good_end(all_worlds: Collection[World], leads_from: dict[World, list[World]]) -> Iterator[World]:
    """The worlds from which no steps but people's lead to a good end, the nearest first."""
    ends = [world for world in all_worlds if a_good_end_is_near(world)]
    good = set(ends)
    while ends:
        new = [world for world in leads_from[ends.pop()] if world not in good]
        good.update(new)
        ends += new
    return (world for world in all_worlds if world not in good)


def steps(protocol: Protocol, world: World) -> Iterator[tuple[str, World]]:
    """All that may happen next, by name."""
    for i, item in enumerate(world):
        where = f"item {i + 1}: " if len(world) > 1 else ""
        for name, after in steps_of(protocol, item):
            yield where + name, (*world[:i], after, *world[i + 1 :])
    for n, notifier in enumerate("AB"):
        for name in OF_ALL_ITEMS:
            happens: Callable[[Item, int], Item] = getattr(protocol, name)
            yield f"{notifier} {name}", tuple([happens(item, n) for item in world])


def steps_of(protocol: Protocol, item: Item) -> Iterator[tuple[str, Item]]:
    """All that may happen next to one item."""
    for name in PEOPLE + TIME:
        if after := getattr(protocol, name)(item):
            yield name, after
    for text in {write.text for write in item.late}:
        if after := protocol.land(item, text):
            yield "land", after
    for n, notifier in enumerate("AB"):
        for name in NOTIFIER[item.hands[n].phase]:
            if after := getattr(protocol, name)(item, n):
                yield f"{notifier} {name}", after


def twins(world: World) -> Iterator[World]:
    """The world, and those that differ from it by names alone."""
    yield world
    swapped = tuple([swap(item) for item in world])
    yield swapped
    if len(world) == 2:
        yield world[::-1]
        yield swapped[::-1]


def tell(came_from: dict[World, tuple[str, World] | None], world: World) -> list[str]:
    """The way to a world, a line per step."""
    lines: list[str] = []
    while before := came_from[world]:
        lines.append(f"{before[0]:22} -> " + " | ".join(map(describe, world)))
        world = before[1]
    return lines[::-1]


def describe(item: Item) -> str:
    """The item in a line: its row, the notifiers' writes, Sierra and history."""
    row, told = item.db.row, item.db.told
    parts = ["not queued" if row is None else f"due {row.due}"]
    if row and row.lease != Lease.FREE:
        holder = {0: "A's", 1: "B's", Holder.GONE: "a dead notifier's", Holder.NOBODY: "a kept"}.get(
            row.holder, "a lost"
        )
        parts.append(f"{holder} lease {row.lease}")
    if row:
        parts += [
            text
            for text in (row.was_marked * "marked again", row.is_look * "a look", row.revert_of and "a revert")
            if text
        ]
        parts += [f"unanswered {row.unanswered}"] * (row.unanswered != NO)
    parts += [
        f"{who} {hand.phase} {hand.text}"
        for who, hand in zip("AB", item.hands, strict=True)
        if hand.phase != Phase.IDLE
    ]
    parts += [f"{write.text} may come late" for write in item.late]
    return f"{', '.join(parts)}; Sierra has {item.sierra}, history says {'unknown' if told is None else told}"
