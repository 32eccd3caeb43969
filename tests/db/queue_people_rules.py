"""The ways in which a person changes rows of the queue, beside the model."""

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from db import queue_people
from db.history import queue_reverts
from db.marks import mark_items
from tests.db import queue_session as plain_sql
from tests.db.queue_model import Model
from tests.db.queue_row import LATE_TICKS, Push
from tests.db.queue_session import TICK_SECONDS, Session

Result = TypeVar("Result")
items = st.integers(1, 3)
several = st.sets(items, min_size=1).map(sorted)
people = st.sampled_from(["aino", "eero"])
parts = st.sampled_from(["Sierra", "using the item", "item"])
LATE = float(LATE_TICKS * TICK_SECONDS)
odd_ticks = st.sampled_from([1, 5])
some_wait = precondition(lambda machine: machine.model.rows)
some_are_rejected = precondition(lambda machine: machine.model.rejected())
some_are_free = precondition(lambda machine: len(machine.model.rows) < 3)


class PeopleRules(RuleBasedStateMachine):
    """A person's ways, and the two sides that are compared."""

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
        dismissed = self.queue(queue_people.dismiss, person, LATE, item_numbers=[str(item) for item in chosen])
        assert sorted(dismissed) == self.model.dismiss(chosen, person)

    @some_are_rejected
    @rule(reason=parts, person=people)
    def dismiss_by_reason(self, reason: str, person: str) -> None:
        dismissed = self.queue(queue_people.dismiss, person, LATE, reason=reason)
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
