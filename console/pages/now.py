"""The first page."""

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from console.visit import Viewer

router = APIRouter()


@router.get("/")
async def show_now(visit: Viewer) -> Response:
    """Lead to the stations."""
    return RedirectResponse(visit.request.scope["root_path"] + "/stations", 303)
