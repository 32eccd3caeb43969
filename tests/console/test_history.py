"""The page of history: what matches the filter in the address, and pushes undone with a preview."""

import csv
import io
import re
from typing import Any

import pytest

from console.pages import history as history_page
from db import history_filter
from tests.fix_console import ConsoleClient
from tests.fix_postgres import TestDatabase

ACT = "SELECT action, target, number, reason FROM act ORDER BY act_id DESC LIMIT 1"
QUEUED = "SELECT revert_of, priority, queued_by FROM update_queue ORDER BY revert_of"
ASKED = re.compile(r'name="(asked\w*)" value="([^"]*)"')


def log(database: TestDatabase, number: int, **columns: Any) -> int:
    """A row of history; its id. A push an hour ago, where nothing else is said."""
    row = {
        "outcome": "pushed", "before": "84.2 Jännitys", "after": "84.31 Jännitys", "by": "desk 1", "code": None,
        "finished_by": "host:1", **columns,
    }  # fmt: skip
    ((update_log_id,),) = database.fetch(
        "INSERT INTO update_log (item_record_id, item_number, barcode, title, queued_at, queued_by, finished_by,"
        " outcome, attempts, call_number_before, call_number_after, reason_code, finished_at)"
        " VALUES (%s, %s, %s, 'Kirja', now(), %s, %s, %s, 1, %s, %s, %s, now() - interval '1 hour')"
        " RETURNING update_log_id",
        *(number, str(number), f"3301{number:010}", row["by"], row["finished_by"], row["outcome"]),
        *(row["before"], row["after"], row["code"]),
    )
    return int(update_log_id)


@pytest.fixture
def pushes(database: TestDatabase) -> list[int]:
    """Three pushes, each of another item, then a rejection."""
    ids = [log(database, database.add_item(number, item_record_id=number)) for number in (1001, 1002, 1003)]
    log(database, 1001, outcome="rejected", code="in_use", by="Aino")
    return ids


@pytest.fixture
def most_looked_2(monkeypatch: pytest.MonkeyPatch) -> None:
    """One look goes through two rows of history."""
    for module in (history_filter, history_page):
        monkeypatch.setattr(module, "MOST_LOOKED", 2)


@pytest.mark.usefixtures("pushes")
def test_the_filter_is_in_the_address(operator: ConsoleClient) -> None:
    assert "4 outcomes match" in operator.page("/history")
    assert "1 outcome matches" in operator.page("/history?outcome=rejected&reason=in_use")
    assert "1 outcome matches" in operator.page("/history?person=Aino")
    assert "1 outcome matches" in operator.page("/history?barcode=33010000001002")
    assert "0 outcomes match" in operator.page("/history?until=2020-01-01")
    for wrong in ("outcome=odd", "reason=odd", "from=yesterday", "before=x"):
        assert operator.get(f"/history?{wrong}").status_code == 400


@pytest.mark.usefixtures("most_looked_2")
def test_a_page_that_looks_through_a_part_of_history_says_so_and_the_next_one_looks_further(
    viewer: ConsoleClient, pushes: list[int]
) -> None:
    page = viewer.page("/history?barcode=33010000001001")
    assert "2 outcomes match ·" in " ".join(page.split()), "found by an index"
    page = viewer.page("/history?outcome=pushed")
    assert "1 outcome matches of the newest 2; the next page looks further" in page
    (further,) = re.findall(r'href="([^"]*)" rel="next"', page)
    page = viewer.page(further)
    assert [f'<th scope="row">{push}<br>' in page for push in pushes] == [True, True, False]
    rows = csv.DictReader(io.StringIO(viewer.get("/history.csv?outcome=pushed").text))
    assert [row["item_number"] for row in rows] == ["1003", "1002", "1001"]


@pytest.mark.usefixtures("most_looked_2")
@pytest.mark.parametrize("until", ["2026-03-05", "2026-03-08", "2026-03-31"])
def test_a_look_for_days_long_past_begins_and_ends_there(
    viewer: ConsoleClient, database: TestDatabase, pushes: list[int], until: str
) -> None:
    database.fetch("UPDATE update_log SET finished_at = '2026-03-05 12:00+02' WHERE update_log_id = %s", pushes[1])
    database.fetch("UPDATE update_log SET finished_at = '2026-03-02 12:00+02' WHERE update_log_id = %s", pushes[0])
    page = viewer.page(f"/history?from=2026-03-05&until={until}")
    assert "1 outcome matches ·" in " ".join(page.split())
    assert f'<th scope="row">{pushes[1]}<br>' in page
    assert 'rel="next"' not in page


def test_all_that_match_are_undone_after_a_preview_behind_the_print_stations(
    operator: ConsoleClient, database: TestDatabase, pushes: list[int]
) -> None:
    log(database, 1001, before="84.31 Jännitys", after="84.31 Jännitys")
    database.fetch("UPDATE sierra_item SET item_updated_at = now(), item_call_number = 'x' WHERE item_record_id = 1002")
    database.fetch("INSERT INTO update_queue (item_record_id) VALUES (1003)")
    address = "/history/undo?outcome=pushed&act=undo+all"
    question = operator.page(address)
    assert "Undo 4 pushes?" in question
    told = dict(re.findall(r'<td class="count">(\d+)</td><td>([^<]*)</td>', question))
    assert len(re.findall(r'<td class="count">1</td>', question)) == 4
    assert told
    for sentence in ("are put back", "staff changed the call number since", "in the queue", "stayed as it was"):
        assert sentence in question
    later = log(database, database.add_item(1004, item_record_id=1004))
    database.fetch("UPDATE update_log SET finished_at = now() WHERE update_log_id = %s", later)
    assert "a reason is needed" in operator.act(address, **dict(ASKED.findall(question)))
    answer = operator.submit(address, **dict(ASKED.findall(question)), why="wrong classes")
    assert answer.headers["location"] == "/history?outcome=pushed"
    assert "2 of 4 pushes: are undone next" in operator.page(answer.headers["location"])
    assert database.fetch(QUEUED)[:2] == [(pushes[0], 1, "operator"), (pushes[1], 1, "operator")]
    assert database.fetch(ACT) == [("revert", {"outcome": "pushed"}, 2, "wrong classes")]


def test_ticked_pushes_are_undone_and_no_other(
    operator: ConsoleClient, database: TestDatabase, pushes: list[int]
) -> None:
    address = f"/history/undo?act=undo&id={pushes[1]}"
    question = operator.page(address)
    assert "Undo 1 push?" in question
    operator.submit(address, **dict(ASKED.findall(question)), why="x")
    assert database.fetch(QUEUED) == [(pushes[1], 1, "operator")]
    assert database.fetch(ACT)[0][1] == {"ids": [pushes[1]]}
    answer = operator.get("/history/undo?act=undo")
    assert "tick pushes first" in operator.page(answer.headers["location"])
    assert operator.get("/history/undo?act=burn").status_code == 400


def test_of_one_items_pushes_the_newest_is_previewed_and_undone(
    operator: ConsoleClient, database: TestDatabase
) -> None:
    older, newer = (log(database, number) for number in (database.add_item(1001, item_record_id=1001), 1001))
    address = f"/history/undo?act=undo&id={older}&id={newer}"
    question = operator.page(address)
    assert "a newer push of the same item is undone" in question
    operator.submit(address, **dict(ASKED.findall(question)), why="x")
    assert database.fetch(QUEUED) == [(newer, 1, "operator")]


@pytest.mark.usefixtures("pushes")
def test_a_viewer_sees_stations_and_no_persons(viewer: ConsoleClient, database: TestDatabase, printer_key: str) -> None:
    for address in ("/history", "/history.csv"):
        assert "Aino" not in viewer.page(address)
        assert "desk 1" in viewer.page(address)
        assert viewer.get(f"{address}?person=Aino").status_code == 403
    assert viewer.get("/history/undo?act=undo+all").status_code == 403


@pytest.mark.usefixtures("pushes")
def test_all_that_match_can_be_had_as_csv(operator: ConsoleClient) -> None:
    text = operator.get("/history.csv?outcome=pushed").text
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [row["item_number"] for row in rows] == ["1003", "1002", "1001"]
    assert rows[0]["call_number_after"] == "84.31 Jännitys"


def test_pages_lead_on_to_older_outcomes(viewer: ConsoleClient, database: TestDatabase) -> None:
    ids = [log(database, number) for number in range(1001, 1053)]
    (address,) = re.findall(r'href="(/history\?[^"]*)" rel="next"', viewer.page("/history?outcome=pushed"))
    assert address == f"/history?outcome=pushed&before={ids[2]}"
    assert "1002" in viewer.page(address)
