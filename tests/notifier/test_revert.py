"""The patch that undoes a push, and the records for which there is none."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from notifier.patch import Plan, Rules, Wish, plan_update
from notifier.revert import Undo, plan_revert
from notifier.sierra.records import Record

OLD, NEW = " 84.2  Jännitys", "84.31 Jännitys"
BARCODE = {"fieldTag": "b", "content": "1231231230012"}
NOTE = {"fieldTag": "x", "content": NEW}
ELSEWHERE = {"fieldTag": "c", "content": NEW}
IUSE3 = {"74": {"label": "IUSE3", "value": "1"}}
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def call_number(*texts: str) -> dict[str, Any]:
    subfields = [{"tag": "a", "content": text} for text in texts]
    return {"fieldTag": "c", "marcTag": "099", "ind1": " ", "ind2": " ", "subfields": subfields}


def undo(*var_fields: Any, before: str | None = OLD, after: str | None = NEW) -> Plan:
    return plan_revert(Record("2043111", IUSE3, var_fields), Undo(17, before, after))


def test_the_call_number_is_put_back_to_the_character_and_all_else_stays() -> None:
    shelf = {"tag": "b", "content": NEW}
    mixed = {**call_number(NEW), "subfields": [*call_number(NEW)["subfields"], shelf]}
    back = {**call_number(OLD), "subfields": [*call_number(OLD)["subfields"], shelf]}
    planned = undo(BARCODE, mixed, ELSEWHERE, NOTE)
    assert planned.patch == {"varFields": [BARCODE, back, ELSEWHERE, NOTE]}
    assert (planned.call_number_before, planned.call_number_after, planned.refusal) == (NEW, OLD, None)


def test_what_is_put_back_already_is_not_written() -> None:
    planned = undo(BARCODE, call_number(OLD))
    assert (planned.patch, planned.call_number_after, planned.refusal) == ({}, OLD, None)


@pytest.mark.parametrize(
    ("lines", "back"),
    [
        (["Varasto", NEW, "2019"], ["Varasto", OLD, "2019"]),
        ([NEW, NEW], [OLD, NEW]),
        ([OLD, NEW], None),
    ],
)
def test_of_a_label_s_lines_the_renewed_one_is_put_back_once(lines: list[str], back: list[str] | None) -> None:
    planned = undo(BARCODE, call_number(*lines))
    assert planned.refusal is None
    assert planned.patch == ({"varFields": [BARCODE, call_number(*back)]} if back else {})
    assert undo(*planned.patch.get("varFields", [])).patch == {}


@pytest.mark.parametrize(
    ("var_fields", "texts", "words"),
    [
        ([call_number("85.1 Jännitys")], (OLD, NEW), ["'85.1 Jännitys'", repr(NEW), "push 17"]),
        ([call_number(NEW + " ")], (OLD, NEW), [repr(NEW + " ")]),
        ([BARCODE, ELSEWHERE, call_number()], (OLD, NEW), ["no call number"]),
        ([call_number("84.31 Runot", "2019")], (OLD, NEW), ["'84.31 Runot'", repr(NEW)]),
        ([call_number(NEW), call_number(NEW)], (OLD, NEW), ["has 2 call numbers"]),
        ([call_number(OLD), call_number("84.31")], (OLD, NEW), ["has 2 call numbers"]),
        ([call_number("84.31")], (None, "84.31"), ["had no call number before", "delete it in Sierra"]),
        ([call_number("84.31")], (" ", "84.31"), ["had no call number before"]),
        ([call_number("84.31")], ("84.2 \ufffd", "84.31"), ["could not store"]),
        ([call_number(NEW)], (None, None), ["History has no push 17"]),
    ],
)
def test_what_can_not_be_known_to_be_as_the_push_left_it_is_refused(
    var_fields: list[Any], texts: tuple[str | None, str | None], words: list[str]
) -> None:
    planned = undo(*var_fields, before=texts[0], after=texts[1])
    assert planned.patch == {}
    assert planned.call_number_before == planned.call_number_after
    assert all(word in (planned.refusal.sentence if planned.refusal else "") for word in ["2043111", *words])


texts = st.text(st.sampled_from("84.2 Jäk(-"), min_size=1, max_size=9)
lines = st.lists(texts, max_size=3).map(lambda several: call_number(*several))
fields = st.lists(st.one_of(lines, st.just(BARCODE), st.just(ELSEWHERE)), max_size=4)


@given(fields, texts.filter(str.strip))
def test_an_undone_push_leaves_the_fields_as_they_were_or_as_they_are(before: list[Any], classification: str) -> None:
    rules = Rules(set_invda=False, set_iuse3=False)
    pushed = plan_update(Record("1", {}, before), Wish(classification, NOW, NOW), rules)
    assume(pushed.patch)
    after = pushed.patch["varFields"]
    record = Record("1", {}, after)
    planned = plan_revert(record, Undo(17, pushed.call_number_before, pushed.call_number_after))
    assert bool(planned.patch) is not bool(planned.refusal)
    assert planned.patch.get("varFields", before) == before
    again = plan_revert(
        Record("1", {}, planned.patch.get("varFields", after)),
        Undo(17, pushed.call_number_before, pushed.call_number_after),
    )
    assert (again.patch, again.refusal) == ({}, planned.refusal)
