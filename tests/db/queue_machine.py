"""Every way in which a row of the queue may change, beside the model. Hypothesis makes up the order."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from api.ingest.store import store_batch
from db import queue, sync
from db.queue import Pushed
from tests.db import queue_session as plain_sql
from tests.db.queue_people_rules import LATE, PeopleRules, items, odd_ticks, several, some_wait
from tests.db.queue_row import KEEP_TICKS, LEASE_TICKS, Push
from tests.db.queue_session import TICK_SECONDS

notifiers = st.sampled_from(["n1", "n2"])
reasons = st.sampled_from(["Sierra has no such item", "somebody is using the item"])
kept = st.sampled_from([None, None, KEEP_TICKS])
latest = st.sets(st.integers(0, 5), min_size=1, max_size=3).map(sorted)  # 0: the living push that was claimed last
some_are_held = precondition(lambda machine: any(map(machine.model.holds, machine.given)))


class QueueMachine(PeopleRules):
    """Every way in which a row of the queue may change, beside the model."""

    @initialize(chosen=several, undone=several, notifier=notifiers, limit=st.integers(1, 3))
    def begin_with_pushes_under_way(self, chosen: list[int], undone: list[int], notifier: str, limit: int) -> None:
        for item in undone:
            self.revert(item, "aino")
        self.mark([item for item in chosen if item not in undone], "desk 1")
        self.claim(notifier, limit)

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
            assert (claim.revert_of, claim.is_recheck) == (row.revert_of, row.is_pushed)

    @some_are_held
    @rule(
        which=latest, outcome=st.sampled_from(["pushed", "unchanged"]), unanswered=st.sampled_from([False, False, True])
    )
    def finish(self, which: list[int], outcome: Any, unanswered: bool) -> None:
        notifier, pushes = self.pushes_of_one(which)
        before = "84.2" if outcome == "pushed" else "84.31"
        done = [Pushed(push.claim, outcome, before, "84.31", None, 7, unanswered) for push in pushes]
        answer = self.queue(queue.finish, notifier, done, LATE)
        expected = [(push.claim.item_record_id, self.model.finish(push, outcome, unanswered)) for push in pushes]
        assert answer == {item: finished for item, finished in expected if finished is not None}

    @some_are_held
    @rule(which=st.integers(0, 5), ticks=odd_ticks, reason=reasons, keep=kept)
    def postpone(self, which: int, ticks: int, reason: str, keep: int | None) -> None:
        notifier, (push,) = self.pushes_of_one([which])
        due_at = self.queue(queue.postpone, notifier, push.claim, ticks * TICK_SECONDS, reason, _seconds(keep))
        expected = self.model.postpone(push, ticks, reason, keep)
        assert due_at != "locked"
        assert (None if due_at is None else _ticks((due_at - datetime.now(UTC)).total_seconds())) == expected

    @some_are_held
    @rule(which=st.integers(0, 5), reason=reasons, keep=kept)
    def reject(self, which: int, reason: str, keep: int | None) -> None:
        _, (push,) = self.pushes_of_one([which])
        self.reject_push(push, reason, keep)

    def reject_push(self, push: Push, reason: str, keep: int | None = None) -> None:
        rejected = self.queue(queue.reject, push.notifier, push.claim, reason, None, _seconds(keep), LATE)
        assert rejected is self.model.reject(push, reason, keep)

    @some_wait
    @rule(notifier=notifiers, reason=reasons)
    def claim_and_reject(self, notifier: str, reason: str) -> None:
        """The items that are due. By claim and reject alone few rows are rejected, with little to retry or dismiss."""
        already = len(self.given)
        self.claim(notifier, 3)
        for push in self.given[already:]:
            self.reject_push(push, reason)

    @some_are_held
    @rule(which=latest, ticks=st.sampled_from([0, 1, 5]), reason=reasons, keep=kept)
    def release(self, which: list[int], ticks: int, reason: str, keep: int | None) -> None:
        """Of several the first has an unanswered write."""
        notifier, pushes = self.pushes_of_one(which)
        kept = {} if keep is None else {pushes[0].claim.item_record_id: keep * TICK_SECONDS}
        self.queue(queue.release, notifier, [push.claim for push in pushes], ticks * TICK_SECONDS, reason, kept)
        for push in pushes:
            self.model.release(push, ticks, reason, keep if push is pushes[0] else None)

    @some_are_held
    @rule(notifier=notifiers, in_hand=st.sets(items).map(sorted))
    def give_back_strays(self, notifier: str, in_hand: list[int]) -> None:
        given_back = self.queue(queue.give_back, notifier, in_hand)
        assert sorted(given_back) == sorted(self.model.give_back(notifier, in_hand))

    @rule(chosen=several, notifier=notifiers)
    def recheck(self, chosen: list[int], notifier: str) -> None:
        for item in (*chosen, 4711):
            assert self.queue(queue.recheck, notifier, item, LATE) is None
        self.model.recheck(chosen, notifier)

    def pushes_of_one(self, which: list[int]) -> tuple[str, list[Push]]:
        """These of the living pushes, then the stale, each the latest first; as far as they are one notifier's."""
        latest_first = self.given[::-1]
        ordered = sorted(latest_first, key=lambda push: not self.model.holds(push))
        chosen = [ordered[place % len(ordered)] for place in which]
        return chosen[0].notifier, [push for push in dict.fromkeys(chosen) if push.notifier == chosen[0].notifier]

    @rule(item=items, classification=st.sampled_from(["84.2", "86.25"]))
    def sync(self, item: int, classification: str) -> None:
        number, nothing = str(item), [None] * 8
        row = (1, item, number, number, *nothing, classification)
        row += (None,) * (sync.SQL["copy_batch"].partition("(")[2].count(",") + 1 - len(row))
        with self.session.person.transaction():
            sync.fill_batch(self.session.person, [row])
            store_batch(self.session.person, datetime.now(UTC))
        self.classifications[item] = classification

    @rule(ticks=st.sampled_from([2, 4]))
    def advance(self, ticks: int) -> None:
        past = timedelta(seconds=ticks * TICK_SECONDS)
        for statement in plain_sql.ADVANCE:
            self.plain(statement, past)
        for push in self.given:
            lease_until, claimed_at = push.claim.lease_until - past, push.claim.claimed_at - past
            push.claim = replace(push.claim, lease_until=lease_until, claimed_at=claimed_at)
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


def _seconds(ticks: int | None) -> float | None:
    return None if ticks is None else ticks * TICK_SECONDS


def _ticks(seconds: float) -> int:
    return round(seconds / TICK_SECONDS)
