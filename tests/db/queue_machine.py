"""Every way in which a row of the queue may change, beside the model. Hypothesis makes up the order."""

from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from db import queue, queue_people, sync
from db.history import queue_reverts
from db.marks import mark_items
from db.queue import Pushed
from tests.db import queue_session as plain_sql
from tests.db.queue_model import LEASE_TICKS, Model, Push
from tests.db.queue_session import TICK_SECONDS, Session

Result = TypeVar("Result")
items = st.integers(1, 3)
several = st.sets(items, min_size=1).map(sorted)
notifiers = st.sampled_from(["n1", "n2"])
people = st.sampled_from(["aino", "eero"])
reasons = st.sampled_from(["Sierra has no such item", "somebody is using the item"])
parts = st.sampled_from(["Sierra", "using the item", "item"])
odd_ticks = st.sampled_from([1, 5])
latest = st.sets(st.integers(0, 5), min_size=1, max_size=3).map(sorted)  # 0: the living push that was claimed last
some_are_held = precondition(lambda machine: any(map(machine.model.holds, machine.given)))
some_wait = precondition(lambda machine: machine.model.rows)
some_are_rejected = precondition(lambda machine: machine.model.rejected())
some_are_free = precondition(lambda machine: len(machine.model.rows) < 3)


class QueueMachine(RuleBasedStateMachine):
    """Every way in which a row of the queue may change, beside the model."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.model = Model()
        self.given: list[Push] = []
        self.classifications: dict[int, str] = dict.fromkeys(range(1, 4), "84.31")
        self.plain("DELETE FROM update_queue")
        self.plain("DELETE FROM update_log")
        self.plain(plain_sql.EARLIER)
        self.plain(plain_sql.RESUME)
        self.plain("UPDATE sierra_item SET classification = '84.31'")

    def plain(self, statement: Any, *parameters: Any) -> list[tuple[Any, ...]]:
        """A person's SQL."""
        cursor = self.session.person.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []

    def queue(self, statement: Callable[..., Coroutine[Any, Any, Result]], *given: Any, **named: Any) -> Result:
        """A function of db/queue.py's kind, awaited."""
        self.model.step += 1
        result: Result = self.session.run(statement(self.session.connection, *given, **named))
        return result

    @initialize(chosen=several, undone=several, notifier=notifiers, limit=st.integers(1, 3))
    def begin_with_pushes_under_way(self, chosen: list[int], undone: list[int], notifier: str, limit: int) -> None:
        for item in undone:
            self.revert(item, "aino")
        self.mark([item for item in chosen if item not in undone], "desk 1")
        self.claim(notifier, limit)

    @rule(chosen=several, station=st.sampled_from(["desk 1", "desk 2"]))
    def mark(self, chosen: list[int], station: str) -> None:
        marked = self.queue(mark_items, station, [*chosen, 4711], 0)
        assert sorted(marked) == chosen
        for item in chosen:
            self.model.mark(item, station, 0)

    @rule(item=items, priority=st.sampled_from([1, 2]))
    def mark_by_plain_sql(self, item: int, priority: int) -> None:
        self.model.step += 1
        self.plain(plain_sql.MARK_BY_HAND, item, priority)
        self.model.mark(item, self.session.role, priority, enters_anew=False)

    @some_wait
    @rule(item=items)
    def make_due_by_plain_sql(self, item: int) -> None:
        self.model.step += 1
        self.plain("UPDATE update_queue SET due_at = now() WHERE item_record_id = %s", item)
        self.model.make_due(item)

    @some_wait
    @rule(notifier=notifiers, limit=st.integers(1, 3))
    def claim(self, notifier: str, limit: int) -> None:
        """Of equal ones all or none: which of them are claimed first is chance, and stories have to be repeatable."""
        claimable = self.model.claimable()
        expected = [one for one in claimable if one <= claimable[:limit][-1]]
        claims = self.queue(queue.claim, notifier, len(expected) or limit, LEASE_TICKS * TICK_SECONDS)
        rows = [self.model.rows[claim.item_record_id] for claim in claims]
        assert [(row.priority, row.due, row.order) for row in rows] == expected, "the most urgent first"
        self.given += sorted(self.model.claim(notifier, claims), key=lambda push: push.claim.item_record_id)
        for claim, row in zip(claims, rows, strict=True):
            assert (claim.revision, claim.attempts) == (row.revision, row.attempts)
            assert claim.classification == self.classifications[claim.item_record_id], "as the item is now"
            assert claim.revert_of == row.revert_of

    @some_are_held
    @rule(which=latest, outcome=st.sampled_from(["pushed", "unchanged"]))
    def finish(self, which: list[int], outcome: Any) -> None:
        notifier, pushes = self.pushes_of_one(which)
        done = [Pushed(push.claim, outcome, "84.2", "84.31", None, 7) for push in pushes]
        answer = self.queue(queue.finish, notifier, done)
        expected = [(push.claim.item_record_id, self.model.finish(push, outcome)) for push in pushes]
        assert answer == {item: finished for item, finished in expected if finished is not None}

    @some_are_held
    @rule(which=st.integers(0, 5), ticks=odd_ticks, reason=reasons)
    def postpone(self, which: int, ticks: int, reason: str) -> None:
        notifier, (push,) = self.pushes_of_one([which])
        due_at = self.queue(queue.postpone, notifier, push.claim, ticks * TICK_SECONDS, reason)
        expected = self.model.postpone(push, ticks, reason)
        assert (None if due_at is None else _ticks((due_at - datetime.now(UTC)).total_seconds())) == expected

    @some_are_held
    @rule(which=st.integers(0, 5), reason=reasons)
    def reject(self, which: int, reason: str) -> None:
        _, (push,) = self.pushes_of_one([which])
        self.reject_push(push, reason)

    def reject_push(self, push: Push, reason: str) -> None:
        assert self.queue(queue.reject, push.notifier, push.claim, reason) is self.model.reject(push, reason)

    @some_wait
    @rule(notifier=notifiers, reason=reasons)
    def claim_and_reject(self, notifier: str, reason: str) -> None:
        """The items that are due. By claim and reject alone few rows are rejected, with little to retry or dismiss."""
        already = len(self.given)
        self.claim(notifier, 3)
        for push in self.given[already:]:
            self.reject_push(push, reason)

    @some_are_held
    @rule(which=latest, ticks=st.sampled_from([0, 1, 5]), reason=reasons)
    def release(self, which: list[int], ticks: int, reason: str) -> None:
        notifier, pushes = self.pushes_of_one(which)
        self.queue(queue.release, notifier, [push.claim for push in pushes], ticks * TICK_SECONDS, reason)
        for push in pushes:
            self.model.release(push, ticks, reason)

    def pushes_of_one(self, which: list[int]) -> tuple[str, list[Push]]:
        """These of the living pushes, then the stale, each the latest first; as far as they are one notifier's."""
        latest_first = self.given[::-1]
        ordered = sorted(latest_first, key=lambda push: not self.model.holds(push))
        chosen = [ordered[place % len(ordered)] for place in which]
        return chosen[0].notifier, [push for push in dict.fromkeys(chosen) if push.notifier == chosen[0].notifier]

    @some_are_free
    @rule(place=st.integers(0, 2), person=people)
    def revert_one_that_is_free(self, place: int, person: str) -> None:
        free = [item for item in range(1, 4) if item not in self.model.rows]
        self.revert(free[place % len(free)], person)

    @rule(item=items, person=people)
    def revert(self, item: int, person: str) -> None:
        ((undone,),) = self.plain(plain_sql.PUSHED, item)
        (asked,) = self.queue(queue_reverts, person, [undone])
        assert asked.queued is self.model.revert(item, undone, person)

    @some_wait
    @rule(chosen=several, person=people)
    def retry(self, chosen: list[int], person: str) -> None:
        retried = self.queue(queue_people.retry, person, item_numbers=[str(item) for item in chosen])
        assert sorted(retried) == self.model.retry(chosen, person)

    @some_are_rejected
    @rule(reason=parts, person=people)
    def retry_by_reason(self, reason: str, person: str) -> None:
        retried = self.queue(queue_people.retry, person, reason=reason)
        assert sorted(retried) == self.model.retry(range(1, 4), person, reason)

    @some_wait
    @rule(chosen=several, person=people)
    def dismiss(self, chosen: list[int], person: str) -> None:
        dismissed = self.queue(queue_people.dismiss, person, item_numbers=[str(item) for item in chosen])
        assert sorted(dismissed) == self.model.dismiss(chosen, person)

    @some_are_rejected
    @rule(reason=parts, person=people)
    def dismiss_by_reason(self, reason: str, person: str) -> None:
        dismissed = self.queue(queue_people.dismiss, person, reason=reason)
        assert sorted(dismissed) == self.model.dismiss(range(1, 4), person, reason)

    @rule(ticks=st.none() | odd_ticks)
    def pause(self, ticks: int | None) -> None:
        self.plain(plain_sql.PAUSE, None if ticks is None else ticks * TICK_SECONDS)
        self.model.paused, self.model.resumes = True, None if ticks is None else self.model.now + ticks

    @precondition(lambda machine: machine.model.paused)
    @rule()
    def resume(self) -> None:
        self.plain(plain_sql.RESUME)
        self.model.paused, self.model.resumes = False, None

    @rule(item=items, classification=st.sampled_from(["84.2", "86.25"]))
    def sync(self, item: int, classification: str) -> None:
        number, nothing = str(item), [None] * 8
        row = (1, item, number, number, *nothing, classification, None, None, None, None)
        with self.session.person.transaction():
            sync.fill_batch(self.session.person, [row])
            sync.fill_shelfmarks(self.session.person, [(1, "***")])
            sync.merge_batch(self.session.person, datetime.now(UTC))
        self.classifications[item] = classification

    @rule(ticks=st.sampled_from([2, 4]))
    def advance(self, ticks: int) -> None:
        past = timedelta(seconds=ticks * TICK_SECONDS)
        for statement in plain_sql.ADVANCE:
            self.plain(statement, past)
        for push in self.given:
            push.claim = replace(push.claim, lease_until=push.claim.lease_until - past)
        self.model.now += ticks

    @invariant()
    def every_row_is_as_promised_and_every_mark_pushed_or_dismissed_or_waiting(self) -> None:
        rows = {item: row.shown(self.model.now) for item, row in self.model.rows.items()}
        found = {item: tuple(row) for item, *row in self.plain(plain_sql.ROWS)}
        assert found == rows
        assert self.model.owed <= found.keys()

    @invariant()
    def history_has_what_came_of_each_push_and_nothing_else(self) -> None:
        assert Counter(self.plain(plain_sql.LOG)) == self.model.log

    @invariant()
    def a_notifier_wakes_for_the_next_of_them(self) -> None:
        seconds = self.queue(queue.next_wake)
        assert (None if seconds is None else _ticks(seconds)) == self.model.next_wake()


def _ticks(seconds: float) -> int:
    return round(seconds / TICK_SECONDS)
