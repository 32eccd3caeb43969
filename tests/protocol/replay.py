"""The explored protocol's steps, taken on a real PostgreSQL by the statements of db/sql/."""

import random
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import psycopg

from db import queue, queue_people
from db.history import queue_reverts
from db.marks import mark_items
from db.queue import Claim, Connection, Pushed
from tests.protocol.states import NO, Due, Holder, Item, Lease, Phase, Push, Unanswered

LEASE, LATE = 1_000.0, 1_000_000.0  # seconds: many leases are less than one SIERRA_LATE_WRITE_SECONDS
ITEM = 1

ROW = """
    SELECT
        CASE WHEN due_at IS NULL THEN 'never' WHEN due_at <= now() THEN 'now' ELSE 'later' END,
        CASE
            WHEN lease_until > now() THEN 'living'
            WHEN lease_until IS NULL OR claimed_by IS NULL THEN 'free'
            WHEN lease_until > now() - make_interval(secs => %(late)s) THEN 'lapsed'
            ELSE 'over'
        END,
        CASE
            WHEN unanswered_at IS NULL THEN 'no'
            WHEN unanswered_at > now() - make_interval(secs => %(late)s) THEN 'recent'
            ELSE 'past'
        END,
        pushed_revision IS NOT DISTINCT FROM revision,
        CASE WHEN pushed_revision = revision THEN pushed_call_number::int END,
        CASE WHEN revision = 1 THEN revert_of END IS NOT NULL,
        CASE WHEN lease_until IS NOT NULL THEN claimed_by END, lease_until, revision
    FROM update_queue
"""
HISTORY = """
    SELECT outcome, call_number_before, call_number_after, error LIKE '%not known%'
    FROM update_log WHERE outcome <> 'rejected' OR revert_of IS NOT NULL ORDER BY update_log_id
"""
PASS_LEASE = "UPDATE update_queue SET lease_until = lease_until - make_interval(secs => %s)"
PASS_LATENESS = """
    UPDATE update_queue
    SET due_at = CASE WHEN due_at > now() THEN due_at - late ELSE due_at END,
        unanswered_at = unanswered_at - late,
        lease_until = CASE WHEN lease_until > now() THEN lease_until ELSE lease_until - late END
    FROM make_interval(secs => %s) AS late
"""


@dataclass
class Replay:
    """The statements' side of a walk: two notifiers' claims, and what is in the tables."""

    connection: Connection
    person: psycopg.Connection[Any]
    chance: random.Random
    names: list[str] = field(default_factory=lambda: ["A1", "B1"])
    claims: dict[int, Claim] = field(default_factory=dict)

    async def take(self, step: str, before: Item, after: Item) -> None:
        """Take one step; of Sierra's alone there is nothing in the tables."""
        *who, name = step.split()
        if who:
            n = "AB".index(who[0])
            if taken := getattr(self, name, None):
                await taken(n, before, after)
        elif taken := getattr(self, name, None):
            await taken(before, after)

    async def sync(self, before: Item, after: Item) -> None:
        self.person.execute("UPDATE sierra_item SET classification = %s", [str(after.newest)])

    async def mark(self, before: Item, after: Item) -> None:
        assert await mark_items(self.connection, "desk", [ITEM], 0) == [ITEM]

    async def revert(self, before: Item, after: Item) -> None:
        newest = self.person.execute("SELECT max(update_log_id) FROM update_log WHERE outcome = 'pushed'").fetchone()
        assert newest
        (revert,) = await queue_reverts(self.connection, "aino", [newest[0]])
        assert revert.queued

    async def retry(self, before: Item, after: Item) -> None:
        assert await queue_people.retry(self.connection, "aino", item_numbers=[str(ITEM)]) == [ITEM]

    async def dismiss(self, before: Item, after: Item) -> None:
        dismissed = await queue_people.dismiss(self.connection, "aino", late_seconds=LATE, item_numbers=[str(ITEM)])
        assert dismissed == [ITEM]

    async def claim(self, n: int, before: Item, after: Item) -> None:
        (self.claims[n],) = await queue.claim(self.connection, self.names[n], 1, LEASE)
        assert self.claims[n].classification == str(before.newest)

    async def hear_falsely(self, n: int, before: Item, after: Item) -> None:
        """A notifier that sees it has asked finish first, which said that the push is unproven."""
        if after.hands[n].phase == Phase.READ:
            assert await self.finish_as(n, before, "pushed", proven=False) == "unproven"

    async def stop_in_doubt(self, n: int, before: Item, after: Item) -> None:
        """The notifier logs the push, though it has not read the item again. The tables are not told why."""
        assert await self.finish_as(n, before, "pushed", proven=False) == "unproven"
        assert await self.finish_as(n, before, "pushed", unanswered=True) is not None

    fail_in_doubt = stop_in_doubt

    async def finish(self, n: int, before: Item, after: Item) -> None:
        hand, push = before.hands[n], before.db.push
        if hand.phase == Phase.READ:
            await self.finish_as(n, before, "unchanged")
            return
        told = await self.finish_as(n, before, "pushed", proven=False)
        doubted = push is not None and push.after != hand.read
        assert (told == "unproven") is (doubted and before.db.row is not None and before.db.row.holder == n)
        if told == "unproven":
            await self.finish_as(n, before, "pushed")

    async def finish_as(self, n: int, before: Item, outcome: Any, **more: bool) -> str | None:
        hand, claim = before.hands[n], self.claims[n]
        push = Pushed(claim, outcome, str(hand.read), str(hand.text), None, 7, **more)
        return (await queue.finish(self.connection, self.names[n], [push], LATE)).get(ITEM)

    async def postpone(self, n: int, before: Item, after: Item) -> None:
        """Postpone, release or, where the claim is another's, have the item looked at again."""
        claim, keep, name = self.claims[n], keep_seconds(n, before), self.names[n]
        if self.chance.random() < 0.5:
            held = await queue.postpone(self.connection, name, claim, 0, "no answer", keep) is not None
        else:
            await queue.release(self.connection, name, [claim], 0, None, {} if keep is None else {ITEM: keep})
            held = before.db.row is not None and before.db.row.holder == n
        if not held and keep is not None:
            await queue.recheck(self.connection, name, ITEM, LATE)

    async def reject(self, n: int, before: Item, after: Item) -> None:
        has, keep = str(before.hands[n].read), keep_seconds(n, before)
        rejected = await queue.reject(self.connection, self.names[n], self.claims[n], "no", has, keep, LATE)
        assert after.db.row
        assert rejected is (after.db.row.due == Due.NEVER)

    async def crash(self, n: int, before: Item, after: Item) -> None:
        """The next process of this notifier has another name."""
        self.names[n] = f"{self.names[n][0]}{int(self.names[n][1:]) + 1}"

    async def end_lease(self, before: Item, after: Item) -> None:
        self.person.execute(PASS_LEASE, [2 * LEASE])
        self._let_claims_pass(timedelta(seconds=2 * LEASE), timedelta())

    async def end_lateness(self, before: Item, after: Item) -> None:
        self.person.execute(PASS_LATENESS, [LATE + LEASE])
        late = timedelta(seconds=LATE + LEASE)
        is_living = before.db.row is not None and before.db.row.lease == Lease.LIVING
        self._let_claims_pass(timedelta() if is_living else late, late)

    def _let_claims_pass(self, of_lease: timedelta, of_claim: timedelta) -> None:
        for n, claim in self.claims.items():
            lease, at = claim.lease_until - of_lease, claim.claimed_at - of_claim
            self.claims[n] = replace(claim, lease_until=lease, claimed_at=at)

    def found(self) -> tuple[Any, ...]:
        """The tables, in the words of the model."""
        row: Any = None
        for due, lease, unanswered, is_look, pushed, is_revert, *claim, revision in self.person.execute(
            ROW, {"late": LATE}
        ):
            holder = next((n for n in self.claims if claim == [self.names[n], self.claims[n].lease_until]), Holder.GONE)
            was_marked = holder in (0, 1) and revision != self.claims[holder].revision
            if claim[0] is None:
                holder = Holder.NOBODY
            row = due, lease, unanswered, is_look, pushed, is_revert, holder, was_marked
        told: int | None = 0
        push = None
        for outcome, before, after, is_unknown in self.person.execute(HISTORY):
            if outcome == "dismissed":
                told = None if is_unknown else told
                continue
            told, push = int(after), Push(int(before), int(after)) if outcome == "pushed" else push
        return row, told, push


def keep_seconds(n: int, item: Item) -> float | None:
    """The seconds for which the row keeps a lease, if the notifier's write had no answer."""
    if item.hands[n].phase != Phase.SILENT:
        return None
    row = item.db.row
    return LEASE if row is not None and row.lease == Lease.LIVING else 0


def expected(item: Item) -> tuple[Any, ...]:
    """The model, in the same words."""
    row, shown = item.db.row, None
    if row:
        unanswered = Unanswered.PAST if row.unanswered == Unanswered.SETTLED else row.unanswered
        holder = row.holder if row.lease != Lease.FREE else Holder.NOBODY
        was_marked = row.was_marked and row.holder in (0, 1)
        is_revert = row.revert_of is not None
        shown = (row.due, row.lease, unanswered or NO, row.is_look, row.pushed, is_revert, holder, was_marked)
    return shown, item.db.told, item.db.push
