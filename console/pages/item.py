"""Item: all that is known of one, its story, and mark, undo, retry, dismiss."""

from functools import partial
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Response
from fastapi.responses import RedirectResponse

from console.filters import read_id, read_time, read_why
from console.item_events import tell_story
from console.languages import N_
from console.visit import Operator, Viewer, Visit
from console.words import find_stations, hide_persons, tell_reason
from db.history import queue_reverts
from db.item_story import Row, find_items, read_story
from db.marks import mark_items
from db.queue import Connection
from db.queue_filter import read_clock
from db.queue_people import dismiss, retry
from runtime.call_number import Renewal, renew

router = APIRouter()

PRIORITY = 1  # behind the print stations
# Of each act the command's words, and the sentences for what was done and what was not.
ACTS = {
    "mark": (
        "queue mark",
        N_("Marked: it is written to Sierra next"),
        N_("Not marked: the item was deleted in Sierra"),
    ),
    "retry": ("queue retry", N_("It is tried again"), N_("Not tried again: it is not rejected")),
    "dismiss": (
        "queue dismiss",
        N_("Taken off the queue"),
        N_(
            "Not taken off the queue: it is not there, was marked since it was shown, is being pushed, or was written"
            " without an answer just now"
        ),
    ),
    "undo": (
        "revert",
        N_("The push is undone next, if Sierra still has what it wrote"),
        N_("Not undone: the item is in the queue, or there is nothing to undo"),
    ),
}


@router.get("/item")
async def look_up(visit: Viewer) -> Response:
    """Lead from the box in the head to the item."""
    return RedirectResponse(f"{visit.request.scope['root_path']}/item/{quote(visit.query.text('of'), safe='')}", 303)


@router.get("/item/{name:path}")
async def show_item(visit: Viewer, name: str) -> Response:
    """Show one item; of several that share a barcode a list; where there is none, that."""
    async with visit.reading() as connection:
        asked_at = await read_clock(connection)
        items = await find_items(connection, _checked(name))
        if len(items) != 1:
            return visit.render("item_choice.html", status=200 if items else 404, name=name, items=items)
        stations = await find_stations(connection)
        story = await read_story(connection, items[0])
    hide_persons(visit, story.outcomes, stations, "queued_by", "finished_by")
    hide_persons(visit, [story.queued] if story.queued else [], stations, "queued_by")
    return visit.render(
        "item.html",
        item=story.item,
        queued=story.queued,
        asked_at=asked_at.isoformat(),
        events=[(event, visit.say(event.sentence, **event.values)) for event in tell_story(story)],
        renewal=_renewal(story.item),
        tell_reason=partial(tell_reason, visit),
    )


@router.post("/item/{name:path}")
async def act_on_item(visit: Operator, name: str) -> Response:
    """Mark, retry, dismiss or undo, as the button that was pressed says: the item that was shown, and no other."""
    act, reason = visit.form.text("act"), read_why(visit.form)
    if act not in ACTS:
        raise HTTPException(400, f"The form names no act: {', '.join(ACTS)}")
    if act == "dismiss" and reason is None:
        return visit.done(visit.say(N_("Nothing was done: a reason is needed")), is_good=False)
    async with visit.acting() as connection:
        item = await _find_shown(visit, connection, name)
        if item is None:
            gone = N_("Nothing was done: the item that was shown no longer has this barcode or number")
            return visit.done(visit.say(gone), is_good=False)
        number = await _act(visit, connection, act, item)
        target = {"ids": [read_id(visit.form, "row")]} if act == "undo" else {"item_numbers": [item["item_number"]]}
        command, done, not_done = ACTS[act]
        notice = await visit.write_act(connection, command, target, number, done if number else not_done, reason=reason)
    return visit.done(notice, is_good=bool(number))


async def _find_shown(visit: Visit, connection: Connection, name: str) -> Row | None:
    """The item that the page showed; None if the address leads there no more: a sync may move a barcode."""
    shown = read_id(visit.form, "item_record_id")
    items = await find_items(connection, _checked(name))
    return next((item for item in items if item["item_record_id"] == shown), None)


async def _act(visit: Visit, connection: Connection, act: str, item: Row) -> int:
    """Do it. Return to how many items it was done: 1, or 0 where it can't be."""
    person, ids = visit.person.person_name, [item["item_record_id"]]
    match act:
        case "mark":
            return len(await mark_items(connection, person, ids, PRIORITY))
        case "retry":
            return len(await retry(connection, person, item_record_ids=ids))
        case "dismiss":
            late, asked_at = visit.settings.late_write_seconds, read_time(visit.form, "asked_at")
            return len(await dismiss(connection, person, late, asked_at, item_record_ids=ids))
        case _:
            row = read_id(visit.form, "row")
            return sum(one.queued for one in await queue_reverts(connection, person, [row] if row else []))


def _renewal(item: Row) -> Renewal | None:
    """The call number as an update would write it, from what the ETL brought; None without a classification."""
    if not item["classification"]:
        return None
    return renew(item["item_call_number"] or "", item["classification"])


def _checked(name: str) -> str:
    """The name, without what no database takes."""
    if "\0" in name:
        raise HTTPException(400, "The address holds a NUL, which is no character of a text")
    return name.strip()
