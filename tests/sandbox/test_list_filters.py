"""Lists of items by the query parameters that Sierra knows: what they leave, and what is refused."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sandbox.records import Record
from tests.fix_sierra import SierraInThread


def record(number: int, updated: str, created: str, icode2: str = "-", deleted_at: str | None = None) -> Record:
    """An item of which no more than these is of interest."""
    fixed = {"60": {"label": "ICODE2", "value": icode2}, "84": {"label": "UPDATED", "value": updated}}
    return Record(str(number), (), fixed, [{"fieldTag": "x", "content": "note"}], created, deleted_at)


RECORDS = (
    record(1000, "2026-11-01T08:00:00Z", "2010-01-01T00:00:00Z"),
    record(1001, "2026-11-02T08:00:00Z", "2011-01-01T00:00:00Z", icode2="s"),
    record(1002, "2026-11-03T08:00:00Z", "2012-01-01T00:00:00Z"),
    record(1003, "2026-11-02T12:00:00Z", "2013-01-01T00:00:00Z", deleted_at="2026-11-02"),
    record(20000, "2026-11-04T08:00:00Z", "2014-01-01T00:00:00Z"),
)
LEFT = [
    ({}, "1000 1001 1002 1003 20000"),
    ({"id": "1002,1000,7"}, "1000 1002"),
    ({"id": "[1001,1003]"}, "1001 1002 1003"),
    ({"id": "[1002,]"}, "1002 1003 20000"),
    ({"id": "[,1001]"}, "1000 1001"),
    ({"id": "[1001,1001]"}, "1001"),
    ({"id": "[1001,]", "limit": "2"}, "1001 1002"),
    ({"offset": "3"}, "1003 20000"),
    ({"offset": "1", "limit": "2"}, "1001 1002"),
    ({"deleted": "true"}, "1003"),
    ({"deleted": "false"}, "1000 1001 1002 20000"),
    ({"deletedDate": "2026-11-02"}, "1003"),
    ({"deletedDate": "[2026-11-01,2026-11-02]"}, "1003"),
    ({"deletedDate": "[2026-11-02,]", "deleted": "true", "id": "[1000,]"}, "1003"),
    ({"suppressed": "true"}, "1001"),
    ({"suppressed": "false", "deleted": "false"}, "1000 1002 20000"),
    ({"updatedDate": "2026-11-02T08:00:00Z"}, "1001"),
    ({"updatedDate": "[2026-11-02T08:00:00Z,2026-11-03T08:00:00Z]"}, "1001 1002"),
    ({"updatedDate": "[2026-11-02T10:00:00+02:00,2026-11-02T10:00:01+02:00]"}, "1001"),
    ({"updatedDate": "[2026-11-02T08:00:01Z,]", "deleted": "false"}, "1002 20000"),
    ({"updatedDate": "[,2026-11-03T08:00:00Z]", "id": "[1001,]"}, "1001 1002"),
    ({"createdDate": "[2012-01-01T00:00:00Z,2013-12-31T00:00:00Z]"}, "1002"),
]
NONE_IS_404 = [
    {"id": "7,8"},
    {"updatedDate": "[2099-01-01T00:00:00Z,]"},
    {"updatedDate": "[2099-01-01T00:00:00Z,]", "deleted": "false"},
    {"createdDate": "[2099-01-01T00:00:00Z,]", "id": "[1000,]"},
]
NONE_IS_EMPTY = [
    {"id": "[99999,]"},
    {"id": "[5,4]"},
    {"id": "[99999,]", "deleted": "false"},
    {"deletedDate": "[2099-01-01,2099-01-02]", "deleted": "true"},
    {"deleted": "true", "id": "1000"},
]
REFUSED = [
    {"colour": "red"},
    {"updateddate": "[2026-11-02T08:00:00Z,]"},
    {"status": "-"},
    {"id": ""},
    {"id": "1000,"},
    {"id": "1000,b8"},
    {"id": "[1000]"},
    {"id": "[,]"},
    {"id": "[1000,1001"},
    {"id": "[a,]"},
    {"id": "9" * 5000},
    {"limit": "0"},
    {"limit": "2001"},
    {"limit": "-1"},
    {"limit": ""},
    {"offset": "-1"},
    {"deleted": "yes"},
    {"suppressed": "True"},
    {"deletedDate": "2026-11-02T08:00:00Z"},
    {"deletedDate": "2026-11-31"},
    {"updatedDate": "2026-11-02"},
    {"updatedDate": "[2026-11-02,2026-11-03]"},
    {"updatedDate": "2026-11-02T08:00:00"},
    {"updatedDate": "2026-13-02T08:00:00Z"},
    {"createdDate": "yesterday"},
    {"fields": "id,colour"},
]


@pytest.fixture
def client(sierra: SierraInThread) -> Iterator[httpx.Client]:
    """A client with a token, of a Sierra that has the records above."""
    sierra.add(*RECORDS)
    with httpx.Client(base_url=sierra.endpoint, trust_env=False) as client:
        given = {"grant_type": "client_credentials"}
        token = client.post("/token", auth=(sierra.key, sierra.secret), data=given).json()["access_token"]
        client.headers["authorization"] = f"Bearer {token}"
        yield client


@pytest.mark.parametrize(("query", "left"), LEFT)
def test_filters_leave_what_they_say_in_the_order_of_numbers(
    client: httpx.Client, query: dict[str, str], left: str
) -> None:
    answer = client.get("/items", params=query).json()
    assert " ".join(entry["id"] for entry in answer["entries"]) == left
    assert (answer["total"], answer["start"]) == (len(answer["entries"]), int(query.get("offset", "0")))


@pytest.mark.parametrize("query", NONE_IS_404)
def test_list_of_named_or_changed_items_without_any_is_404(client: httpx.Client, query: dict[str, str]) -> None:
    answer = client.get("/items", params=query)
    assert (answer.status_code, answer.json()["code"]) == (404, 107)


@pytest.mark.parametrize("query", NONE_IS_EMPTY)
def test_list_by_range_of_numbers_or_of_deleted_items_without_any_is_empty(
    client: httpx.Client, query: dict[str, str]
) -> None:
    answer = client.get("/items", params=query)
    assert (answer.status_code, answer.json()["entries"]) == (200, [])


@pytest.mark.parametrize("query", REFUSED)
def test_parameter_that_the_simulator_does_not_know_is_refused(client: httpx.Client, query: dict[str, str]) -> None:
    answer = client.get("/items", params=query)
    assert (answer.status_code, answer.json()["code"]) == (400, 108)


def test_single_item_knows_fields_only(client: httpx.Client) -> None:
    answer = client.get("/items/1000", params={"deleted": "false"})
    assert (answer.status_code, answer.json()["code"]) == (400, 108)


def test_default_names_the_fields_that_come_unasked(client: httpx.Client) -> None:
    def shown(query: dict[str, Any]) -> set[str]:
        return set(client.get("/items", params={"id": "1000", **query}).json()["entries"][0])

    assert shown({"fields": "default"}) == shown({})
    assert shown({"fields": "default,varFields"}) == shown({}) | {"varFields"}
