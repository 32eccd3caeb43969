"""Problems (RFC 9457): the answers to requests that were not done. Their `detail` says why.

401, 403            the key: see api/auth.py
404, 408, 409, 413, 422  the request; 422 lists the fields
503, Retry-After    the database does not answer, or an ingest process was killed: the same request may succeed later
500                 a bug of ours, logged under the answer's X-Request-ID (see api/middleware.py)
"""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from api.ingest.process import IngestEnded
from api.openapi import reference_to
from api.repeats import REPEATS_SECONDS, Repeats
from api.schemas import InvalidProblem, Problem
from db.connections import DatabaseRefuses, DatabaseUnavailable

log = logging.getLogger("signum.api")

RETRY_AFTER_SECONDS = 5
PATH_IN_LOG = 100  # characters: an item's path is shorter, a hostile one may have 64 KiB

KEYED = {401: "Not authenticated", 403: "Invalid x-api-key"}  # of every route that needs a key

_TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}  # RFC 9110; Python before 3.13 has older names

Headers = dict[str, str]


class ProblemResponse(JSONResponse):
    """A problem. Its `detail` is a text or, for a 422, a list: as clients knew it before it became a problem."""

    media_type = "application/problem+json"

    def __init__(self, status: int, detail: object, headers: Headers | None = None) -> None:
        super().__init__(_body(status, detail), status, headers)


def _body(status: int, detail: object) -> dict[str, object]:
    title = _TITLES.get(status) or HTTPStatus(status).phrase
    return {"type": "about:blank", "title": title, "status": status, "detail": detail}


def problems(examples: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI description of a route's problems, from an example `detail` for each. 503 is always added."""
    described = {**examples, 503: "The database does not answer: connection refused"}
    return {status: _described(status, example, example, Problem) for status, example in described.items()}


def invalid(where: Sequence[str], message: str) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI description of a route's 422, from an example of a wrong field and its message."""
    detail = [{"type": "value_error", "loc": list(where), "msg": message}]
    return {422: _described(422, "A field is missing or can't be used", detail, InvalidProblem)}


def _described(status: int, description: str, detail: object, model: type[BaseModel]) -> dict[str, Any]:
    content = {"schema": reference_to(model), "example": _body(status, detail)}
    return {"description": description, "content": {ProblemResponse.media_type: content}}


def handle_problems(app: FastAPI) -> None:
    """Register an answer for each kind of error. Any other is a bug, which api/middleware.py answers."""
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(DatabaseUnavailable, _unavailable)
    app.add_exception_handler(IngestEnded, _ingest_ended)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(ClientDisconnect, _gone)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return ProblemResponse(error.status_code, error.detail, dict(error.headers or {}))


async def _unavailable(request: Request, error: Exception) -> Response:
    reason = str(error)
    kind = {"method": request.method, "route": request.scope["route"].path_format}

    def log_count(count: int) -> None:
        line = "%d more requests were not done within %d s, the database is not available: %s"
        log.warning(line, count, REPEATS_SECONDS, reason, extra=kind)

    repeats: Repeats = request.app.state.repeats
    # A mark always has its line: its label is printed, and the path says which item to mark again.
    if request.method == "PUT" or repeats.is_first((*kind.values(), reason), log_count):
        about = {"method": request.method, "path": request.url.path[:PATH_IN_LOG]}
        log.warning("request was not done, the database is not available: %s", reason, extra=about)
    detail = reason if isinstance(error, DatabaseRefuses) else f"The database does not answer: {reason}"
    return ProblemResponse(503, detail, {"Retry-After": str(RETRY_AFTER_SECONDS)})


async def _ingest_ended(request: Request, error: Exception) -> Response:
    log.error("batch has no result, its ingest process %s", error)
    detail = f"The batch has no result, its ingest process {error}. Send it again"
    return ProblemResponse(503, detail, {"Retry-After": str(RETRY_AFTER_SECONDS)})


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return ProblemResponse(422, jsonable_encoder(error.errors()))


async def _gone(request: Request, error: Exception) -> Response:
    log.info("client went away before its request was complete")
    return Response(status_code=400)
