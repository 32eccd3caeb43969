"""Whatever is sent to a route, it answers as our OpenAPI says: no 500, no undocumented status, no other shape."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.fix_api import ApiClient
from tests.fix_postgres import TestDatabase

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
ROUTES = {
    "GET /healthz": {200},
    "GET /readiness": {200},
    "GET /itemdata/{barcode}": {200, 401, 404, 422},
    "PUT /itemdata/{item_record_id}": {200, 401, 404, 422},
    "POST /status": {200, 401, 422},
    "GET /sync": {200, 401},
    "POST /sync": {400, 401, 422},
}
STARTS_A_PROCESS = {"POST /sync"}  # for each request: a fifth of the questions has to do


@pytest.mark.parametrize("label", ROUTES)
def test_a_route_answers_as_documented(
    label: str, api: ApiClient, printer_key: str, etl_key: str, database: TestDatabase
) -> None:
    known = {"barcode": "33010000000001", "item_record_id": database.add_item(1, barcode="33010000000001")}
    found = schemathesis.openapi.from_url(f"{api.base_url}/openapi.json").get_all_operations()
    operations = [one.ok() for one in found if isinstance(one, Ok)]
    assert {one.label for one in operations} == set(ROUTES)
    (operation,) = (one for one in operations if one.label == label)
    headers = {"x-api-key": etl_key if operation.path == "/sync" else printer_key}
    modes = [GenerationMode.POSITIVE] + [GenerationMode.NEGATIVE] * (401 in ROUTES[label])
    seen = set()
    questions = settings().max_examples // (10 if label in STARTS_A_PROCESS else 2)

    @settings(max_examples=questions if len(modes) > 1 else 1, suppress_health_check=list(HealthCheck))
    @given(case=st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in modes)), right=st.booleans())
    def ask(case: Any, right: bool) -> None:
        if right:
            case.path_parameters = {name: known[name] for name in case.path_parameters or {}}
        answer = case.call(headers=headers)
        seen.add(answer.status_code)
        case.validate_response(answer, checks=CHECKS)

    ask()
    assert seen >= ROUTES[label], "else this would look at nothing"
