"""People: the persons who may use the console, for admins, who add them, give new keys, and let them in no more."""

from fastapi import APIRouter, HTTPException, Response

from console.languages import N_
from console.visit import Admin
from db.persons import ROLES, add_person, list_persons, revoke_person, rotate_person

router = APIRouter()

MOST_CHARACTERS = 100
BAD_NAME = N_("A name has 1 to 100 printable characters")


@router.get("/people")
async def show_people(visit: Admin) -> Response:
    """List the persons: role, and when each was last here."""
    async with visit.administering() as connection:
        persons = await list_persons(connection)
    return visit.render("people.html", persons=persons, roles=ROLES)


@router.post("/people")
async def act_on_person(visit: Admin) -> Response:
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
    role = next((role for role in ROLES if role == visit.form.text("role")), None)
    if role is None:
        raise HTTPException(400, f"The form names no role: {', '.join(ROLES)}")
    if not name or not name.isprintable():
        return visit.done(visit.say(BAD_NAME), is_good=False)
    async with visit.administering() as connection:
        made = await add_person(connection, name, role)
        sentence = N_("%(name)s may use the console") if made else N_("%(name)s is not added: that name is taken")
        target = {"name": name, "role": role}
        notice = await visit.write_act(connection, "person add", target, int(made is not None), sentence, name=name)
    return visit.done(notice, is_good=made is not None, key=made.key if made else None)


async def _rotate(visit: Admin, name: str) -> Response:
    async with visit.administering() as connection:
        made = await rotate_person(connection, name)
        sentence = (
            N_("%(name)s has a new key, and is signed out wherever the old one was used")
            if made
            else N_("%(name)s has no new key: no person who is let in has that name")
        )
        notice = await visit.write_act(
            connection, "person rotate", {"name": name}, int(made is not None), sentence, name=name
        )
    return visit.done(notice, is_good=made is not None, key=made.key if made else None)


async def _revoke(visit: Admin, name: str) -> Response:
    if name == visit.person.person_name:  # or the last admin could lock everyone out
        return visit.done(visit.say(N_("You can't revoke yourself: ask another admin")), is_good=False)
    async with visit.administering() as connection:
        revoked_at = await revoke_person(connection, name)
        sentence = N_("%(name)s is let in no more") if revoked_at else N_("No person has the name %(name)s")
        notice = await visit.write_act(
            connection, "person revoke", {"name": name}, int(revoked_at is not None), sentence, name=name
        )
    return visit.done(notice, is_good=revoked_at is not None)
