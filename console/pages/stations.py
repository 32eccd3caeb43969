"""Stations and keys: the clients of the API, and for an admin a key for a new one, a new key, or none any more."""

from typing import get_args

from fastapi import APIRouter, HTTPException, Response

from console.languages import N_
from console.visit import Admin, Viewer
from db.clients import ClientType, add_client, list_clients, revoke_client, rotate_client

router = APIRouter()

TYPES = get_args(ClientType)
STATES = (N_("valid"), N_("revoked"))
MOST_CHARACTERS = 100
BAD_NAME = N_("A name has 1 to 100 printable characters")


@router.get("/stations")
async def show_stations(visit: Viewer) -> Response:
    """List the clients: type, computer, and when each was last seen."""
    async with visit.reading() as connection:
        clients = await list_clients(connection)
    return visit.render("stations.html", clients=clients, types=TYPES)


@router.post("/stations")
async def act_on_station(visit: Admin) -> Response:
    """Add, rotate or revoke, as the button that was pressed says."""
    name = visit.form.text("name")
    if len(name) > MOST_CHARACTERS:  # nothing has it, and the act's row and the notice would hold it
        return visit.done(visit.say(BAD_NAME), is_good=False)
    match visit.form.text("act"):
        case "add":
            return await _add(visit, name)
        case "rotate":
            return await _rotate(visit, name)
        case "revoke":
            return await _revoke(visit, name)
    raise HTTPException(400, "The form names no act: add, rotate or revoke")


async def _add(visit: Admin, name: str) -> Response:
    client_type = visit.form.text("type")
    if client_type not in TYPES:
        raise HTTPException(400, f"The form names no type: {' or '.join(TYPES)}")
    if not name or not name.isprintable():
        return visit.done(visit.say(BAD_NAME), is_good=False)
    async with visit.acting() as connection:
        made = await add_client(connection, name, client_type)
        sentence = N_("%(name)s is added") if made else N_("%(name)s is not added: that name is taken")
        target = {"name": name, "type": client_type}
        notice = await visit.write_act(connection, "client add", target, int(made is not None), sentence, name=name)
    return visit.done(notice, is_good=made is not None, key=made.key if made else None)


async def _rotate(visit: Admin, name: str) -> Response:
    async with visit.acting() as connection:
        made = await rotate_client(connection, name)
        sentence = (
            N_("%(name)s has a new key, and the old one is refused from now on")
            if made
            else N_("%(name)s has no new key: no client with a valid key has that name")
        )
        notice = await visit.write_act(
            connection, "client rotate", {"name": name}, int(made is not None), sentence, name=name
        )
    return visit.done(notice, is_good=made is not None, key=made.key if made else None)


async def _revoke(visit: Admin, name: str) -> Response:
    async with visit.acting() as connection:
        revoked_at = await revoke_client(connection, name)
        sentence = (
            N_("The key of %(name)s is refused from now on") if revoked_at else N_("No client has the name %(name)s")
        )
        notice = await visit.write_act(
            connection, "client revoke", {"name": name}, int(revoked_at is not None), sentence, name=name
        )
    return visit.done(notice, is_good=revoked_at is not None)
