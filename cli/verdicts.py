"""Judges the queue, the notifiers and the sync: their levels, and what a person must do. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from gettext import NullTranslations

from cli.output import clock, span
from console.sentences import AtLeast, Plain, Sentence, say
from db.queue_people import Row
from runtime.findings import Finding, Level
from runtime.thresholds import LONGEST_DUE_SECONDS, NO_BATCH_SECONDS

ADVICE = {
    "polling": "Behind a pooler, set LISTEN_DB_HOST",
    "waiting for Sierra": "It goes on by itself when Sierra is well",
    "waiting for a person": "A person must act, as the reason says; then it goes on with the next item that is due",
    "stalled": "Restart it, and report it",
    "gone": "If no other took its place, start one",
}
PROBLEMS = ("stalled", "waiting for a person")


def in_english(said: Sentence) -> str:
    """A sentence of the verdict as the commands print it."""
    return say(said, NullTranslations(), _show)


def _show(value: Plain) -> str:
    match value:
        case AtLeast():
            return f"{value.number:,}+"
        case datetime():
            return clock(value)
        case timedelta():
            return span(value.total_seconds())
        case int():
            return f"{value:,}"
    return value


def judge_notifiers(notifiers: Sequence[Row]) -> Iterator[Finding]:
    """A finding per notifier, and one more where none is running."""
    if all(notifier["state"] == "gone" for notifier in notifiers):
        yield Finding("problem", "notifiers", "none is running: nothing is pushed", 'Start one: run "signum notifier"')
    for notifier in notifiers:
        state, reason = notifier["state"], f": {notifier['reason']}" if notifier["reason"] else ""
        breaker = "" if notifier["breaker"] == "closed" else f", its breaker {notifier['breaker']}"
        text = f"{notifier['notifier']} is {state}{breaker}{reason}"
        level: Level = "problem" if state in PROBLEMS else "warning" if state in ADVICE else "ok"
        yield Finding(level, "notifiers", text, ADVICE.get(state, ""))


def judge_queue(progress: Row, states: Sequence[Row]) -> Iterator[Finding]:
    """Findings on the queue's progress, and on items that wait for a person."""
    if progress["paused_at"]:
        until, advice = "a person resumes it", 'A person must let it go on: run "signum queue resume"'
        if end := progress["resume_at"]:
            until = f"{end.astimezone():%F %R %z}"
            advice = 'It goes on by itself then; to go on now, run "signum queue resume"'
        who, why = progress["paused_by"] or "?", progress["pause_reason"] or "no reason was given"
        yield Finding("warning", "queue", f"paused by {who} until {until}: {why}", advice)
    elif (due := progress["oldest_due_seconds"] or 0) > LONGEST_DUE_SECONDS:
        text = f"an item has been due for {due:.0f} s, and no notifier pushes it"
        yield Finding("problem", "queue", text, 'Look at the state of each notifier: run "signum queue status"')
    else:
        yield Finding("ok", "queue", "nothing has been waiting for long")
    for rejected in (state["items"] for state in states if state["state"] == "rejected" and state["items"]):
        advice = 'A person must decide: see why with "signum queue list --state rejected", then retry or dismiss'
        yield Finding("warning", "rejected", f"{rejected} rejected in the queue", advice)


def judge_sync(sync: Row) -> Finding:
    """A finding on changes in Sierra that are missing here, or do not come any more."""
    if sync.get("gap_from") and not sync["gap_closes"]:
        text = f"changes in Sierra between {sync['gap_from']:%F %R} and {sync['gap_until']:%F %R} UTC are missing"
        return Finding("warning", "sync", text, 'Run "signum sync restart"')
    if (sync.get("behind_seconds") or 0) > NO_BATCH_SECONDS:
        behind, is_full = span(sync["behind_seconds"]), sync["sync_mode"] == "SYNC_FULL"
        text = f"the full sync has not gone on for {behind}" if is_full else f"changes are {behind} behind Sierra"
        return Finding("warning", "sync", text, "Look at the ETL: whether it runs, and its log")
    return Finding("ok", "sync", sync.get("advice") or "nothing was synced yet")
