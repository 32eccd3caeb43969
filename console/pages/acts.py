"""Acts: which person did what, by the console or by a command. For operators and admins, as it names persons."""

from fastapi import APIRouter, Response

from console.filters import read_id
from console.languages import N_
from console.visit import Operator
from db.acts import read_acts

router = APIRouter()

THROUGH = (N_("console"), N_("command"))
ON_A_PAGE = 100


@router.get("/acts")
async def show_acts(visit: Operator) -> Response:
    """List the acts, the newest first, of one person or of all; `before` is the page's first older one."""
    before, person = read_id(visit.query, "before"), visit.query.text("person")
    async with visit.reading() as connection:
        acts = await read_acts(connection, ON_A_PAGE + 1, before=before, person=person or None)
    older = acts[ON_A_PAGE - 1]["act_id"] if len(acts) > ON_A_PAGE else None
    return visit.render("acts.html", acts=acts[:ON_A_PAGE], older=older, of_person=person, is_newest=before is None)
