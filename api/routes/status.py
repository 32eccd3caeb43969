"""The route `/status`: each print station reports its host about every two seconds, and gets the sync's state."""

import asyncio
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from api.auth import Printer, database_of
from api.openapi import reference_to
from api.problems import KEYED, invalid, problems
from api.schemas import Status, StatusReport
from db.clients import SyncTimes, report_status

router = APIRouter(tags=["Print stations"])

MOST_BYTES = 8 * 1024
BODY_SECONDS = 4  # print stations wait 5 for the answer

_FORM = {"application/x-www-form-urlencoded": {"schema": reference_to(StatusReport)}}


@router.post(
    "/status",
    response_model=Status,
    summary="Report a print station's host",
    responses=problems(KEYED | {408: "The report was not complete within 4 s", 413: "The report is longer than 8 KiB"})
    | invalid(["body", "internal_hostname"], "Field required"),
    openapi_extra={"requestBody": {"required": True, "content": _FORM}},
)
@router.post("/status/", response_model=Status, include_in_schema=False)
async def take_report(request: Request, printer: Printer) -> SyncTimes:
    """Note host name, address and time. Answer with the state of the sync with Sierra."""
    report = _parsed(await _read(request))
    return await report_status(database_of(request), printer.client_id, report.internal_hostname, report.address)


async def _read(request: Request) -> bytes:
    """Return the body. FastAPI's Form would read it before the key is checked, however long it is."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _read_all(request)
    except TimeoutError:
        raise HTTPException(408, f"The report was not complete within {BODY_SECONDS} s") from None


async def _read_all(request: Request) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            raise HTTPException(413, f"The report is longer than {MOST_BYTES // 1024} KiB")
    return bytes(body)


def _parsed(body: bytes) -> StatusReport:
    form: dict[str, Any] = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    try:
        return StatusReport.model_validate(form)
    except ValidationError as error:
        found = [{**one, "loc": ("body", *one["loc"])} for one in error.errors(include_url=False)]
        raise RequestValidationError(found) from None
