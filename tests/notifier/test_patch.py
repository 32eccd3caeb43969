"""The patch for a printed item writes what an update sets, and leaves the rest as it was."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.patch import Plan, Rules, Wish, plan_update
from notifier.sierra.records import Record

QUEUED_AT = datetime(2026, 11, 22, 12, 0, 0, 500_000, tzinfo=UTC)
NOW = QUEUED_AT + timedelta(seconds=2)
CALL_NUMBER_ONLY = Rules(set_invda=False, set_iuse3=False)


def call_number(*contents: str, **others: Any) -> dict[str, Any]:
    subfields = [{"tag": "a", "content": content} for content in contents]
    return {"fieldTag": "c", "marcTag": "099", "ind1": " ", "ind2": " ", "subfields": subfields, **others}


def plan(
    var_fields: Sequence[Any] = (), fixed_fields: dict[str, Any] | None = None, classification: str | None = "84.31",
    rules: Rules = CALL_NUMBER_ONLY,
) -> Plan:  # fmt: skip
    record = Record("2043111", fixed_fields or {}, list(var_fields))
    return plan_update(record, Wish(classification, QUEUED_AT, NOW), rules)


def test_every_var_field_read_is_sent_and_only_the_call_number_is_changed() -> None:
    barcode = {"fieldTag": "b", "content": "1231231230012"}
    other_c = {"fieldTag": "c", "content": "84.2 without a MARC tag"}
    note = {"fieldTag": "x", "content": "internal note"}
    mixed = call_number("84.2 Jännitys")
    mixed["subfields"].append({"tag": "b", "content": "84.2 HEI"})
    assert plan([barcode, mixed, other_c, note]).patch == {
        "varFields": [
            barcode,
            {
                **call_number("84.31 Jännitys"),
                "subfields": [{"tag": "a", "content": "84.31 Jännitys"}, {"tag": "b", "content": "84.2 HEI"}],
            },
            other_c,
            note,
        ]
    }


def test_every_call_number_field_of_the_item_is_renewed() -> None:
    planned = plan([call_number("84.2 Jännitys"), call_number("86")])
    assert planned.patch["varFields"] == [call_number("84.31 Jännitys"), call_number("84.31")]
    assert (planned.call_number_before, planned.call_number_after) == ("84.2 Jännitys", "84.31 Jännitys")


@pytest.mark.parametrize(
    ("lines", "classification", "renewed"),
    [
        (["84.2", "Jännitys", "2019"], "84.31", ["84.31", "Jännitys", "2019"]),
        (["Varasto", "84.2 Jännitys", "2019"], "84.31", ["Varasto", "84.31 Jännitys", "2019"]),
        (["Varasto", "\u200e84.2", "2019"], "84.31", ["Varasto", "84.31", "2019"]),
        (["Varasto", "Jännitys"], "84.31", ["84.31", "Jännitys"]),
        (["", "Jännitys"], "84.31", ["84.31", "Jännitys"]),
        (["84.2", "2019"], "L 84.31", ["L 84.31", "2019"]),
        (["Varasto", "84.2", "2019"], "L 84.31", ["Varasto", "L 84.31", "2019"]),
    ],
)
def test_of_a_label_s_lines_the_one_with_the_number_is_renewed_and_stays_so(
    lines: list[str], classification: str, renewed: list[str]
) -> None:
    planned = plan([call_number(*lines)], classification=classification)
    assert planned.patch["varFields"] == [call_number(*renewed)]
    ((before, after),) = [both for both in zip(lines, renewed, strict=True) if both[0] != both[1]]
    assert (planned.call_number_before, planned.call_number_after) == (before, after)
    assert plan(planned.patch["varFields"], classification=classification).patch == {}


def test_lost_text_is_told_of_in_the_remarks() -> None:
    planned = plan([call_number("78.891 2 CD"), call_number("L 84.2 Jännitys"), call_number("84.2 Runot")])
    assert planned.remarks == (
        "'2' was left out of '78.891 2 CD'",
        "'L 84.2 Jännitys' was replaced whole, for it does not begin with a class number",
    )


UNCLEAR_LEFT = Rules(set_invda=False, reject_unclear=True)


def test_unclear_call_number_is_left_to_a_person_where_the_setting_says_so() -> None:
    planned = plan([call_number("84.2"), call_number("L 84.2 J{u00E4}nnitys")], rules=UNCLEAR_LEFT)
    assert (planned.patch, planned.call_number_before) == ({}, "L 84.2 J{u00E4}nnitys")
    said = planned.refusal.sentence if planned.refusal else ""
    assert all(part in said for part in ("'L 84.2 Jännitys'", "'84.31'", "SIERRA_UPDATE_UNCLEAR_CALL_NUMBER"))


@pytest.mark.parametrize(
    ("old", "classification"), [("", "84.31"), ("\u200b", "84.31"), ("L 84.31 x", "L 84.31"), ("L", None)]
)
def test_no_text_to_lose_is_no_reason_to_leave_it_to_a_person(old: str, classification: str | None) -> None:
    planned = plan([call_number(old)], {}, classification, UNCLEAR_LEFT)
    assert planned.refusal is None
    assert "fixedFields" in planned.patch


CONTENT = {"fieldTag": "c", "marcTag": "099", "ind1": " ", "ind2": " ", "content": "84.2 Jännitys"}


@pytest.mark.parametrize("subfields", [{}, {"subfields": None}, {"subfields": []}])
def test_call_number_in_no_subfield_is_left_to_a_person(subfields: dict[str, Any]) -> None:
    planned = plan([call_number("84.2"), {**CONTENT, **subfields}], rules=Rules())
    assert (planned.patch, planned.call_number_before) == ({}, "84.2 Jännitys")
    assert planned.refusal == (
        "no_subfield",
        "Item 2043111 has the call number '84.2 Jännitys' in no subfield: put it into a subfield a in Sierra",
    )


def test_field_with_text_in_no_subfield_is_sent_back_where_no_call_number_is_written() -> None:
    assert plan([CONTENT], classification=None).patch == {}
    assert plan([{**CONTENT, "content": " "}]).patch["varFields"][1] == call_number("84.31")


@pytest.mark.parametrize(
    "others",
    [[], [{"fieldTag": "b", "content": "1"}], [{"fieldTag": "c", "content": "84.2"}], [call_number()],
     [{**call_number("84.2"), "marcTag": "090"}]],
)  # fmt: skip
def test_where_there_is_no_call_number_one_is_added(others: list[dict[str, Any]]) -> None:
    planned = plan(others)
    assert planned.patch == {"varFields": [*others, call_number("84.31")]}
    assert (planned.call_number_before, planned.call_number_after) == (None, "84.31")


@pytest.mark.parametrize("classification", [None, "", "  ", "\u200b\ufeff", "\u00a0"])
def test_without_a_classification_the_call_number_stays_and_the_log_says_so(classification: str | None) -> None:
    planned = plan([call_number("84.2")], {}, classification, Rules())
    assert "varFields" not in planned.patch
    assert set(planned.patch) == {"fixedFields", "inventoryDate"}
    assert planned.call_number_after == "84.2"
    assert "no classification" in planned.remarks[0]


def test_arguments_are_not_changed() -> None:
    fields = [call_number("84.2 Jännitys")]
    plan(fields)
    assert fields == [call_number("84.2 Jännitys")]


IUSE3 = Rules(set_invda=False)


@pytest.mark.parametrize(
    ("fixed_fields", "rules", "expected"),
    [
        ({"74": {"label": "IUSE3", "value": "0"}}, IUSE3, {"74": {"label": "IUSE3", "value": "1"}}),
        ({"74": {"label": "IUSE3  ", "value": 0}}, IUSE3, {"74": {"label": "IUSE3  ", "value": "1"}}),
        ({"93": {"label": " iuse3 ", "value": "5"}, "74": {"label": "X"}}, IUSE3,
         {"93": {"label": " iuse3 ", "value": "1"}}),
        ({}, IUSE3, {"74": {"label": "IUSE3", "value": "1"}}),
        ({"74": {"label": "  ", "value": "0"}}, IUSE3, {"74": {"label": "IUSE3", "value": "1"}}),
        ({"93": {"label": "INTL USE ", "value": "0"}}, Rules(set_invda=False, iuse3_field=93),
         {"93": {"label": "INTL USE ", "value": "1"}}),
    ],
)  # fmt: skip
def test_iuse3_becomes_one_with_the_label_just_read(fixed_fields: Any, rules: Rules, expected: Any) -> None:
    assert plan([call_number("84.31")], fixed_fields, rules=rules).patch == {"fixedFields": expected}


def test_iuse3_that_is_one_is_not_written() -> None:
    assert plan([call_number("84.31")], {"74": {"label": "IUSE3", "value": "1"}}, rules=IUSE3).patch == {}


def test_a_field_74_that_is_something_else_is_left_alone_and_told() -> None:
    planned = plan([call_number("84.2")], {"74": {"label": "COPIES", "value": "3"}}, rules=IUSE3)
    assert set(planned.patch) == {"varFields"}
    assert "'COPIES'" in planned.remarks[0]
    assert "SIERRA_UPDATE_IUSE3_FIELD" in planned.remarks[0]


@pytest.mark.parametrize(
    ("value", "is_set"),
    [
        ("2026-11-22T12:00:00Z", False),
        ("2026-11-22T14:00:00+02:00", False),
        ("2026-11-22T12:00:01Z", False),
        ("2026-11-22T11:59:59Z", True),
        ("2025-01-02", True),
        ("", True),
        ("yesterday", True),
        (None, True),
    ],
)
def test_the_inventory_date_is_set_unless_it_was_since_the_item_was_queued(value: str | None, is_set: bool) -> None:
    fixed_fields = {"69": {"label": "INVDA", "value": value}}
    planned = plan([call_number("84.31")], fixed_fields, rules=Rules(set_iuse3=False))
    assert planned.patch == ({"inventoryDate": "2026-11-22T12:00:02Z"} if is_set else {})


def test_an_item_that_is_as_wished_is_not_written() -> None:
    fixed_fields = {"69": {"value": "2026-11-22T12:00:00Z"}, "74": {"label": "IUSE3", "value": "1"}}
    assert plan([call_number("84.31 Jännitys")], fixed_fields, rules=Rules()).patch == {}


var_fields = st.lists(
    st.one_of(
        st.lists(st.text(max_size=12), max_size=3).map(lambda lines: call_number(*lines)),
        st.fixed_dictionaries({"fieldTag": st.sampled_from("bcxmv"), "content": st.text(max_size=8)}),
    ),
    max_size=5,
)
fixed_fields = st.dictionaries(
    st.sampled_from(["61", "74", "93"]),
    st.fixed_dictionaries({"label": st.sampled_from(["", "IUSE3", "INVDA", "X "]), "value": st.text(max_size=3)}),
)


@given(var_fields, fixed_fields, st.one_of(st.none(), st.text(max_size=10), st.just("L 84")))
def test_the_result_of_a_push_needs_no_push(fields: Any, fixed: Any, classification: str | None) -> None:
    record = Record("1", fixed, fields)
    wish = Wish(classification, QUEUED_AT, NOW)
    patch = plan_update(record, wish, Rules()).patch
    date = {"69": {"label": "INVDA", "value": patch["inventoryDate"]}} if "inventoryDate" in patch else {}
    written = Record("1", {**fixed, **patch.get("fixedFields", {}), **date}, patch.get("varFields", fields))
    assert plan_update(written, wish, Rules()).patch == {}
    others = [field for field in fields if field.get("marcTag") != "099"]
    assert [field for field in written.var_fields if field.get("marcTag") != "099"] == others
