"""A page for each error: why the page that was asked for can't be had, and what to do."""

import logging
from collections.abc import Mapping

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import ClientDisconnect

from console.browser import Browser
from console.languages import N_, choose, translations
from console.layout import show
from console.sign_in import sign_in_address
from console.visit import NotSignedIn
from db.connections import DatabaseUnavailable
from db.console import OutcomeUnknown

log = logging.getLogger("signum.console")

RETRY_SECONDS = "5"


def handle_errors(app: FastAPI) -> None:
    """Answer every error with a page."""

    async def answer_http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, StarletteHTTPException)
        is_no_page = error.status_code == 404 and error.detail == "Not Found"  # Starlette's own word
        why = N_("There is no such page") if is_no_page else str(error.detail)
        return error_page(request, error.status_code, why, error.headers)

    async def answer_unreadable(request: Request, error: Exception) -> Response:
        return error_page(request, 400, N_("The address names something that is none"))

    async def answer_no_database(request: Request, error: Exception) -> Response:
        log.warning("page not shown: %s", error, extra={"path": request.url.path})
        again = {"Retry-After": RETRY_SECONDS}
        if isinstance(error, OutcomeUnknown):
            return error_page(
                request, 503, N_("It is not known whether this was done: look, before you repeat it"), again
            )
        return error_page(request, 503, N_("The database can't do this now"), again, detail=str(error))

    async def answer_gone(request: Request, error: Exception) -> Response:
        log.info("browser went away before its form was complete")
        return Response(status_code=400)

    async def ask_to_sign_in(request: Request, error: Exception) -> Response:
        return RedirectResponse(sign_in_address(request), 303)

    app.add_exception_handler(StarletteHTTPException, answer_http_error)
    app.add_exception_handler(RequestValidationError, answer_unreadable)
    app.add_exception_handler(DatabaseUnavailable, answer_no_database)
    app.add_exception_handler(ClientDisconnect, answer_gone)
    app.add_exception_handler(NotSignedIn, ask_to_sign_in)


def error_page(
    request: Request, status: int, why: str, headers: Mapping[str, str] | None = None, *, detail: str = ""
) -> Response:
    """A page that says why, in the browser's language where a person can have come to it; the detail is in English."""
    if not hasattr(request.state, "browser"):  # no route was found
        request.state.browser = Browser(request)
    language = choose(None, request.headers.get("accept-language"))
    told = translations(language).gettext(why)
    is_english = told == why
    response = show(request, "error.html", language, None, status, why=told, is_english=is_english, detail=detail)
    response.headers.update(headers or {})
    return response
