"""The next step of the ETL, from what the backend wants, the clocks and what was done. Pure, but for the zone.

The backend owns mode and position. What is remembered here (when each kind of run was last done, how far a pass is) may
be lost at any time: the next look is then a deep one, and the pass begins anew.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal

from etl.backend import Offer
from runtime.etl_settings import begin_of, is_within

Kind = Literal["full page", "changes", "deletions", "pass page", "rest"]

POLLS_IN_INTERVAL = 10  # a look that takes longer than a tenth of the interval stretches it
LONGEST_REST_SECONDS = 60.0  # however far the next look is: deletions, a pass and a restart are not kept waiting
NEVER = float("-inf")


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings that decide what is done when."""

    interval_seconds: float = 30
    overlap: timedelta = timedelta(minutes=2)
    deep_overlap: timedelta = timedelta(hours=1)
    deep_interval_seconds: float = 900
    deletions_interval_seconds: float = 600
    deletions_overlap: timedelta = timedelta(days=2)
    pass_interval: timedelta | None = timedelta(days=1)  # None: never
    pass_hours: str | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """The work done, by this machine's monotonic clock, and how far the pass is (None: none is under way).

    `looked_until`: how far changes have come, for between the pages of a full sync the backend's position stays.
    `pass_ended_at`: of the last pass, by this machine's clock, as the hours are: SierraDNA's may be behind it.
    """

    changes_at: float = NEVER
    deep_at: float = NEVER
    deletions_at: float = NEVER
    poll_seconds: float = 0
    passed_to: int | None = None
    looked_until: datetime | None = None
    pass_ended_at: datetime | None = None
    last: Kind = "rest"


@dataclass(frozen=True, slots=True)
class Step:
    """The next step; `rest_seconds` before the next question, and whether a look for changes is a deep one."""

    kind: Kind
    rest_seconds: float = 0
    is_deep: bool = False


def next_step(offer: Offer, now: float, local: datetime, done: Done, rules: Rules) -> Step:
    """The step that answers the offer. `now` is the monotonic clock, `local` this machine's local time."""
    interval = interval_of(rules, done)
    if offer.is_busy:
        return _rest(interval)
    if offer.mode == "SYNC_FULL" and offer.timestamp is None:
        return Step("full page")
    looks_for_deletions = now - done.deletions_at >= rules.deletions_interval_seconds and "deleted_on" in offer.accepts
    if (
        looks_for_deletions and offer.deletions_since is None
    ):  # before changes move the position off the full sync's begin
        return Step("deletions")
    others = _due_beside_changes(looks_for_deletions, offer, local, done, rules)
    # Changes that take longer than their interval are due again at once: the others have their turn all the same.
    if now - done.changes_at >= interval and not (others and done.last == "changes"):
        return Step("changes", is_deep=now - done.deep_at >= rules.deep_interval_seconds)
    if others:
        return Step(others)
    return _rest(done.changes_at + interval - now)


def _rest(seconds: float) -> Step:
    return Step("rest", min(seconds, LONGEST_REST_SECONDS))


def _due_beside_changes(
    looks_for_deletions: bool, offer: Offer, local: datetime, done: Done, rules: Rules
) -> Kind | None:
    if looks_for_deletions:
        return "deletions"
    if offer.mode == "SYNC_FULL":
        return "full page"
    return "pass page" if is_pass_due(offer, local, done, rules) else None


def interval_of(rules: Rules, done: Done) -> float:
    """The seconds between two looks for changes: longer where the look itself takes long."""
    return max(rules.interval_seconds, POLLS_IN_INTERVAL * done.poll_seconds)


def after_time_out(kind: Kind, done: Done, now: float) -> Done:
    """A look that met its time-out was one as well: the next waits for its interval, and the others have their turn."""
    if kind == "changes":
        return replace(done, changes_at=now)
    return replace(done, deletions_at=now) if kind == "deletions" else done


def is_pass_due(offer: Offer, local: datetime, done: Done, rules: Rules) -> bool:
    """Tell whether a pass goes on, or begins. Outside its hours it waits where it is.

    With hours the nights are counted: a day from the last one's end it would begin later each night, and one would have
    none in the end.
    """
    if rules.pass_interval is None or "all_from_id" not in offer.accepts:
        return False
    if rules.pass_hours is not None and not is_within(rules.pass_hours, local.time()):
        return False
    if done.passed_to is not None or offer.passed_at is None or local - offer.passed_at >= rules.pass_interval:
        return True
    if rules.pass_hours is None:
        return False
    nights_between = max(rules.pass_interval - timedelta(days=1), timedelta(0))
    passed_at = max(offer.passed_at, done.pass_ended_at or offer.passed_at)
    return passed_at < begin_of(rules.pass_hours, local - nights_between)


def passed(done: Done, to: int | None, local: datetime) -> Done:
    """Note how far the pass is; None: it ended at this local time."""
    return replace(done, passed_to=to, pass_ended_at=local if to is None else done.pass_ended_at)


def since_of(position: datetime, is_deep: bool, rules: Rules) -> datetime:
    """The moment from which on changes are read. Never cut, however old the position is."""
    return position - (rules.deep_overlap if is_deep else rules.overlap)


def position_of(offer: Offer, done: Done, until: datetime) -> datetime:
    """The position of changes. In a full sync the backend's is where the first page began, and stays: there it is how
    far they were looked for, never ahead of SierraDNA's clock."""
    assert offer.timestamp is not None  # where changes are wanted there is one
    if offer.mode == "SYNC_CHANGES":
        return offer.timestamp
    return min(max(offer.timestamp, done.looked_until or offer.timestamp), until)


def moved_back(until: datetime, rules: Rules) -> datetime:
    """The position that replaces one ahead of SierraDNA's clock: as far back as a deep look goes."""
    return until - rules.deep_overlap


def was_set_back(position: datetime, until: datetime) -> bool:
    """Tell whether SierraDNA's clock (or a standby's data) is behind the position."""
    return until < position


def deletions_since_of(offer: Offer, rules: Rules) -> date:
    """The first day of which deletions are read: some before the one that the backend has, or before the position's.

    Without one the position is where the full sync began.
    """
    known = offer.deletions_since or (offer.timestamp.date() if offer.timestamp else date.max)
    return known - rules.deletions_overlap
