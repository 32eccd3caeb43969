"""What is written to Sierra for a printed item, and what is left as it was."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.patch import Plan, Record, Rules, Wish, genre_of, make_call_number, plan_update

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


@pytest.mark.parametrize(
    ("old", "classification", "new"),
    [
        ("84.2 Jännitys", "84.31", "84.31 Jännitys"),
        (" 84.2 Jännitys", "84.31", "84.31 Jännitys"),
        ("84.2 Jännitys", "  84.31 ", "84.31 Jännitys"),
        ("123.45, 678.90 Mystery Romance", "111.22", "111.22 Mystery Romance"),
        ("123.45 Etelä-Haaga -kokoelma", "678.90", "678.90 Etelä-Haaga -kokoelma"),
        ("123.45 -kokoelma", "678.90", "678.90 -kokoelma"),
        ("84.2 –kokoelma", "84.31", "84.31 –kokoelma"),
        ("84.2 Jännitys (englanti)", "84.31", "84.31 Jännitys (englanti)"),
        ("84.2 (englanti)", "84.31", "84.31 (englanti)"),
        ("84.2 [Sarjakuva]", "84.31", "84.31 [Sarjakuva]"),
        ("84.2 {x}", "84.31", "84.31 {x}"),
        ("84.2 Детектив", "84.31", "84.31 Детектив"),
        ("84.2-85", "84.31", "84.31"),
        ("84.2", "84.31", "84.31"),
        ("NoNumbers", "678.90", "678.90"),
        ("", "678.90", "678.90"),
        ("84.31 Jännitys", "84.31", "84.31 Jännitys"),
        ("84.31", "84.31", "84.31"),
        ("84.3 Jännitys", "84.31", "84.31 Jännitys"),
        ("84.311 Jännitys", "84.31", "84.31 Jännitys"),
        ("85.22 Kuv", "85.22 Kuv", "85.22 Kuv"),
        ("85.22 Kuv", "85.22   Kuv", "85.22 Kuv"),
        ("85.22 Kuv Sarja", "85.22 Kuv", "85.22 Kuv Sarja"),
        ("85.22  Kuv", "85.22 Kuv", "85.22  Kuv"),
        ("85.22 Kuvat", "85.22 Kuv", "85.22 Kuv Kuvat"),
        ("LASTEN 84.2", "84.31", "84.31"),
    ],
)
def test_the_classification_stands_in_front_and_the_genre_words_stay(old: str, classification: str, new: str) -> None:
    assert make_call_number(old, classification) == new


@given(st.text(max_size=40), st.text(min_size=1, max_size=20).filter(str.strip))
def test_a_repeated_push_makes_the_same_call_number(old: str, classification: str) -> None:
    once = make_call_number(old, classification)
    assert make_call_number(once, classification) == once
    assert once.startswith(" ".join(classification.split())) or once == old.strip()
    assert once == once.strip() != ""


@given(st.text(max_size=40))
def test_genre_words_are_the_end_of_the_old_call_number(old: str) -> None:
    assert old.endswith(genre_of(old))


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


def test_every_call_number_of_the_item_is_renewed() -> None:
    planned = plan([call_number("84.2 Jännitys", "85 Runot"), call_number("86")])
    assert planned.patch["varFields"] == [call_number("84.31 Jännitys", "84.31 Runot"), call_number("84.31")]
    assert (planned.call_number_before, planned.call_number_after) == ("84.2 Jännitys", "84.31 Jännitys")


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
        st.builds(call_number, st.text(max_size=12)),
        st.fixed_dictionaries({"fieldTag": st.sampled_from("bcxmv"), "content": st.text(max_size=8)}),
    ),
    max_size=5,
)
fixed_fields = st.dictionaries(
    st.sampled_from(["61", "74", "93"]),
    st.fixed_dictionaries({"label": st.sampled_from(["", "IUSE3", "INVDA", "X "]), "value": st.text(max_size=3)}),
)


@given(var_fields, fixed_fields, st.one_of(st.none(), st.text(max_size=10)))
def test_the_result_of_a_push_needs_no_push(fields: Any, fixed: Any, classification: str | None) -> None:
    record = Record("1", fixed, fields)
    wish = Wish(classification, QUEUED_AT, NOW)
    patch = plan_update(record, wish, Rules()).patch
    date = {"69": {"label": "INVDA", "value": patch["inventoryDate"]}} if "inventoryDate" in patch else {}
    written = Record("1", {**fixed, **patch.get("fixedFields", {}), **date}, patch.get("varFields", fields))
    assert plan_update(written, wish, Rules()).patch == {}
    others = [field for field in fields if field.get("marcTag") != "099"]
    assert [field for field in written.var_fields if field.get("marcTag") != "099"] == others
