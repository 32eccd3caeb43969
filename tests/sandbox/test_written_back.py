"""Every shape of field that the simulator shows can be written back to it."""

from typing import Any

import httpx
import pytest

from sandbox.records import Record
from tests.fix_notifier import NO_SWEEP, OUTCOMES, Notifier, eventually, mark
from tests.fix_postgres import TestDatabase
from tests.fix_sierra import SierraInThread

BARCODE = {"fieldTag": "b", "content": "33010002043111"}
CALL_NUMBER = {
    **{"fieldTag": "c", "marcTag": "099", "ind1": " ", "ind2": " "},
    "subfields": [{"tag": "a", "content": "84.2 Jännitys"}],
}
ODD_FIELDS: list[dict[str, Any]] = [
    {"fieldTag": "o", "marcTag": "001", "ind1": " ", "ind2": " ", "content": "5769i"},
    {"fieldTag": "o", "marcTag": "001", "ind1": None, "ind2": None, "content": "5769i", "subfields": None},
    {"fieldTag": "x", "marcTag": None, "ind1": None, "ind2": None, "content": "note", "subfields": None},
    {"fieldTag": "v", "marcTag": "866", "content": None, "subfields": [{"tag": "a", "content": "v. 1"}]},
    {"fieldTag": "v", "marcTag": "866", "subfields": [{"tag": "a", "content": None}, {"tag": "b", "content": ""}]},
    {"fieldTag": "v", "marcTag": "866", "subfields": []},
    {"fieldTag": "x", "content": ""},
    {"fieldTag": "x", "content": None},
    {"fieldTag": "x"},
]
NOT_FIELDS: list[Any] = [
    {"fieldTag": "x", "content": 1},
    {"fieldTag": "x", "content": None, "ind1": " "},
    {"fieldTag": "x", "content": "note", "colour": "red"},
    {"fieldTag": "x", "subfields": [{"tag": "a", "content": "no MARC tag"}]},
    {"fieldTag": "v", "marcTag": "866", "subfields": ["a"]},
    {"fieldTag": None, "content": "note"},
    None,
]


def make_record(*fields: dict[str, Any], **fixed: dict[str, Any]) -> Record:
    """Item 2043111 with these fields beside barcode and call number."""
    return Record("2043111", ("1234567",), {"74": {"label": "IUSE3", "value": "0"}, **fixed}, [BARCODE, *fields])


def client_of(sierra: SierraInThread) -> httpx.Client:
    """A client with a token."""
    given = {"grant_type": "client_credentials"}
    with httpx.Client(base_url=sierra.endpoint, trust_env=False) as asking:
        token = asking.post("/token", auth=(sierra.key, sierra.secret), data=given).json()["access_token"]
    return httpx.Client(base_url=sierra.endpoint, headers={"authorization": f"Bearer {token}"}, trust_env=False)


@pytest.mark.parametrize("field", ODD_FIELDS)
def test_record_is_written_back_as_it_was_read(sierra: SierraInThread, field: dict[str, Any]) -> None:
    before = make_record(field, CALL_NUMBER)
    sierra.add(before)
    with client_of(sierra) as client:
        read = client.get("/items/2043111", params={"fields": "varFields"}).json()
        assert client.put("/items/2043111", json={"varFields": read["varFields"]}).status_code == 204
        assert client.get("/items/2043111").status_code == 200
    assert sierra.record("2043111").var_fields == before.var_fields


@pytest.mark.parametrize("field", NOT_FIELDS)
def test_field_that_no_record_has_is_refused(sierra: SierraInThread, field: Any) -> None:
    sierra.add(make_record(CALL_NUMBER))
    with client_of(sierra) as client:
        refused = client.put("/items/2043111", json={"varFields": [field]})
    assert (refused.status_code, refused.json()["code"]) == (400, 130)


@pytest.mark.parametrize("odd", [{"label": "UPDATED"}, {"label": "UPDATED", "value": None}, {"value": "x"}, {}])
def test_fixed_fields_without_a_value_or_label_hinder_no_read_and_no_write(
    sierra: SierraInThread, odd: dict[str, Any]
) -> None:
    sierra.add(make_record(CALL_NUMBER, **{"84": odd, "85": {**odd, "value": None}}))
    with client_of(sierra) as client:
        assert client.get("/items/2043111", params={"fields": ","}).status_code == 200
        patch = {"fixedFields": {"84": {"label": "UPDATED", "value": "x"}}}
        assert client.put("/items/2043111", json=patch).status_code == 204
    assert sierra.record("2043111").fixed_fields["85"]["value"] == "2"


async def test_record_of_all_shapes_of_fields_is_pushed_and_keeps_them(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    odd = [field for field in ODD_FIELDS if field["fieldTag"] != "c"]
    sierra.add(make_record(*odd, CALL_NUMBER))
    item = database.add_item(2043111)
    async with notifier(**NO_SWEEP):
        mark(database, item)
        await eventually(database, OUTCOMES, ["pushed"])
    assert sierra.call_numbers("2043111") == ["84.31 Jännitys"]
    assert sierra.record("2043111").var_fields[:-1] == [BARCODE, *odd]
