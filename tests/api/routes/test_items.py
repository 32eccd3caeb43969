"""A print station's promises when it reads and marks items."""

from typing import Any

import pytest

from tests.fix_api import ApiClient, detail
from tests.fix_postgres import TestDatabase

ITEM = {
    "item_record_id": 450972567890,
    "item_number": "2043111",
    "barcode": "1231231230012",
    "bib_number": "1234567",
    "best_author": "Heikkilä, Markku",
    "best_title": "Kaik Turust",
    "itype_code_num": 1,
    "item_type_name": "Kirja",
    "material_code": "a",
    "material_name": "Kirja",
    "classification": "86.2",
    "shelfmark": "HEI",
}


@pytest.fixture
def item(database: TestDatabase) -> dict[str, Any]:
    database.add_item(2043111, **ITEM)
    return ITEM


def queue(database: TestDatabase) -> list[tuple[Any, ...]]:
    return database.fetch("SELECT item_record_id, revision, queued_by, priority FROM update_queue")


@pytest.mark.parametrize("slash", ["", "/"])
def test_item_is_answered_with_exactly_these_fields_in_this_order(
    printer: ApiClient, item: dict[str, Any], slash: str
) -> None:
    answer = printer.get(f"/itemdata/{item['barcode']}{slash}")
    assert answer.status_code == 200
    assert list(answer.json().items()) == [*item.items(), ("in_update_queue", False)]


def test_classification_stays_null_and_shelfmark_is_never_null(printer: ApiClient, database: TestDatabase) -> None:
    database.fetch(
        "INSERT INTO sierra_item (item_record_id, barcode, updated_at) VALUES (-5, 'ABCDEFGHIJ', '2026-01-01')"
    )
    answer = printer.get("/itemdata/ABCDEFGHIJ").json()
    assert (answer["classification"], answer["shelfmark"], answer["item_number"]) == (None, "***", None)


def test_item_in_the_queue_says_so_even_when_its_update_was_rejected(
    printer: ApiClient, database: TestDatabase, item: dict[str, Any]
) -> None:
    assert printer.put(f"/itemdata/{item['item_record_id']}").json() == {"updated": True}
    assert printer.get(f"/itemdata/{item['barcode']}").json()["in_update_queue"] is True
    database.fetch("UPDATE update_queue SET due_at = NULL")
    assert printer.get(f"/itemdata/{item['barcode']}").json()["in_update_queue"] is True
    database.fetch("DELETE FROM update_queue")
    assert printer.get(f"/itemdata/{item['barcode']}").json()["in_update_queue"] is False


def test_barcode_that_no_item_has_is_not_found(printer: ApiClient, item: dict[str, Any]) -> None:
    for barcode in ["1231231230013", "0031231230012", "a.b_c.d_e.f", "Äänekoski12", "Чехов12345"]:
        answer = printer.get(f"/itemdata/{barcode}")
        assert (answer.status_code, detail(answer)) == (404, "Item not found")


def test_barcode_is_looked_up_exactly_case_too(printer: ApiClient, database: TestDatabase) -> None:
    database.add_item(1, barcode="abcDEF.1234_Ä")
    assert printer.get("/itemdata/abcDEF.1234_Ä").json()["barcode"] == "abcDEF.1234_Ä"
    assert printer.get("/itemdata/ABCDEF.1234_Ä").status_code == 404


def test_text_that_is_no_barcode_is_a_422(printer: ApiClient) -> None:
    paths = [
        "123456789",
        "1" * 31,
        "12345678;0",
        "1234567890%0A",
        "1234567890%0D%0A",
        "1234567890%0A/",
        "1234567890%00",
        "%ED%A0%80%ED%A0%80%ED%A0%801234567",
        "%FF%FE1234567890",
        "12345%2F67890",
        "12345/67890",
        "1234567890//",
        "12345%2067890",
        "",
    ]
    answers = {path: printer.get(f"/itemdata/{path}") for path in paths}
    assert {path: answer.status_code for path, answer in answers.items()} == dict.fromkeys(paths, 422)
    assert all(detail(answer)[0]["loc"] == ["path", "barcode"] for answer in answers.values())


@pytest.mark.parametrize("length", [10, 30])
def test_barcode_has_10_to_30_characters(printer: ApiClient, database: TestDatabase, length: int) -> None:
    database.add_item(1, barcode="9" * length)
    assert printer.get(f"/itemdata/{'9' * length}").status_code == 200


def test_two_items_with_one_barcode_are_both_named(printer: ApiClient, database: TestDatabase) -> None:
    database.add_item(2043111, barcode="1231231230012")
    database.add_item(2043112, barcode="1231231230012")
    answer = printer.get("/itemdata/1231231230012")
    assert answer.status_code == 409
    assert detail(answer) == "Several items share the barcode 1231231230012: item numbers 2043111, 2043112"


@pytest.mark.parametrize("slash", ["", "/"])
def test_mark_queues_the_item_for_the_print_station(
    printer: ApiClient, database: TestDatabase, item: dict[str, Any], slash: str
) -> None:
    answer = printer.put(f"/itemdata/{item['item_record_id']}{slash}")
    assert (answer.status_code, answer.json()) == (200, {"updated": True})
    assert queue(database) == [(item["item_record_id"], 1, "desk 1", 0)]


def test_item_marked_twice_has_one_entry(printer: ApiClient, database: TestDatabase, item: dict[str, Any]) -> None:
    for _ in range(2):
        assert printer.put(f"/itemdata/{item['item_record_id']}").status_code == 200
    assert queue(database) == [(item["item_record_id"], 2, "desk 1", 0)]


def test_mark_keeps_the_id_of_its_request(printer: ApiClient, database: TestDatabase, item: dict[str, Any]) -> None:
    answer = printer.put(f"/itemdata/{item['item_record_id']}", headers={"X-Request-ID": "desk-1.42"})
    assert answer.headers["X-Request-ID"] == "desk-1.42"
    assert database.fetch("SELECT request_id, trace FROM update_queue") == [("desk-1.42", None)]


def test_mark_ignores_a_body(printer: ApiClient, database: TestDatabase, item: dict[str, Any]) -> None:
    answer = printer.put(
        f"/itemdata/{item['item_record_id']}", content=b"{not json", headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 200
    assert len(queue(database)) == 1


def test_item_that_is_not_there_is_not_marked(printer: ApiClient, database: TestDatabase) -> None:
    for item_record_id in ["1", "-1", "-9223372036854775808", "9223372036854775807", "007"]:
        answer = printer.put(f"/itemdata/{item_record_id}")
        assert (answer.status_code, detail(answer)) == (404, "Item not found")
    assert queue(database) == []


def test_text_that_is_no_64_bit_number_is_a_422(
    printer: ApiClient, database: TestDatabase, item: dict[str, Any]
) -> None:
    ids = [
        "450972567_890",
        "450972567890.0",
        "%20450972567890",
        "450972567890%0A",
        "+450972567890",
        "4e11",
        "٤٥٠",
        "0x1",
        "one",
        "--1",
        "",
        "9223372036854775808",
        "-9223372036854775809",
        "1" * 20,
        "450972567890/2",
        "1%00",
    ]
    statuses = {wrong: printer.put(f"/itemdata/{wrong}").status_code for wrong in ids}
    assert statuses == dict.fromkeys(ids, 422)
    assert queue(database) == []
