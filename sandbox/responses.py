"""Sierra's responses: JSON, errors, and the ones that a fault gives in its place."""

import json
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from sandbox.faults import Fault
from sandbox.http import Response

_JSON = {"content-type": "application/json;charset=UTF-8"}
_PAGE = b"<!DOCTYPE html><html><head><title>Sorry</title></head><body><h1>The service is unavailable</h1></body></html>"
_USUAL_CODES = {400: 108, 401: 123, 403: 116, 404: 107, 409: 133, 500: 111, 503: 117}


def error_response(status: int, code: int, description: str, specific_code: int = 0) -> Response:
    """The body and status of an error, as Sierra sends it."""
    return json_response(
        {
            "code": code,
            "specificCode": specific_code,
            "httpStatus": status,
            "name": "Record not found" if status == 404 else HTTPStatus(status).phrase,
            "description": description,
        },
        status,
    )


def json_response(content: Any, status: int = 200) -> Response:
    """Content as JSON, as Sierra sends it."""
    return Response(status, json.dumps(content, ensure_ascii=False).encode(), _JSON)


def faulty_response(fault: Fault) -> Response:
    """The answer that a fault gives in Sierra's place."""
    status = fault.status or 503
    headers = {"retry-after": fault.retry_after} if fault.retry_after else {}
    if fault.html:
        return Response(status, _PAGE, {"content-type": "text/html", **headers})
    code = fault.code or _USUAL_CODES.get(status, 0)
    response = error_response(status, code, fault.description or "Asked for by the sandbox", fault.specific_code)
    return replace(response, headers={**response.headers, **headers})
