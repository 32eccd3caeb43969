"""Queue: what waits for its update in Sierra, filtered by the address, and acts on what is ticked or on all of it."""

from dataclasses import replace
from functools import partial
from typing import Any

from fastapi import APIRouter, HTTPException, Response

from console.download import Portion, download
from console.filters import encode_filter, read_choice, read_days, read_id, read_ids, read_time, read_why, tell_filter
from console.languages import N_
from console.visit import Operator, Viewer, Visit
from console.words import (
    MOST_AT_ONCE,
    STATES,
    answer_too_many,
    choices,
    find_stations,
    hide_persons,
    reason_choices,
    refuse_persons_name,
    tell_reason,
)
from db.queue import Connection
from db.queue_filter import (
    PORTION,
    QueueFilter,
    choose_items,
    look_for_items,
    most_looked,
    read_clock,
    show_items,
)
from db.queue_people import dismiss, retry
from db.reasons import REASON_CODES

router = APIRouter()

PAGE_ITEMS = 50
MOST_COUNTED = 1_000
NAMES = ("state", "reason", "by", "words", "from", "until")
ACTS = ("retry", "dismiss")
COLUMNS = (
    *("item_number", "barcode", "title", "classification", "state", "reason_code", "reason", "next_try_at"),
    *("queued_at", "queued_by", "attempts"),
)


def read_filter(visit: Visit) -> QueueFilter:
    """The filter in the address. 400 where a part of it is none."""
    fields = visit.query
    queued_from, queued_until = read_days(fields, visit.zone)
    return QueueFilter(
        state=read_choice(fields, "state", STATES),
        reason_code=read_choice(fields, "reason", REASON_CODES),
        queued_by=fields.text("by") or None,
        words=fields.text("words") or None,
        queued_from=queued_from,
        queued_until=queued_until,
    )


@router.get("/queue")
async def show_queue(visit: Viewer) -> Response:
    """A page of the queue, by item, and how many items match."""
    wanted, after = read_filter(visit), read_id(visit.query, "after")
    async with visit.reading() as connection:
        stations = await find_stations(connection)
        refuse_persons_name(visit, wanted.queued_by, stations)
        first, first_until = await look_for_items(connection, wanted, None, MOST_COUNTED + 1)
        ids, until = (
            (first, first_until) if after is None else await look_for_items(connection, wanted, after, PAGE_ITEMS + 1)
        )
        items = await show_items(connection, ids[:PAGE_ITEMS])
    hide_persons(visit, items, stations, "queued_by")
    goes_on = ids[PAGE_ITEMS - 1] if len(ids) > PAGE_ITEMS else until
    further = encode_filter(visit.query, NAMES, after=goes_on) if goes_on else None
    return visit.render(
        "queue.html",
        items=items,
        counted=len(first),
        most=MOST_COUNTED,
        looked=most_looked(wanted) if first_until else None,
        stations=stations,
        states=choices(visit, STATES),
        reasons=reason_choices(visit),
        tell_reason=partial(tell_reason, visit),
        told=tell_filter(visit.query, NAMES),
        filter=encode_filter(visit.query, NAMES),
        is_first=after is None,
        further=further,
    )


@router.get("/queue.csv")
async def download_queue(visit: Viewer) -> Response:
    """All that matches, for a spreadsheet."""
    wanted = read_filter(visit)

    async def fetch(connection: Connection, after: int | None) -> Portion:
        stations = await find_stations(connection)
        refuse_persons_name(visit, wanted.queued_by, stations)
        ids, until = await look_for_items(connection, wanted, after, PORTION)
        items = await show_items(connection, ids)
        hide_persons(visit, items, stations, "queued_by")
        return items, until

    return await download(visit, "queue", COLUMNS, fetch)


@router.get("/queue/act")
async def ask_before_act(visit: Operator) -> Response:
    """The question before an act: what, and to how many items as of now."""
    act, wanted = read_act(visit)
    if wanted.item_record_ids == []:
        notice = visit.say(N_("Nothing was done: tick items first, or take all that match"))
        return visit.redirect(queue_address(visit), notice, is_good=False)
    async with visit.reading() as connection:
        asked_at = await read_clock(connection)
        ids = await choose_items(connection, wanted, limit=MOST_AT_ONCE + 1)
    if len(ids) > MOST_AT_ONCE:
        return answer_too_many(visit, queue_address(visit))
    return visit.render(
        "queue_act.html", act=act, count=len(ids), asked_at=asked_at.isoformat(), back=queue_address(visit)
    )


@router.post("/queue/act")
async def act_on_queue(visit: Operator) -> Response:
    """Do it to what stood there when it was asked."""
    act, wanted = read_act(visit)
    asked_at, asked = read_time(visit.form, "asked_at"), read_id(visit.form, "asked") or 0
    reason = read_why(visit.form)
    if act == "dismiss" and reason is None:
        return visit.done(visit.say(N_("Nothing was done: a reason is needed")), is_good=False)
    told: dict[str, Any] = dict(tell_filter(visit.query, NAMES))
    target = {name: value for name, value in told.items() if value}
    if wanted.item_record_ids is not None:
        target["item_record_ids"] = list(wanted.item_record_ids)
    async with visit.acting() as connection:
        ids = await choose_items(connection, replace(wanted, asked_at=asked_at), limit=MOST_AT_ONCE + 1)
        if len(ids) > MOST_AT_ONCE:
            return answer_too_many(visit, queue_address(visit))
        late = visit.settings.late_write_seconds
        do = retry if act == "retry" else partial(dismiss, late_seconds=late, asked_at=asked_at)
        done = await do(connection, visit.person.person_name, item_record_ids=ids)
        notice = await visit.write_act(
            connection, f"queue {act}", target, len(done), DONE[act], reason=reason, asked=asked
        )
    return visit.redirect(queue_address(visit), notice, is_good=bool(done))


DONE = {
    "retry": N_("%(number)s of %(asked)s items: tried again"),
    "dismiss": N_("%(number)s of %(asked)s items: taken off the queue"),
}


def read_act(visit: Visit) -> tuple[str, QueueFilter]:
    """The act of the button that was pressed, and what it is to be done to: what is ticked, or all that match."""
    act, _, all_of_them = visit.query.text("act").partition(" ")
    if act not in ACTS:
        raise HTTPException(400, f"The address names no act: {' or '.join(ACTS)}")
    wanted = read_filter(visit)
    if not all_of_them:
        wanted = replace(wanted, item_record_ids=read_ids(visit.query, "id"))
    if act == "retry":
        wanted = replace(wanted, state=wanted.state or "rejected")
    return act, wanted


def queue_address(visit: Visit) -> str:
    """The address of the page with its filter."""
    told = encode_filter(visit.query, NAMES)
    return f"{visit.request.scope['root_path']}/queue" + (f"?{told}" if told else "")
