"""How does the queue do as a whole, and how does a person pause it?"""

import re
from datetime import datetime, time, timedelta
from typing import Annotated, Any

import typer

from cli.database import ask
from cli.fence import Refused
from cli.queue import By
from cli.screen import AsJson, say, show_json, show_rows, span
from db import control, queue
from db.queue import Connection

UNITS = {"s": "seconds", "min": "minutes", "h": "hours", "d": "days"}
LONGEST = timedelta(days=366)


def _as_span(text: str) -> timedelta:
    """`90s`, `30min`, `2h`, `1d`."""
    found = re.fullmatch(r"(\d{1,8}) ?(s|min|h|d)", text, re.ASCII)
    length = timedelta(**{UNITS[found[2]]: int(found[1])}) if found else None
    if not length or length > LONGEST:
        raise typer.BadParameter(f"{text!r} is not a time like 90s, 30min, 2h or 1d, of a year at most")
    return length


def _as_time(text: str) -> datetime:
    """A day and time, or the next time that the clock shows so much; local time if it names no zone."""
    now = datetime.now().astimezone()
    try:
        if re.fullmatch(r"\d\d:\d\d", text, re.ASCII):
            moment = datetime.combine(now, time.fromisoformat(text)).astimezone()
            return moment if moment > now else (moment.replace(tzinfo=None) + timedelta(days=1)).astimezone()
        moment = datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        moment = None
    if moment is None or moment > now + LONGEST:
        raise typer.BadParameter(f"{text!r} is not a time like 14:30 or 2026-11-23T14:30, within a year")
    return moment


def _is_reason(reason: str) -> str:
    if not reason.strip() or len(reason) > 200 or not reason.isprintable():
        raise typer.BadParameter("a reason has 1 to 200 printable characters: others read it in the queue's status")
    return reason


Reason = Annotated[str, typer.Option(help="Why: others read it.", callback=_is_reason)]
For = Annotated[
    timedelta | None,
    typer.Option("--for", parser=_as_span, metavar="SPAN", help="Go on after this time: 90s, 30min, 2h, 1d."),
]
Until = Annotated[
    datetime | None,
    typer.Option(parser=_as_time, metavar="TIME", help="Go on at this time: 14:30, 2026-11-23T14:30."),
]


def pause(by: By, reason: Reason, length: For = None, until: Until = None, as_json: AsJson = False) -> None:
    """Push nothing to Sierra until --for or --until is over, or until `signum queue resume`.

    Print stations notice nothing: marks go on and wait. What a notifier holds already is still pushed.
    """
    if length and until:
        raise typer.BadParameter("give --for or --until, not both")
    made = ask(lambda connection: control.pause(connection, by, reason, span=length, until=until))
    if made is None:
        raise Refused(f"{_clock(until)} has passed by the database's clock: nothing was paused")
    show_json(made) if as_json else say(_sentence(made))


def resume(as_json: AsJson = False) -> None:
    """Push again, at once."""
    ended = ask(control.resume)
    if ended is None:
        raise Refused("the queue is not paused")
    show_json(ended) if as_json else say(f"goes on; it was {_sentence(ended)}")


def status(as_json: AsJson = False) -> None:
    """How many items are in each state, whether pushes are paused, how long the oldest has been due, and who pushes."""

    async def look(connection: Connection) -> dict[str, Any]:
        return {
            "states": await queue.overview(connection),
            **await control.read_progress(connection),
            "notifiers": await control.list_notifiers(connection),
        }

    found = ask(look)
    if as_json:
        show_json(found)
        return
    if found["paused_at"]:
        say(_sentence({**found, "reason": found["pause_reason"]}))
    if found["oldest_due_seconds"] is not None:
        say(f"the oldest item that nobody pushes has been due for {span(found['oldest_due_seconds'])}")
    show_rows(found["states"], False, ("state", "items", "oldest_age_seconds", "next_try_at"))
    say("")
    columns = ("notifier", "state", "mode", "breaker", "reason", "looped_seconds", "last_success_seconds")
    show_rows(found["notifiers"], False, columns, if_none="no notifier runs: nothing is pushed")


def _sentence(pause: dict[str, Any]) -> str:
    until = f"until {_clock(pause['resume_at'])}" if pause["resume_at"] else "until somebody resumes it"
    return f"paused by {pause['paused_by'] or '?'} {until}: {pause['reason'] or 'no reason was given'}"


def _clock(moment: datetime | None) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}" if moment else ""
