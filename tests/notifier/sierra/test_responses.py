"""Sierra's answers become records, or errors that say who has to do what."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.sierra.errors import (
    ItemRejected,
    ItemTroubled,
    NeedsPerson,
    SierraError,
    SierraRefused,
    SierraUnavailable,
)
from notifier.sierra.responses import (
    Deleted,
    NotARecord,
    Response,
    describe,
    error_of,
    read_record,
    read_records,
    retry_after,
    unwrap,
)

BARE = {"id": "1", "fixedFields": {}, "varFields": []}
JSON = {"content-type": "application/json;charset=UTF-8"}


def refusal(status: int, code: int, description: str = "why", **headers: str) -> Response:
    data = {"code": code, "specificCode": 0, "httpStatus": status, "name": "Name", "description": description}
    return Response(status, {**JSON, **headers}, json.dumps(data).encode())


@pytest.mark.parametrize(
    ("status", "code", "kind", "ambiguous", "shows_well"),
    [
        (400, 101, ItemRejected, True, False),
        (400, 115, ItemRejected, True, False),
        (400, 130, ItemRejected, True, False),
        (403, 116, SierraRefused, None, None),
        (404, 107, ItemRejected, False, True),
        (409, 133, ItemRejected, False, True),
        (413, 0, ItemRejected, True, False),
        (422, 0, ItemRejected, True, False),
        (429, 0, SierraUnavailable, None, None),
        (500, 100, ItemTroubled, True, False),
        (500, 111, ItemTroubled, True, False),
        (500, 132, ItemTroubled, False, False),
        (502, 0, SierraUnavailable, None, None),
        (503, 117, SierraUnavailable, None, None),
        (302, 0, NeedsPerson, None, None),
    ],
)
def test_an_error_says_what_to_do_next(
    status: int, code: int, kind: type[SierraError], ambiguous: bool | None, shows_well: bool | None
) -> None:
    error = error_of(refusal(status, code), "item 1001234")
    assert type(error) is kind
    if isinstance(error, ItemRejected | ItemTroubled):
        assert (error.ambiguous is not None, error.shows_sierra_well) == (ambiguous, shows_well)


def test_a_message_says_which_item_and_sierras_own_words() -> None:
    error = error_of(refusal(400, 115, "Invalid JSON : field(s) unknown : x"), "item 1001234")
    assert str(error) == "Sierra refused item 1001234: 400 Name Invalid JSON : field(s) unknown : x (code 115)"


def test_sierras_words_are_shown_with_the_characters_that_its_codes_mean() -> None:
    answer = refusal(400, 130, "Kentt{u00E4} on v{u00E4}{u00E4}r{u00E4} &#x410; {uD800}" + "{u00E4}" * 200)
    assert describe(answer).startswith("400 Name Kenttä on väärä А {uD800}äää")
    assert "{u00E4}" not in describe(answer), "cut after it was decoded"


@pytest.mark.parametrize("status", [200, 400, 404, 500, 503])
@pytest.mark.parametrize("body", [b"<html><h1>Sorry</h1></html>", b"  <!DOCTYPE html>"])
def test_a_web_page_is_never_sierra(status: int, body: bytes) -> None:
    assert Response(status, {}, body).is_page
    assert isinstance(error_of(Response(status, {}, body), "item 1"), SierraUnavailable)


def test_who_is_sent_elsewhere_is_told_which_setting_to_look_at() -> None:
    assert "SIERRA_API_ENDPOINT" in str(error_of(Response(301, {"location": "https://elsewhere"}, b""), "item 1"))


def test_a_404_that_is_not_sierras_concerns_no_item() -> None:
    error = error_of(Response(404, JSON, b'{"detail": "Not Found"}'), "item 1")
    assert isinstance(error, SierraUnavailable)
    assert "SIERRA_API_ENDPOINT" in str(error)


def test_a_204_is_no_web_page_whatever_its_type() -> None:
    assert not Response(204, {"content-type": "text/html"}, b"").is_page


def test_a_code_may_come_as_text() -> None:
    assert isinstance(error_of(Response(404, JSON, b'{"code": "107"}'), "item 1"), ItemRejected)


def test_refusals_that_differ_in_the_items_number_only_are_alike() -> None:
    errors = [error_of(refusal(400, 126, f"record i{number} is not valid"), "it") for number in (2043111, 2043112)]
    assert len({error.ambiguous for error in errors if isinstance(error, ItemRejected)}) == 1


@pytest.mark.parametrize(("inside", "status"), [({"httpStatus": 404}, 404), ({"httpStatus": "x"}, 500), ({}, 500)])
def test_a_refusal_of_a_write_with_the_status_of_a_success_is_a_refusal(inside: dict[str, Any], status: int) -> None:
    assert unwrap(Response(200, JSON, json.dumps({"code": 111, **inside}).encode())).status == status
    assert unwrap(Response(204, JSON, b"")).status == 204


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        ("0", 0),
        ("99999999999999", 3600),
        ("Sun, 22 Nov 2026 12:00:30 GMT", 30),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0),
        ("Sun, 22 Nov 2026 12:00:30 -0000", 30),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("Sun, 22 Nov 99999999999999999999 12:00:00 GMT", None),
        ("Sun, 22 Nov 2026 12:00:00 +99999999999999", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_an_hour_at_the_most(value: str, seconds: float | None) -> None:
    answer = Response(429, {"retry-after": value, "date": "Sun, 22 Nov 2026 12:00:00 GMT"}, b"")
    assert retry_after(answer) == seconds


@pytest.mark.parametrize("date", [{}, {"date": "today"}])
def test_a_date_is_compared_with_our_own_clock_where_the_answer_has_none(date: dict[str, str]) -> None:
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(minutes=1), usegmt=True)
    assert 55 < (retry_after(Response(503, {"retry-after": in_a_minute, **date}, b"")) or 0) <= 60


def test_a_deleted_record_is_told_from_a_live_one() -> None:
    assert read_record({"id": 5, "deletedDate": "2026-10-01", "deleted": True}) == Deleted("5", "2026-10-01")
    assert read_record({"id": 5, "deletedDate": {"a": 1}, "deleted": True}) == Deleted("5", "an unknown date")


@pytest.mark.parametrize(
    "entry",
    [
        None, [], "x", {}, {**BARE, "id": ""}, {**BARE, "id": {"a": "borrower"}}, {**BARE, "id": 1.5},
        {**BARE, "varFields": {}}, {**BARE, "varFields": [1]},
        {**BARE, "varFields": [{"subfields": {}}]}, {**BARE, "varFields": [{"subfields": ["a"]}]},
        {**BARE, "fixedFields": []}, {**BARE, "fixedFields": {"74": "1"}}, {**BARE, "varFields": None},
        {"id": "1", "fixedFields": {}}, {"id": "1", "varFields": []},
    ],
)  # fmt: skip
def test_what_has_not_the_shape_of_a_record_is_not_trusted(entry: Any) -> None:
    with pytest.raises(NotARecord):
        read_record(entry)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ([], "no entries"),
        ({"entries": {}}, "no entries"),
        ({"total": 2, "entries": [BARE]}, "1 of 2"),
        ({"total": 2, "entries": [BARE, {**BARE, "id": "3"}]}, "nobody asked for item 3"),
        ({"total": 2, "entries": [BARE, BARE]}, "twice"),
        ({"total": 2, "entries": [BARE, {"id": "2"}]}, "fixedFields"),
    ],
)
def test_a_list_that_can_not_be_the_whole_answer_is_not_trusted(answer: Any, why: str) -> None:
    with pytest.raises(NotARecord, match=why):
        read_records(answer, ["1", "2"])


def test_what_a_whole_list_has_not_is_absent() -> None:
    assert list(read_records({"total": 1, "start": 0, "entries": [{**BARE, "id": 2}]}, ["1", "2"])) == ["2"]


@given(st.integers(100, 599), st.binary(max_size=60), st.sampled_from(["", "text/html", "application/json"]))
def test_whatever_is_answered_means_something(status: int, body: bytes, content_type: str) -> None:
    assert isinstance(error_of(Response(status, {"content-type": content_type}, body), "item 1"), SierraError)
