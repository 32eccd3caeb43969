"""signum preview: what an update would write to Sierra, field by field, and nothing is written."""

from typing import Any

import pytest

from tests.fix_postgres import TestDatabase
from tests.fix_sierra import SierraInThread, make_record
from tests.fix_signum import Ran, Signum

BARCODE = "12312312300001"
NUMBER = "2043111"


@pytest.fixture
def preview(signum: Signum, sierra: SierraInThread, database: TestDatabase) -> Signum:
    """Ask what would be written to the item with our barcode; further arguments after it."""
    database.add_item(int(NUMBER), barcode=BARCODE, best_title="Kaik Turust", classification="84.31")
    settings = {
        "SIERRA_API_ENDPOINT": sierra.endpoint,
        "SIERRA_API_CLIENT_KEY": sierra.key,
        "SIERRA_API_CLIENT_SECRET": sierra.secret,
        "SIERRA_API_CLIENT_RETRIES": "0",
    }

    def run(*arguments: str, barcode: str = BARCODE, **others: Any) -> Ran:
        return signum("preview", barcode, *arguments, settings={**settings, **others})

    return run


def test_each_field_is_shown_with_its_value_before_and_after_and_none_is_written(
    preview: Signum, sierra: SierraInThread
) -> None:
    sierra.add(make_record(NUMBER, "84.2 Jännitys"))
    shown = preview("--json").json
    assert (shown["item_number"], shown["title"], shown["classification"]) == (NUMBER, "Kaik Turust", "84.31")
    changes = {change["field"]: (change["before"], change["after"]) for change in shown["changes"]}
    assert changes["call number (099)"] == ("84.2 Jännitys", "84.31 Jännitys")
    assert changes["IUSE3 (74)"] == ("0", "1")
    assert set(changes) == {"call number (099)", "IUSE3 (74)", "INVDA (69)"}
    assert "84.31 Jännitys" in preview().out
    assert sierra.puts() == []


def test_item_without_a_call_number_would_get_one(preview: Signum, sierra: SierraInThread) -> None:
    sierra.add(make_record(NUMBER))
    (change,) = [c for c in preview("--json").json["changes"] if c["field"] == "call number (099)"]
    assert (change["before"], change["after"]) == (None, "84.31")


def test_the_label_s_line_that_would_be_renewed_is_shown_and_what_would_be_lost_is_told(
    preview: Signum, sierra: SierraInThread
) -> None:
    record = make_record(NUMBER, "78.891 2 CD")
    record.var_fields[-1]["subfields"].append({"tag": "a", "content": "2019"})
    sierra.add(record)
    shown = preview("--json").json
    (change,) = [c for c in shown["changes"] if c["field"] == "call number (099)"]
    assert (change["before"], change["after"]) == ("78.891 2 CD", "84.31 CD")
    assert shown["remarks"] == ["'2' was left out of '78.891 2 CD'"]


def test_item_that_would_be_left_to_a_person_is_refused_with_the_reason(
    preview: Signum, sierra: SierraInThread
) -> None:
    sierra.add(make_record(NUMBER, "L 84.2 Jännitys"))
    ran = preview(SIERRA_UPDATE_UNCLEAR_CALL_NUMBER="reject")
    assert ran.code == 1
    assert "'L 84.2 Jännitys', which does not begin with a class number" in ran.err


def test_settings_decide_what_would_be_written(preview: Signum, sierra: SierraInThread) -> None:
    sierra.add(make_record(NUMBER, "84.31 Jännitys"))
    nothing = preview(SIERRA_UPDATE_SET_INVDA="false", SIERRA_UPDATE_SET_IUSE3="false")
    assert nothing.code == 0
    assert "nothing: Sierra has it all" in nothing.out


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        ({}, 1, f"Sierra has no item {NUMBER}"),
        ({"status": 503, "code": 117}, 3, "Sierra"),
        ({"status": 403, "code": 116}, 3, "refuses our key"),
    ],
)
def test_item_that_sierra_has_not_and_sierra_that_is_unwell_are_told_apart(
    preview: Signum, sierra: SierraInThread, fault: dict[str, Any], code: int, words: str
) -> None:
    if fault:
        sierra.fault(kind="get_item", **fault)
    ran = preview()
    assert ran.code == code
    assert words in ran.err
    assert ran.err.count("\n") == 1


def test_sierra_that_is_not_there_is_3(preview: Signum) -> None:
    ran = preview(SIERRA_API_ENDPOINT="http://127.0.0.1:1/iii/sierra-api/v6")
    assert ran.code == 3
    assert "http://127.0.0.1:1/" in ran.err


def test_barcode_of_no_item_and_of_several_is_refused(preview: Signum, database: TestDatabase) -> None:
    assert preview(barcode="99999999999999").err == "no item has the barcode 99999999999999\n"
    database.add_item(2043112, barcode=BARCODE)
    ran = preview()
    assert (ran.code, ran.err) == (1, f"several items have the barcode {BARCODE}: 2043111, 2043112\n")


def test_item_without_a_number_is_refused_before_sierra_is_asked(
    preview: Signum, database: TestDatabase, sierra: SierraInThread
) -> None:
    database.fetch("UPDATE sierra_item SET item_number = NULL")
    assert preview().code == 1
    assert sierra.requests() == []
