"""Signing in by key, signing out, the choice of the language, and what a machine may ask without signing in."""

import logging
import re
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import PlainTextResponse, RedirectResponse

from console.browser import Browser, new_secret
from console.fields import Fields
from console.languages import LANGUAGES, choose
from console.layout import show
from console.visit import Viewer, address_of, find_person
from db.console import ConsoleDatabase
from db.persons import choose_language, sign_in, sign_out

log = logging.getLogger("signum.console")

router = APIRouter()

_LOCAL = re.compile(r"/(?![/\\])[!-\[\]-~]*")  # an address of ours: no host, no blank, no backslash


@router.get("/healthz")
async def tell_alive() -> Response:
    """Say that the process answers, whether its database does or not."""
    return PlainTextResponse("ok")


def sign_in_address(request: Request) -> str:
    """The page where one signs in, which leads on to the address that was asked for."""
    wanted = address_of(request) if request.method in ("GET", "HEAD") else request.url.path
    return f"{request.scope['root_path']}/sign-in?to={quote(wanted, safe='/')}"


@router.get("/sign-in")
async def ask_for_key(request: Request) -> Response:
    """The page where one signs in; who is signed in is led on."""
    if await find_person(request):
        return RedirectResponse(_wanted(request), 303)
    return _show(request)


@router.post("/sign-in")
async def begin_session(request: Request) -> Response:
    """Sign the person in whose key this is, with a new cookie."""
    browser: Browser = request.state.browser
    form: Fields = request.state.form
    database: ConsoleDatabase = request.app.state.database
    secret = new_secret()
    async with database.administering() as connection:
        name = await sign_in(connection, form.text("key"), secret)
    if name is None:
        log.info("sign-in refused: no valid person has that key")
        return _show(request, 403, is_wrong=True)
    log.info("signed in", extra={"person": name})
    browser.renew(secret)
    response = RedirectResponse(_wanted(request), 303)
    browser.remember(response)
    return response


@router.post("/sign-out")
async def end_session(visit: Viewer) -> Response:
    """End the session, and give the browser another cookie."""
    async with visit.administering() as connection:
        await sign_out(connection, visit.browser.secret)
    log.info("signed out", extra={"person": visit.person.person_name})
    visit.browser.renew(new_secret())
    response = RedirectResponse(visit.request.scope["root_path"] + "/sign-in", 303)
    visit.browser.remember(response)
    return response


@router.post("/language")
async def keep_language(visit: Viewer) -> Response:
    """Show the person's pages in another language from now on, beginning with the page that was open."""
    language = visit.form.text("language")
    if language not in LANGUAGES:
        raise HTTPException(400, f"The pages are in {', '.join(LANGUAGES)} only")
    async with visit.administering() as connection:
        await choose_language(connection, visit.person, language)
    return RedirectResponse(_local(visit.form.text("to"), visit.request), 303)


def _show(request: Request, status: int = 200, *, is_wrong: bool = False) -> Response:
    language = choose(None, request.headers.get("accept-language"))
    return show(request, "sign_in.html", language, None, status, is_wrong=is_wrong)


def _wanted(request: Request) -> str:
    return _local(Fields(request.scope["query_string"]).text("to"), request)


def _local(address: str, request: Request) -> str:
    """The address if it is one of ours, else the first page."""
    return address if _LOCAL.fullmatch(address) else request.scope["root_path"] + "/"
