"""Now: the verdict first, then the queue, Sierra, notifiers, ETL, stations and the last pushes; pause and resume."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_datetime, format_time, format_timedelta
from babel.numbers import format_decimal
from fastapi import APIRouter, HTTPException, Response

from console.causes import counted
from console.filters import read_time
from console.languages import N_, locale_of, translations
from console.layout import LINKS
from console.reasons import explain_reason
from console.sentences import AtLeast, Plain, Sentence, say
from console.shared import SharedSnapshot
from console.verdict import judge
from console.visit import Operator, Viewer
from db.connections import DatabaseUnavailable
from db.queue_people import pause, resume
from db.snapshot import Notifier, Snapshot
from runtime.thresholds import GONE_SECONDS

router = APIRouter()

LEVELS = (N_("problem"), N_("warning"), N_("notice"))
STATES = (N_("waiting"), N_("in flight"), N_("postponed"), N_("unanswered"), N_("to recheck"), N_("rejected"))
MODES = (N_("full sync"), N_("changes"))
HOURS = (1, 2, 4, 8)
MOST_CHARACTERS = 200


@router.get("/")
async def show_now(visit: Viewer) -> Response:
    """Show the state of everything, the verdict first."""
    shared: SharedSnapshot = visit.request.app.state.snapshot
    try:
        snapshot: Snapshot | None = await shared.read(visit.request.app.state.database)
    except DatabaseUnavailable:
        snapshot = None
    zone = visit.zone
    tell = partial(_tell, language=visit.language, zone=zone)
    if snapshot and not visit.may("operator"):
        snapshot = _without_persons(snapshot)
    verdict = judge(snapshot)
    known = {link.path for link in LINKS}
    return visit.render(
        "now.html",
        status=200 if snapshot else 503,
        verdict=verdict,
        snapshot=snapshot,
        tell=tell,
        leads=lambda address: bool(address) and address.partition("?")[0] in known,
        past=_past(snapshot),
        counted=lambda items: _show(counted(items), visit.language, zone),
        queue=_queue(snapshot) if snapshot else (),
        state_of=_state_of,
        reason=lambda code: tell(explain_reason(code).sentence),
        hours=HOURS,
    )


@router.post("/")
async def act_on_queue(visit: Operator) -> Response:
    """Pause the pushes or resume them, as the button that was pressed says."""
    match visit.form.text("act"):
        case "pause":
            return await _pause(visit)
        case "resume":
            return await _resume(visit)
    raise HTTPException(400, "The form names no act: pause or resume")


async def _pause(visit: Operator) -> Response:
    """Pause the pushes, as long as no other person has paused them since the page was shown."""
    reason, hours = visit.form.text("reason"), visit.form.text("hours")
    if not reason or len(reason) > MOST_CHARACTERS or not reason.isprintable():
        return visit.done(visit.say(N_("A reason has 1 to 200 printable characters")), is_good=False)
    if hours not in ("", *map(str, HOURS)):
        raise HTTPException(400, "The form names no such time")
    span = timedelta(hours=int(hours)) if hours else None
    async with visit.acting() as connection:
        made = await pause(connection, visit.person.person_name, reason, span=span, is_only=True)
        target = {"hours": int(hours)} if hours else {}
        done = N_("The pushes are paused; what is being pushed now is finished")
        sentence = done if made else N_("Nothing was changed: the pushes are paused already")
        notice = await visit.write_act(
            connection, "queue pause", target, int(made is not None), sentence, reason=reason
        )
    return visit.done(notice, is_good=made is not None)


async def _resume(visit: Operator) -> Response:
    """End the pause that the page showed, and none that another person has made since."""
    paused_at = read_time(visit.form, "paused_at")
    async with visit.acting() as connection:
        ended = await resume(connection, paused_at)
        sentence = N_("The pushes go on") if ended else N_("Nothing was changed: the pause that was shown is over")
        notice = await visit.write_act(connection, "queue resume", {}, int(ended is not None), sentence)
    return visit.done(notice, is_good=ended is not None)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the queue's table; of the rejected and the postponed one for each reason."""

    state: str
    items: int
    since: datetime | None
    reason_code: str | None


def _queue(snapshot: Snapshot) -> list[Row]:
    """The states in their order, each reason by the number of its items; states without items too."""
    groups = [*snapshot.queue, *snapshot.rejected]
    rows = []
    for state in STATES:
        found = sorted((group for group in groups if group.state == state), key=lambda group: -group.items)
        is_due = state == "waiting"
        past = _past(snapshot)
        rows += [
            Row(state, group.items, past(group.oldest_seconds) if is_due else None, group.reason_code)
            for group in found
        ] or [Row(state, 0, None, None)]
    return rows


def _past(snapshot: Snapshot | None) -> Callable[[float | None], datetime | None]:
    """Turn an age in seconds into its time."""

    def past(seconds: float | None) -> datetime | None:
        return None if seconds is None or snapshot is None else snapshot.as_of - timedelta(seconds=seconds)

    return past


NOTIFIER_STATES = (N_("listening"), N_("polling"), N_("starting"), N_("gone"), N_("waits for a person"))
BREAKERS = (N_("waits for Sierra"), N_("decides whose fault it is"))


def _state_of(notifier: Notifier) -> str:
    """A notifier's state in words that are translated where they are shown."""
    if notifier.seen_seconds > GONE_SECONDS:
        return "gone"
    if notifier.breaker in ("open", "probing"):
        return "waits for a person" if notifier.waits_for == "person" else "waits for Sierra"
    return "decides whose fault it is" if notifier.breaker == "sampling" else notifier.mode


def _without_persons(snapshot: Snapshot) -> Snapshot:
    """The snapshot as a viewer may see it: with the names of stations, without those of persons."""
    stations = {client.client_name for client in snapshot.clients}
    pushes = [push if push.queued_by in stations else replace(push, queued_by="–") for push in snapshot.pushes]
    return replace(snapshot, paused_by=None, pushes=pushes)


def _tell(said: Sentence, *, language: str, zone: ZoneInfo) -> str:
    """The sentence in the person's language."""
    return say(said, translations(language), partial(_show, language=language, zone=zone))


def _show(value: Plain, language: str, zone: ZoneInfo) -> str:
    locale: Any = locale_of(language)
    match value:
        case AtLeast():
            return f"{format_decimal(value.number, locale=locale)}+"
        case datetime():
            if value.astimezone(zone).date() == datetime.now(zone).date():
                return format_time(value, "short", tzinfo=zone, locale=locale)
            return format_datetime(value, "short", tzinfo=zone, locale=locale)
        case timedelta():
            return format_timedelta(value, threshold=1.5, locale=locale)
        case int():
            return format_decimal(value, locale=locale)
    return value
