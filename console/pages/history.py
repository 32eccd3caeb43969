"""History: what came of updates, filtered by the address, and the undoing of what is ticked or of all that match."""

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
    OUTCOMES,
    answer_too_many,
    choices,
    find_stations,
    hide_persons,
    reason_choices,
    refuse_persons_name,
    tell_reason,
)
from db.history import queue_reverts
from db.history_filter import (
    MOST_LOOKED,
    PORTION,
    HistoryFilter,
    choose_rows,
    look_for_rows,
    preview_reverts,
    show_rows,
)
from db.queue import Connection
from db.queue_filter import read_clock
from db.reasons import REASON_CODES

router = APIRouter()

PAGE_ROWS = 50
MOST_COUNTED = 1_000
NAMES = ("from", "until", "outcome", "reason", "person", "barcode")
COLUMNS = (
    *("finished_at", "outcome", "barcode", "item_number", "title", "call_number_before", "call_number_after"),
    *("reason_code", "reason", "queued_by", "queued_at", "took_seconds", "sierra_ms", "attempts", "finished_by"),
    *("revert_of", "shown_at", "update_log_id"),
)
# What would come of each push that is to be undone: see preview_reverts.
KINDS = {
    "to undo": N_("are put back, if Sierra still has what they wrote"),
    "changed": N_("will be refused: staff changed the call number since"),
    "queued": N_("are left out: their items are in the queue"),
    "older push": N_("are left out: a newer push of the same item is undone"),
    "no push": N_("are left out: nothing was written"),
    "nothing to undo": N_("are left out: the call number stayed as it was"),
    "no call number before": N_("are left out: there was no call number before, and Sierra can't take one away"),
    "not in the catalogue": N_("are left out: their items have left the catalogue"),
}


def read_filter(visit: Visit) -> HistoryFilter:
    """The filter in the address. 400 where a part of it is none."""
    fields = visit.query
    finished_from, finished_until = read_days(fields, visit.zone)
    return HistoryFilter(
        finished_from=finished_from,
        finished_until=finished_until,
        outcome=read_choice(fields, "outcome", OUTCOMES),
        reason_code=read_choice(fields, "reason", REASON_CODES),
        person=fields.text("person") or None,
        barcode=fields.text("barcode") or None,
    )


@router.get("/history")
async def show_history(visit: Viewer) -> Response:
    """A page of outcomes, the newest first, and how many match."""
    wanted, before = read_filter(visit), read_id(visit.query, "before")
    async with visit.reading() as connection:
        stations = await find_stations(connection)
        refuse_persons_name(visit, wanted.person, stations)
        first, first_since = await look_for_rows(connection, wanted, None, MOST_COUNTED + 1)
        ids, since = (
            (first, first_since) if before is None else await look_for_rows(connection, wanted, before, PAGE_ROWS + 1)
        )
        rows = await show_rows(connection, ids[:PAGE_ROWS])
    hide_persons(visit, rows, stations, "queued_by", "finished_by")
    goes_on = ids[PAGE_ROWS - 1] if len(ids) > PAGE_ROWS else since
    further = encode_filter(visit.query, NAMES, before=goes_on) if goes_on else None
    return visit.render(
        "history.html",
        rows=rows,
        counted=len(first),
        most=MOST_COUNTED,
        looked=MOST_LOOKED if first_since else None,
        stations=stations,
        outcomes=choices(visit, OUTCOMES),
        reasons=reason_choices(visit),
        tell_reason=partial(tell_reason, visit),
        told=tell_filter(visit.query, NAMES),
        filter=encode_filter(visit.query, NAMES),
        is_first=before is None,
        further=further,
    )


@router.get("/history.csv")
async def download_history(visit: Viewer) -> Response:
    """All that matches, for a spreadsheet."""
    wanted = read_filter(visit)

    async def fetch(connection: Connection, before: int | None) -> Portion:
        stations = await find_stations(connection)
        refuse_persons_name(visit, wanted.person, stations)
        ids, since = await look_for_rows(connection, wanted, before, PORTION)
        rows = await show_rows(connection, ids)
        hide_persons(visit, rows, stations, "queued_by", "finished_by")
        return rows, since

    return await download(visit, "history", COLUMNS, fetch)


@router.get("/history/undo")
async def ask_before_undo(visit: Operator) -> Response:
    """The question before pushes are undone: what would come of how many."""
    wanted = read_undo(visit)
    if wanted.update_log_ids == []:
        notice = visit.say(N_("Nothing was undone: tick pushes first, or take all that match"))
        return visit.redirect(history_address(visit), notice, is_good=False)
    async with visit.reading() as connection:
        asked_at = await read_clock(connection)
        ids = await choose_rows(connection, wanted, limit=MOST_AT_ONCE + 1)
        if len(ids) > MOST_AT_ONCE:
            return answer_too_many(visit, history_address(visit))
        kinds = await preview_reverts(connection, ids)
    return visit.render(
        "history_undo.html",
        count=len(ids),
        kinds=[(visit.say(KINDS[kind]), pushes) for kind, pushes in kinds.items() if pushes],
        to_undo=kinds["to undo"] + kinds["changed"],
        asked_at=asked_at.isoformat(),
        back=history_address(visit),
    )


@router.post("/history/undo")
async def undo_pushes(visit: Operator) -> Response:
    """Queue the undoing of what stood there when it was asked: behind the print stations, in one statement."""
    wanted = read_undo(visit)
    asked_at, asked = read_time(visit.form, "asked_at"), read_id(visit.form, "asked") or 0
    reason = read_why(visit.form)
    if reason is None:
        return visit.done(visit.say(N_("Nothing was done: a reason is needed")), is_good=False)
    target: dict[str, Any] = {name: value for name, value in tell_filter(visit.query, NAMES).items() if value}
    if wanted.update_log_ids is not None:
        target["ids"] = list(wanted.update_log_ids)
    async with visit.acting() as connection:
        ids = await choose_rows(connection, replace(wanted, asked_at=asked_at), limit=MOST_AT_ONCE + 1)
        if len(ids) > MOST_AT_ONCE:
            return answer_too_many(visit, history_address(visit))
        reverts = await queue_reverts(connection, visit.person.person_name, ids)
        queued = sum(one.queued for one in reverts)
        sentence = N_("%(number)s of %(asked)s pushes: are undone next")
        notice = await visit.write_act(connection, "revert", target, queued, sentence, reason=reason, asked=asked)
    return visit.redirect(history_address(visit), notice, is_good=bool(queued))


def read_undo(visit: Visit) -> HistoryFilter:
    """The pushes to be undone: what is ticked, or all that match."""
    act = visit.query.text("act")
    if act not in ("undo", "undo all"):
        raise HTTPException(400, "The address names no act: undo, or undo all")
    wanted = read_filter(visit)
    return wanted if act == "undo all" else replace(wanted, update_log_ids=read_ids(visit.query, "id"))


def history_address(visit: Visit) -> str:
    """The address of the page with its filter."""
    told = encode_filter(visit.query, NAMES)
    return f"{visit.request.scope['root_path']}/history" + (f"?{told}" if told else "")
