"""The causes that lie in the notifiers and in Sierra as they see it, and a pause."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from console.causes import Cause, Level, oldest_seconds, stop
from console.sentences import sentence, sentences
from console.sierra_faults import explain
from db.snapshot import Notifier, Snapshot
from runtime.thresholds import BREAKER_OPEN_SECONDS, GONE_SECONDS, STALLED_SECONDS


def find_notifier_causes(snapshot: Snapshot) -> Iterator[Cause]:
    """The causes that the snapshot shows in notifiers. One that is in trouble stops nothing while another works."""
    if snapshot.paused_at:
        yield _paused(snapshot)
    running = [one for one in snapshot.notifiers if one.seen_seconds <= GONE_SECONDS]
    gone = [one for one in snapshot.notifiers if one not in running]
    troubled = [one for one in running if one.breaker in ("open", "probing")]
    stalled = (
        [] if snapshot.paused_at else [one for one in running if _is_stalled(one, snapshot) and one not in troubled]
    )
    if not running:
        yield _none(snapshot, gone)
    elif len(troubled) + len(stalled) == len(running):
        yield from _nothing_is_pushed(snapshot, troubled, stalled)
    else:
        yield from (_alone(one) for one in troubled)
        yield from (_stalled_alone(one) for one in stalled)
    if running and gone:
        yield _some_gone(gone)
    yield from _find_lesser(running)


def _paused(snapshot: Snapshot) -> Cause:
    person, reason = snapshot.paused_by or sentence("A person"), snapshot.pause_reason
    if snapshot.resume_at:
        why = sentence("%(person)s paused the pushes until %(until)s.", person=person, until=snapshot.resume_at)
        advice = sentence("It goes on by itself then, or at once when a person resumes it.")
    else:
        why = sentence("%(person)s paused the pushes until a person resumes them.", person=person)
        advice = sentence("Resume them when the reason is over.")
    return stop(snapshot, "paused", "warning", why, advice, reason)


def _is_stalled(notifier: Notifier, snapshot: Snapshot) -> bool:
    due = oldest_seconds(snapshot) or 0
    return (notifier.looped_seconds or 0) > STALLED_SECONDS and due > STALLED_SECONDS


def _none(snapshot: Snapshot, gone: Sequence[Notifier]) -> Cause:
    advice = sentence("Start it: the service signum notifier. What waits is sent by itself then.")
    if not gone:
        why = sentence("No notifier is running, so that nothing is sent to Sierra.")
    else:
        last = min(gone, key=lambda one: one.seen_seconds)
        span = timedelta(seconds=last.seen_seconds)
        why = sentence("No notifier has been heard of for %(span)s, so that nothing is sent to Sierra.", span=span)
    return stop(snapshot, "no_notifier", "problem", why, advice, ", ".join(one.notifier for one in gone) or None)


def _nothing_is_pushed(
    snapshot: Snapshot, troubled: Sequence[Notifier], stalled: Sequence[Notifier]
) -> Iterator[Cause]:
    """Say each fault once, however many notifiers meet it."""
    faults: dict[str, Cause] = {}
    for one in troubled:
        fault = explain(one.reason)
        needs_person = one.waits_for == "person"
        level: Level = (
            "problem" if needs_person or _stopped_seconds(one, snapshot) >= BREAKER_OPEN_SECONDS else "warning"
        )
        faults.setdefault(fault.code, stop(snapshot, fault.code, level, fault.sentence, fault.advice, one.reason))
    yield from faults.values()
    if stalled:
        why = sentence("The notifier is alive, and does nothing.")
        advice = sentence("Restart it, and report it to its makers.")
        yield stop(snapshot, "stalled", "problem", why, advice, ", ".join(one.notifier for one in stalled))


def _stopped_seconds(notifier: Notifier, snapshot: Snapshot) -> float:
    """For how long nothing is pushed, at the least: since the last success, and only while something waits."""
    since_success = notifier.started_seconds if notifier.success_seconds is None else notifier.success_seconds
    waiting = oldest_seconds(snapshot)
    return since_success if waiting is None else min(since_success, waiting)


def _alone(notifier: Notifier) -> Cause:
    return Cause(
        "alone",
        "warning",
        sentence("Notifier %(notifier)s alone can't work with Sierra; the others do.", notifier=notifier.notifier),
        sentence("Look at its machine and its way to Sierra; then restart it."),
        quoted=notifier.reason,
    )


def _stalled_alone(notifier: Notifier) -> Cause:
    return Cause(
        "stalled",
        "warning",
        sentence("Notifier %(notifier)s is alive, and does nothing; the others work.", notifier=notifier.notifier),
        sentence("Restart it, and report it to its makers."),
    )


def _some_gone(gone: Sequence[Notifier]) -> Cause:
    return Cause(
        "gone",
        "notice",
        sentences(
            "%(number)s notifier was not stopped, and is not heard of any more; another one works.",
            "%(number)s notifiers were not stopped, and are not heard of any more; another one works.",
            len(gone),
        ),
        sentence("Start it again, if no other took its place. After a day it is forgotten."),
        quoted=", ".join(one.notifier for one in gone),
    )


def _find_lesser(running: Sequence[Notifier]) -> Iterator[Cause]:
    for one in running:
        if one.mode == "polling":
            yield Cause(
                "polling",
                "notice",
                sentence(
                    "Notifier %(notifier)s does not hear of new labels, and looks every 2 s.", notifier=one.notifier
                ),
                sentence("Where a pooler stands before the database, set LISTEN_DB_HOST."),
                quoted=one.reason,
            )
        if one.breaker == "sampling":
            yield Cause(
                "sampling",
                "notice",
                sentence("Five items in a row failed alike: three new ones show whether it is the items' fault."),
                sentence("Nothing to do: it is decided in a moment."),
                quoted=one.reason,
            )
