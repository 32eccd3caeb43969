"""Each of Sierra's habits in sandbox/quirks.py has a test of its name here, and the first test sees to that."""

import inspect
from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox import quirks
from sandbox.quirks import Refused

NOW = datetime(2026, 11, 20, 10, 0, 0, 999_999, tzinfo=UTC)
RECORD = {"id": "7", "barcode": "123", "deleted": False, "fixedFields": {}, "varFields": [], "itemType": "1"}
BARCODE = {"fieldTag": "b", "content": "123"}
CALL_NUMBER = {"fieldTag": "c", "marcTag": "099", "subfields": [{"tag": "a", "content": "84.2"}]}
SECOND = {"fieldTag": "c", "marcTag": "099", "subfields": [{"tag": "a", "content": "85.22"}]}
NOTE = {"fieldTag": "x", "content": "note"}


def test_every_quirk_has_its_test() -> None:
    habits = {
        name
        for name, member in inspect.getmembers(quirks, inspect.isfunction)
        if member.__module__ == quirks.__name__ and not name.startswith("_") and name != "iso"
    }
    assert habits
    assert {name for name in habits if f"test_{name}" not in globals()} == set()


def test_cut_list_at_limit_silently() -> None:
    numbers = [str(number) for number in range(60)]
    assert quirks.cut_list_at_limit_silently(numbers, None) == numbers[:50]
    assert quirks.cut_list_at_limit_silently(numbers, 60) == numbers


def test_list_by_record_number() -> None:
    assert quirks.list_by_record_number(["10", "9", "10"]) == ["9", "10"]


def test_answer_404_when_none_is_found() -> None:
    with pytest.raises(Refused) as refused:
        quirks.answer_404_when_none_is_found([])
    assert (refused.value.status, refused.value.code) == (404, 107)
    assert quirks.answer_404_when_none_is_found([RECORD]) == [RECORD]


def test_show_deleted_record_as_stub() -> None:
    stub = {"id": "7", "deletedDate": "2026-11-01", "deleted": True}
    assert quirks.show_deleted_record_as_stub(RECORD | stub) == stub


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        (None, {"id", "barcode", "deleted"}),
        ("fixedFields,varFields", {"id", "fixedFields", "varFields"}),
        (",", set(RECORD)),
        ("default", {"id", "barcode", "deleted"}),
        ("varFields,default", {"id", "barcode", "deleted", "varFields"}),
    ],
)
def test_show_fields_asked_for(fields: str | None, shown: set[str]) -> None:
    assert set(quirks.show_fields_asked_for(RECORD, fields)) == shown


def test_refuse_unknown_field_names() -> None:
    quirks.refuse_unknown_field_names(None)
    quirks.refuse_unknown_field_names("id,fixedFields,varFields")
    quirks.refuse_unknown_field_names("default,varFields")
    with pytest.raises(Refused, match="Invalid parameter : fixedfields is not a valid field"):
        quirks.refuse_unknown_field_names("id,fixedfields")


@pytest.mark.parametrize("key", ["id", "updatedDate", "createdDate", "deleted", "suppressed"])
def test_refuse_read_only_keys(key: str) -> None:
    quirks.refuse_read_only_keys({"fixedFields": {}, "varFields": [], "inventoryDate": ""})
    with pytest.raises(Refused, match=rf"Invalid JSON : field\(s\) unknown : {key}"):
        quirks.refuse_read_only_keys({"varFields": [], key: "7"})


@pytest.mark.parametrize("fixed_field", [{"value": "1"}, {"label": "IUSE3"}, {"label": "IUSE3", "value": 1}])
def test_refuse_fixed_field_without_label_or_value(fixed_field: dict[str, Any]) -> None:
    quirks.refuse_fixed_field_without_label_or_value({"74": {"label": "IUSE3", "value": "1"}})
    with pytest.raises(Refused, match="Invalid fixed field 74"):
        quirks.refuse_fixed_field_without_label_or_value({"74": fixed_field})


def test_replace_var_fields_by_tag() -> None:
    old: list[dict[str, Any]] = [BARCODE, CALL_NUMBER, SECOND, NOTE]
    merged = quirks.replace_var_fields_by_tag(old, [SECOND])
    assert merged == [BARCODE, NOTE, SECOND]
    assert quirks.replace_var_fields_by_tag(old, []) == old


def test_replace_all_var_fields() -> None:
    assert quirks.replace_all_var_fields([BARCODE, CALL_NUMBER, NOTE], [SECOND]) == [SECOND]


def test_keep_label_of_the_site() -> None:
    old = {"74": {"label": "KÄYTTÖ 3 ", "value": "0"}, "61": {"label": "I TYPE", "value": "1"}, "93": {"value": "0"}}
    new = {
        "74": {"label": "IUSE3", "value": "1"},
        "75": {"label": "IUSE4", "value": "2"},
        "93": {"label": "X", "value": "1"},
    }
    assert quirks.keep_label_of_the_site(old, new) == {
        "61": {"label": "I TYPE", "value": "1"},
        "74": {"label": "KÄYTTÖ 3 ", "value": "1"},
        "75": {"label": "IUSE4", "value": "2"},
        "93": {"label": "X", "value": "1"},
    }


def test_keep_inventory_date_as_fixed_field_69() -> None:
    fields = quirks.keep_inventory_date_as_fixed_field_69({}, "2026-11-20T10:00:00Z")
    assert fields == {"69": {"label": "INVDA", "value": "2026-11-20T10:00:00Z"}}
    for wrong in ("2026-11-20", "2026-11-20T10:00:00+02:00", "2026-11-20T10:00:00.123Z", None):
        with pytest.raises(Refused, match="inventoryDate"):
            quirks.keep_inventory_date_as_fixed_field_69({}, wrong)


def test_stamp_every_put() -> None:
    stamped = quirks.stamp_every_put({"85": {"label": "REVISIONS", "value": "42"}}, NOW)
    assert {number: field["value"] for number, field in stamped.items()} == {
        "84": "2026-11-20T10:00:00Z",
        "85": "44",
        "98": "2026-11-20T10:00:00Z",
    }


@pytest.mark.parametrize(("code", "hidden"), [("-", False), ("s", True), ("d", True), (None, False), ("", False)])
def test_show_as_suppressed_what_icode2_hides(code: str | None, hidden: bool) -> None:
    assert quirks.show_as_suppressed_what_icode2_hides({"60": {"label": "ICODE2", "value": code}}) is hidden
    assert not quirks.show_as_suppressed_what_icode2_hides({})


def test_stamp_writes_of_rest_in_milliseconds() -> None:
    at = datetime(2026, 11, 20, 10, 0, 5, 678_999, tzinfo=UTC)
    assert quirks.stamp_writes_of_rest_in_milliseconds(at) == at.replace(microsecond=678_000)


def test_stamp_edits_of_staff_in_whole_seconds() -> None:
    at = datetime(2026, 11, 20, 10, 0, 5, 999_999, tzinfo=UTC)
    assert quirks.stamp_edits_of_staff_in_whole_seconds(at) == at.replace(microsecond=0)


def test_refuse_to_write_what_can_be_read() -> None:
    quirks.refuse_to_write_what_can_be_read("7", ghost=False, deleted=False)
    for ghost, deleted in ((True, False), (False, True)):
        with pytest.raises(Refused) as refused:
            quirks.refuse_to_write_what_can_be_read("7", ghost=ghost, deleted=deleted)
        assert (refused.value.status, refused.value.code) == (404, 107)
