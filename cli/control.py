"""`signum queue status`, `pause` and `resume`: the queue as a whole."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any

import typer

from cli.acts import By, act
from cli.database import ask
from cli.exit_codes import Refused
from cli.output import AsJson, clock, print_err, print_out, show_json, show_rows, span
from cli.verdicts import in_english
from console.verdict import Verdict, judge
from db import notifiers, queue_people
from db.queue import Connection
from db.snapshot import read_snapshot

UNITS = {"s": "seconds", "min": "minutes", "h": "hours", "d": "days"}
LONGEST = timedelta(days=366)


def _as_span(text: str) -> timedelta:
    """Parse a length of time: `90s`, `30min`, `2h`, `1d`."""
    found = re.fullmatch(r"(\d{1,8}) ?(s|min|h|d)", text, re.ASCII)
    length = timedelta(**{UNITS[found[2]]: int(found[1])}) if found else None
    if not length or length > LONGEST:
        raise typer.BadParameter(f"{text!r} is not a time like 90s, 30min, 2h or 1d, of a year at most")
    return length


def _as_time(text: str) -> datetime:
    """Parse a day and time, or a time of day, which is its next one. Local time unless it has an offset."""
    now = datetime.now().astimezone()
    try:
        if re.fullmatch(r"\d\d:\d\d", text, re.ASCII):
            clock_time = time.fromisoformat(text)
            moment = _local(now.date(), clock_time)
            if moment <= now:
                moment = _local(now.date() + timedelta(days=1), clock_time)
        else:
            moment = datetime.fromisoformat(text)
            moment = moment.astimezone() if moment.tzinfo else _local(moment.date(), moment.time())
        if moment <= now + LONGEST:
            return moment
    except (ValueError, OverflowError, OSError):  # also raised for a time that the platform's calendar lacks
        pass
    raise typer.BadParameter(f"{text!r} is not a time like 14:30 or 2026-11-23T14:30, within a year")


def _local(day: date, clock_time: time) -> datetime:
    """The moment at which the local clock shows this. Of two such moments, in autumn, take the later one."""
    shown = datetime.combine(day, clock_time)
    moments = (datetime.fromtimestamp(shown.replace(fold=fold).timestamp(), UTC).astimezone() for fold in (0, 1))
    found = sorted(moment for moment in moments if moment.replace(tzinfo=None) == shown)
    if not found:
        raise typer.BadParameter(f"the clock does not show {shown} here: it is put forward then. Give a later time")
    if found[0] != found[-1]:
        print_err(f"the clock shows {shown} twice: the later one was taken; the earlier one is {found[0].isoformat()}")
    return found[-1]


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
    typer.Option(
        parser=_as_time,
        metavar="TIME",
        help="Go on at this local time: 14:30, 2026-11-23T14:30; or with its offset: 2026-11-23T14:30+02:00.",
    ),
]


def pause(by: By, reason: Reason, length: For = None, until: Until = None, as_json: AsJson = False) -> None:
    """Push nothing to Sierra until --for or --until is over, or until `signum queue resume`.

    Print stations notice nothing: marks are taken and wait. Items that a notifier has claimed are still pushed.
    """
    if length and until:
        raise typer.BadParameter("give --for or --until, not both")
    passed = f"{clock(until) if until else 'that time'} has passed by the database's clock: nothing was paused"
    made = act(
        *(by, "queue pause", {"for": length and str(length), "until": until and until.isoformat()}),
        lambda connection: queue_people.pause(connection, by, reason, span=length, until=until),
        lambda made: (1, _sentence(made)) if made else (0, passed),
        reason,
    )
    if made is None:
        raise Refused(passed)
    show_json(made) if as_json else print_out(_sentence(made))


def resume(by: By, as_json: AsJson = False) -> None:
    """Resume pushing, at once."""

    def tell(ended: queue_people.Row | None) -> tuple[int, str]:
        return (1, f"goes on; it was {_sentence(ended)}") if ended else (0, "the queue is not paused")

    ended = act(by, "queue resume", {}, queue_people.resume, tell)
    if ended is None:
        raise Refused(tell(ended)[1])
    show_json(ended) if as_json else print_out(tell(ended)[1])


def status(as_json: AsJson = False) -> None:
    """Say what keeps items waiting and what to do; show the items by state, a pause, and the notifiers."""

    async def read_all(connection: Connection) -> dict[str, Any]:
        today = datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
        return {
            "verdict": judge(await read_snapshot(connection, today)),
            "states": await queue_people.overview(connection),
            **await queue_people.read_progress(connection),
            "notifiers": await notifiers.list_notifiers(connection),
        }

    found = ask(read_all)
    if as_json:
        show_json({**found, "verdict": _record(found["verdict"])})
        return
    _print_verdict(found["verdict"])
    if found["paused_at"]:
        print_out(_sentence({**found, "reason": found["pause_reason"]}))
    if found["oldest_due_seconds"] is not None:
        print_out(f"the oldest item that is not being pushed has been due for {span(found['oldest_due_seconds'])}")
    show_rows(found["states"], False, ("state", "items", "oldest_age_seconds", "next_try_at"))
    print_out("")
    columns = ("notifier", "state", "mode", "breaker", "reason", "looped_seconds", "last_success_seconds")
    show_rows(found["notifiers"], False, columns, if_none="no notifier runs: nothing is pushed")


def _print_verdict(verdict: Verdict) -> None:
    """Print a row per cause with what to do; above them one that all is well, if it is."""
    found = [("ok", in_english(verdict.headline))] if verdict.is_well else []
    found += [(cause.level, f"{in_english(cause.sentence)} {in_english(cause.advice)}") for cause in verdict.causes]
    show_rows([{"level": level, "found": text} for level, text in found], False, ("level", "found"))
    print_out("")


def _record(verdict: Verdict) -> dict[str, Any]:
    causes = [
        {
            "cause": cause.code,
            "level": cause.level,
            "items": cause.items,
            "text": in_english(cause.sentence),
            "advice": in_english(cause.advice),
            "quoted": cause.quoted,
        }
        for cause in verdict.causes
    ]
    return {"is_well": verdict.is_well, "text": in_english(verdict.headline), "causes": causes}


def _sentence(pause: dict[str, Any]) -> str:
    until = f"until {clock(pause['resume_at'])}" if pause["resume_at"] else "until a person resumes it"
    return f"paused by {pause['paused_by'] or '?'} {until}: {pause['reason'] or 'no reason was given'}"
