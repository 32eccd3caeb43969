"""Catalogue: what the ETL brings from Sierra, what it could not, and what Sierra does not show; restart and allow."""

from collections.abc import Mapping

from fastapi import APIRouter, HTTPException, Response

from console.languages import N_
from console.visit import Admin, Viewer
from db.catalogue import count_refused_rows, read_held_deletions, read_refused_rows
from db.deletions import allow_deletions
from db.history import read_not_shown
from db.sync_state import request_full_sync, show_sync

router = APIRouter()

MOST_ROWS = 50
MODES: Mapping[str, str] = {"SYNC_FULL": N_("All items, page by page"), "SYNC_CHANGES": N_("What changed")}
# The advice of the view sync_overview.
ADVICE = (
    N_('changes between gap_from and gap_until are missing: run "signum sync restart"'),
    N_("a full sync begins when the ETL comes next"),
    N_("a full sync is under way"),
    N_('deletions are held: look at them, and if they are right run "signum sync allow-deletions"'),
    N_("changes are taken in"),
)
SHOWN_STATES = (N_("not shown"), N_("changed in Sierra since"))


@router.get("/catalogue")
async def show_catalogue(visit: Viewer) -> Response:
    """Show the sync's state, held deletions and refused rows; of one reason, and what is not shown, if asked for."""
    reason_code = visit.query.text("reason")
    looks = visit.query.text("not-shown") == "1"  # a look at a month of history: not with each page
    async with visit.reading() as connection:
        return visit.render(
            "catalogue.html",
            sync=await show_sync(connection),
            modes=MODES,
            held=await read_held_deletions(connection),
            reasons=await count_refused_rows(connection),
            reason_code=reason_code,
            rows=await read_refused_rows(connection, reason_code, MOST_ROWS) if reason_code else [],
            not_shown=await read_not_shown(connection, MOST_ROWS) if looks else None,
            most=MOST_ROWS,
        )


@router.post("/catalogue")
async def act_on_catalogue(visit: Admin) -> Response:
    """Restart the sync or allow the deletions, as the button that was pressed says."""
    match visit.form.text("act"):
        case "restart":
            return await _restart(visit)
        case "allow":
            return await _allow(visit)
    raise HTTPException(400, "The form names no act: restart or allow")


async def _restart(visit: Admin) -> Response:
    async with visit.acting() as connection:
        await request_full_sync(connection)
        notice = await visit.write_act(
            connection, "sync restart", {}, 1, N_("A full sync begins when the ETL comes next")
        )
    return visit.done(notice)


async def _allow(visit: Admin) -> Response:
    """Delete the items that the page showed. Others may be held by now: the ETL's login may have lost its rights."""
    async with visit.acting() as connection:
        deleted = await allow_deletions(connection, visit.form.text("ids_sum"))
        sentence, held = N_("Items deleted: %(number)s"), 0
        if not deleted:
            sentence = N_(
                "Nothing was deleted: other items are held now than you were shown, %(held)s in all; look again"
            )
            held = sum(day["items"] for day in await read_held_deletions(connection))
        notice = await visit.write_act(connection, "sync allow-deletions", {}, deleted, sentence, held=held)
    return visit.done(notice, is_good=deleted > 0)
