"""The page of an item: found by barcode or number, with its story, and acts on it."""

import re
from typing import LiteralString

import pytest

from db import queue
from db.marks import mark_items
from tests.fix_console import ConsoleClient
from tests.fix_notifier import mark
from tests.fix_postgres import TestDatabase
from tests.fix_queue import LEASE

ACT = "SELECT person, action, target, number, result FROM act ORDER BY act_id DESC LIMIT 1"
PAGE = "/item/2043111"
BY_BARCODE = "/item/33010002043111"


def shown(page: str) -> dict[str, str]:
    """The hidden fields that say which item the page shows, and as of when."""
    return dict(re.findall(r'name="(item_record_id|asked_at)" value="([^"]+)"', page))


def press(operator: ConsoleClient, **fields: object) -> str:
    """Send the form of the page as it is now; the page that the answer leads to."""
    return operator.act(PAGE, **shown(operator.page(PAGE)), **fields)


async def _push(database: TestDatabase, item: int) -> None:
    """Mark it and push it."""
    mark(database, item)
    async with await database.aconnect() as connection:
        (claim,) = await queue.claim(connection, "n1", 1, LEASE)
        await queue.finish(
            connection, "n1", [queue.Pushed(claim, "pushed", "84.2 Jännitys", "84.31 Jännitys", None, 85)]
        )


async def test_the_box_in_the_head_leads_to_the_item(viewer: ConsoleClient, database: TestDatabase) -> None:
    database.add_item(2043111, best_title="Sinuhe")
    for typed in ("33010002043111", " 2043111 "):
        answer = viewer.get("/item", params={"of": typed})
        assert "Sinuhe" in viewer.page(answer.headers["location"])
    assert viewer.get("/item", params={"of": "a/b?c"}).headers["location"] == "/item/a%2Fb%3Fc"
    answer = viewer.get("/item/999")
    assert (answer.status_code, "No item has the barcode or number 999" in answer.text) == (404, True)


async def test_of_several_items_with_a_barcode_one_is_chosen(viewer: ConsoleClient, database: TestDatabase) -> None:
    for number in (1001, 1002):
        database.add_item(number, barcode="33010000000001")
    page = viewer.page("/item/33010000000001")
    assert ("/item/1001" in page, "/item/1002" in page) == (True, True)


def test_what_is_known_and_what_would_be_written_is_shown(viewer: ConsoleClient, database: TestDatabase) -> None:
    database.add_item(2043111, best_title="Sinuhe", shelfmark="WAL", item_call_number="84.2 Jännitys")
    page = viewer.page(PAGE)
    assert "84.31 WAL" in page
    assert "84.2 Jännitys → 84.31 Jännitys" in page
    assert 'name="act"' not in page


async def test_the_story_is_one_line_of_time_with_when_sierra_showed_it(
    operator: ConsoleClient, database: TestDatabase
) -> None:
    await _push(database, database.add_item(2043111))
    database.fetch("UPDATE update_log SET shown_at = now()")
    page = operator.page(PAGE)
    told = ["Sierra shows it", "84.2 Jännitys → 84.31 Jännitys, in 85 ms, at try 1", "Marked by "]
    places = [page.index(text, page.index("Story")) for text in told]
    assert places == sorted(places)


def test_a_rejected_item_that_waits_for_a_person_was_marked_once(viewer: ConsoleClient, database: TestDatabase) -> None:
    database.fetch("INSERT INTO update_queue (item_record_id) VALUES (%s)", database.add_item(2043111))
    for _ in range(2):
        database.fetch(
            "INSERT INTO update_log (item_record_id, barcode, queued_at, queued_by, finished_by, outcome, attempts)"
            " SELECT item_record_id, barcode, queued_at, queued_by, 'host:1', 'rejected', 1"
            " FROM update_queue JOIN sierra_item USING (item_record_id)"
        )
    page = viewer.page(PAGE)
    assert (page.count("Rejected after 1 tries"), page.count("Marked by ")) == (2, 1)


async def test_a_push_is_undone_by_the_queue_behind_the_print_stations(
    operator: ConsoleClient, database: TestDatabase
) -> None:
    item = database.add_item(2043111)
    await _push(database, item)
    ((row,),) = database.fetch("SELECT update_log_id FROM update_log")
    assert "The push is undone next" in press(operator, act="undo", row=row)
    assert database.fetch("SELECT revert_of, priority, queued_by FROM update_queue") == [(row, 1, "operator")]
    assert database.fetch(ACT)[0][1:4] == ("revert", {"ids": [row]}, 1)
    assert "Not undone" in press(operator, act="undo", row=row)


async def test_an_item_is_marked_retried_and_dismissed(operator: ConsoleClient, database: TestDatabase) -> None:
    database.add_item(2043111)
    assert "Marked: it is written to Sierra next" in press(operator, act="mark")
    assert database.fetch("SELECT queued_by, priority FROM update_queue") == [("operator", 1)]
    assert "Not tried again" in press(operator, act="retry")
    database.fetch("UPDATE update_queue SET due_at = NULL, last_error = 'in use', reason_code = 'in_use'")
    assert "in use by staff" in operator.page(PAGE)
    assert "It is tried again" in press(operator, act="retry")
    assert "a reason is needed" in press(operator, act="dismiss")
    assert "Taken off the queue" in press(operator, act="dismiss", why="weeded")
    assert database.fetch("SELECT count(*) FROM update_queue") == [(0,)]
    assert database.fetch("SELECT action, reason FROM act ORDER BY act_id DESC LIMIT 1") == [
        ("queue dismiss", "weeded")
    ]
    assert operator.submit(PAGE, act="burn").status_code == 400


@pytest.mark.parametrize("state", ["due_at = NULL, last_error = 'in use'", "attempts = 1"], ids=["rejected", "waiting"])
async def test_item_that_is_marked_again_after_it_was_shown_is_not_dismissed(
    operator: ConsoleClient, database: TestDatabase, state: LiteralString
) -> None:
    item = database.add_item(2043111)
    mark(database, item)
    database.fetch(f"UPDATE update_queue SET {state}")
    before = shown(operator.page(PAGE))
    async with await database.aconnect() as station:
        await mark_items(station, "desk 1", [item], 0)
    answer = operator.act(PAGE, **before, act="dismiss", why="weeded")
    assert "was marked since it was shown" in answer
    assert "Taken off the queue" in operator.act(PAGE, **shown(answer), act="dismiss", why="weeded")
    assert database.fetch("SELECT count(*) FROM update_queue") == [(0,)]


def test_time_of_the_question_is_renewed_with_what_the_page_shows(
    operator: ConsoleClient, database: TestDatabase
) -> None:
    mark(database, database.add_item(2043111))
    (acts,) = re.findall(r'<div data-live="acts">(.*?)</div>', operator.page(PAGE), re.DOTALL)
    assert shown(acts).keys() == {"item_record_id", "asked_at"}


async def test_no_act_reaches_the_item_to_which_the_barcode_was_moved_since(
    operator: ConsoleClient, database: TestDatabase
) -> None:
    shown_item = database.add_item(2043111)
    mark(database, shown_item)
    before = shown(operator.page(BY_BARCODE))
    database.fetch("UPDATE sierra_item SET barcode = 'x'")
    database.add_item(1001, barcode="33010002043111")
    for act in ("mark", "retry", "dismiss", "undo"):
        answer = operator.act(BY_BARCODE, **before, act=act, why="weeded", row=1)
        assert "Nothing was done: the item that was shown no longer has this barcode" in answer
    assert database.fetch("SELECT item_record_id FROM update_queue") == [(shown_item,)]
    database.fetch("UPDATE sierra_item SET barcode = '33010002043111'")
    operator.submit(BY_BARCODE, **before, act="dismiss", why="weeded")
    assert database.fetch("SELECT count(*) FROM update_queue") == [(0,)], (
        "of two with the barcode the one that was shown"
    )


async def test_titles_are_no_markup(viewer: ConsoleClient, database: TestDatabase) -> None:
    database.add_item(2043111, best_title="<script>x</script>")
    assert "<script>x" not in viewer.get(PAGE).text
