"""The page of the queue: what matches the filter in the address, and acts on what is ticked or on all that match."""

import asyncio
import csv
import io
import re

import pytest

from db import queue, queue_filter
from db.marks import mark_items
from db.queue_filter import QueueFilter, choose_items
from db.reasons import ReasonCode
from tests.fix_console import ConsoleClient, StartConsole, add_person
from tests.fix_notifier import mark
from tests.fix_postgres import TestDatabase
from tests.fix_queue import LEASE

ACT = "SELECT person, action, target, number, reason, result FROM act ORDER BY act_id DESC LIMIT 1"
WAITING = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
REJECTED = "SELECT item_record_id FROM update_queue WHERE due_at IS NULL ORDER BY 1"


async def _reject(database: TestDatabase, *numbers: int, code: ReasonCode = "in_use", reason: str = "") -> None:
    """Items that were rejected, one after the other."""
    async with await database.aconnect() as connection:
        for number in numbers:
            mark(database, database.add_item(number, item_record_id=number))
            (claim,) = await queue.claim(connection, "n1", 1, LEASE)
            await queue.reject(connection, "n1", claim, reason or f"item {number} is in use", reason_code=code)


@pytest.fixture
def rejected(database: TestDatabase) -> None:
    """Three rejected items, two of one kind."""
    asyncio.run(_reject(database, 1001, 1002))
    asyncio.run(_reject(database, 1003, code="absent"))


async def one_waits_for_a_lock(database: TestDatabase) -> None:
    """Return when a session of the test's database waits for a lock."""
    async with asyncio.timeout(10), await database.aconnect() as looking:
        while not await (await looking.execute(WAITING)).fetchall():
            pass


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of the question, which its form sends back."""
    return dict(re.findall(r'name="(asked\w*)" value="([^"]*)"', page))


@pytest.mark.usefixtures("rejected")
def test_the_filter_is_in_the_address(viewer: ConsoleClient, database: TestDatabase) -> None:
    mark(database, database.add_item(1004, item_record_id=1004))
    assert "4 items match" in viewer.page("/queue")
    page = viewer.page("/queue?state=rejected&reason=in_use")
    assert "2 items match" in page
    assert ("1001" in page, "1003" in page) == (True, False)
    assert "1 item matches" in viewer.page("/queue?state=waiting")
    assert "4 items match" in viewer.page("/queue?words=kirja")
    mark(database, database.add_item(2043111))
    for words in ("33010000001003", "Kirja+1002", "2043111"):
        assert "1 item matches" in viewer.page(f"/queue?words={words}")
    assert "0 items match" in viewer.page("/queue?until=2020-01-01")
    for wrong in ("state=odd", "reason=odd", "from=yesterday", "after=x", "after=99999999999999999999"):
        assert viewer.get(f"/queue?{wrong}").status_code == 400


@pytest.mark.usefixtures("rejected")
@pytest.mark.parametrize(("most", "address"), [("MOST_LOOKED", "reason=absent"), ("MOST_TITLES", "words=Kirja+1003")])
def test_a_page_that_looks_through_a_part_of_the_queue_says_so_and_the_next_one_looks_further(
    viewer: ConsoleClient, monkeypatch: pytest.MonkeyPatch, most: str, address: str
) -> None:
    monkeypatch.setattr(queue_filter, most, 2)
    page = viewer.page(f"/queue?{address}")
    assert "0 items match of the first 2 in the queue; the next page looks further" in page
    page = viewer.page(*re.findall(r'href="([^"]*)" rel="next"', page))
    assert ("/item/1003" in page, 'rel="next"' in page) == (True, False)
    assert '"1003"' in viewer.get(f"/queue.csv?{address}").text
    monkeypatch.setattr(queue_filter, most, 4)
    assert "1 item matches ·" in " ".join(viewer.page(f"/queue?{address}").split())


@pytest.mark.usefixtures("rejected")
def test_rejected_items_are_found_in_the_whole_queue(viewer: ConsoleClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_filter, "MOST_LOOKED", 1)
    assert "3 items match ·" in " ".join(viewer.page("/queue?state=rejected").split())
    assert "1 item matches ·" in " ".join(viewer.page("/queue?state=rejected&reason=absent").split())


@pytest.mark.usefixtures("rejected")
async def test_each_item_has_the_state_in_which_the_view_shows_it(database: TestDatabase) -> None:
    for number in (1005, 1006, 1007):
        mark(database, database.add_item(number, item_record_id=number))
    database.fetch("UPDATE update_queue SET due_at = now() + interval '1 hour' WHERE item_record_id = 1005")
    database.fetch("UPDATE update_queue SET pushed_revision = revision WHERE item_record_id = 1006")
    database.fetch("UPDATE update_queue SET claimed_by = 'n', lease_until = 'tomorrow' WHERE item_record_id = 1007")
    states = database.fetch(
        "SELECT state, array_agg(item_record_id ORDER BY item_record_id) FROM queue_detail GROUP BY 1"
    )
    assert len(states) == 4
    async with await database.aconnect() as connection:
        for state, ids in states:
            assert await choose_items(connection, QueueFilter(state=state)) == ids


@pytest.mark.usefixtures("rejected")
def test_all_that_match_are_retried_and_what_came_after_the_question_is_not(
    operator: ConsoleClient, database: TestDatabase
) -> None:
    address = "/queue/act?state=rejected&reason=in_use&act=retry+all"
    question = operator.page(address)
    assert "Retry 2 rejected items?" in question
    asked = hidden(question)
    database.fetch("UPDATE update_queue SET queued_at = now() WHERE item_record_id = 1002")
    answer = operator.submit(address, **asked)
    assert answer.headers["location"] == "/queue?state=rejected&reason=in_use"
    assert "1 of 2 items: tried again" in operator.page(answer.headers["location"])
    assert database.fetch(REJECTED) == [(1002,), (1003,)]
    ((person, action, target, number, _, result),) = database.fetch(ACT)
    assert (person, action, number) == ("operator", "queue retry", 1)
    assert target == {"state": "rejected", "reason": "in_use"}
    assert result == "1 of 2 items: tried again"


async def test_what_was_rejected_after_the_question_is_not_touched(
    operator: ConsoleClient, database: TestDatabase
) -> None:
    mark(database, database.add_item(1001, item_record_id=1001))
    address = "/queue/act?state=rejected&act=retry+all"
    async with await database.aconnect() as connection:
        (claim,) = await queue.claim(connection, "n1", 1, LEASE)
        await _reject(database, 1002)
        asked = hidden(operator.page(address))
        assert asked["asked"] == "1"
        await queue.reject(connection, "n1", claim, "late", reason_code="in_use")
    operator.submit(address, **asked)
    assert database.fetch(REJECTED) == [(1001,)]


@pytest.mark.usefixtures("rejected")
def test_ticked_items_are_dismissed_for_a_reason_and_no_other(operator: ConsoleClient, database: TestDatabase) -> None:
    address = "/queue/act?act=dismiss&id=1001&id=1003"
    question = operator.page(address)
    assert "Take 2 items off the queue?" in question
    assert "a reason is needed" in operator.act(address, **hidden(question), why=" ")
    assert len(database.fetch(REJECTED)) == 3
    answer = operator.submit(address, **hidden(question), why="weeded")
    assert "2 of 2 items: taken off the queue" in operator.page(answer.headers["location"])
    assert database.fetch(REJECTED) == [(1002,)]
    ((_, action, target, number, reason, _),) = database.fetch(ACT)
    assert (action, number, reason) == ("queue dismiss", 2, "weeded")
    assert target["item_record_ids"] == [1001, 1003]
    assert database.fetch("SELECT DISTINCT finished_by FROM update_log WHERE outcome = 'dismissed'") == [("operator",)]


@pytest.mark.usefixtures("rejected")
@pytest.mark.parametrize(("seconds", "left"), [("40", 0), ("600", 1)])
def test_item_written_without_an_answer_is_left_alone_for_as_long_as_the_settings_say(
    start_console: StartConsole, database: TestDatabase, seconds: str, left: int
) -> None:
    operator = start_console(sierra_late_write_seconds=seconds)
    operator.submit("/sign-in", key=add_person(database, "aino", "operator"))
    ticked = "/queue/act?act=dismiss&id=1001"
    database.fetch("UPDATE update_queue SET unanswered_at = now() - interval '5 minutes' WHERE item_record_id = 1001")
    operator.submit(ticked, **hidden(operator.page(ticked)), why="weeded")
    assert database.fetch("SELECT count(*) FROM update_queue WHERE item_record_id = 1001") == [(left,)]


@pytest.mark.usefixtures("rejected")
def test_an_act_without_a_tick_says_so(operator: ConsoleClient) -> None:
    answer = operator.get("/queue/act?act=dismiss&state=rejected")
    assert "tick items first" in operator.page(answer.headers["location"])
    assert operator.get("/queue/act?act=destroy").status_code == 400
    assert operator.submit("/queue/act?act=retry+all", asked_at="now").status_code == 400


@pytest.mark.usefixtures("rejected")
def test_a_viewer_sees_stations_and_no_persons(viewer: ConsoleClient, database: TestDatabase, printer_key: str) -> None:
    database.fetch("UPDATE update_queue SET queued_by = 'Aino' WHERE item_record_id = 1001")
    database.fetch("UPDATE update_queue SET queued_by = 'Aino: by night' WHERE item_record_id = 1003")
    database.fetch("UPDATE update_queue SET queued_by = 'desk 1' WHERE item_record_id = 1002")
    for address in ("/queue", "/queue.csv"):
        assert "Aino" not in viewer.page(address)
        assert "desk 1" in viewer.page(address)
        assert viewer.get(f"{address}?by=Aino").status_code == 403
    assert 'name="act"' not in viewer.page("/queue")
    assert viewer.get("/queue/act?act=retry+all").status_code == 403


async def test_pages_lead_on_from_item_to_item(viewer: ConsoleClient, database: TestDatabase) -> None:
    mark(database, *(database.add_item(number, item_record_id=number) for number in range(1001, 1053)))
    (address,) = re.findall(r'href="(/queue\?[^"]*)" rel="next"', viewer.page("/queue?state=waiting"))
    assert address == "/queue?state=waiting&after=1050"
    second = viewer.page(address)
    assert ("1051" in second, "1050" in second, 'rel="next"' in second) == (True, False, False)


@pytest.mark.parametrize(("language", "delimiter"), [("en", ","), ("fi", ";")])
async def test_all_that_match_can_be_had_as_csv(
    operator: ConsoleClient, database: TestDatabase, language: str, delimiter: str
) -> None:
    await _reject(database, 1001, reason='=HYPERLINK("http://evil.example")')
    database.fetch("UPDATE sierra_item SET best_title = E'-1\\n;\"x\"'")
    database.fetch("UPDATE person SET language = %s", language)
    answer = operator.get("/queue.csv?state=rejected")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.text.startswith("\ufeff")
    (row,) = csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff")), delimiter=delimiter)
    assert row["item_number"] == "1001"
    assert row["title"] == '\'-1\\n;"x"'
    assert row["reason"] == '\'=HYPERLINK("http://evil.example")'


async def test_what_comes_from_outside_is_no_markup(viewer: ConsoleClient, database: TestDatabase) -> None:
    await _reject(database, 1001, reason="<script>alert(1)</script>")
    database.fetch("UPDATE sierra_item SET best_title = '<b>x</b>'")
    text = viewer.get("/queue").text
    assert "<script>alert" not in text
    assert "&lt;b&gt;x" in text


@pytest.mark.usefixtures("rejected")
async def test_mark_that_comes_while_the_act_waits_for_it_is_not_dismissed(
    operator: ConsoleClient, database: TestDatabase
) -> None:
    address = "/queue/act?act=dismiss+all"
    asked = hidden(operator.page(address))
    async with await database.aconnect() as station:
        async with station.transaction():
            await mark_items(station, "desk 1", [1001], 0)
            answering = asyncio.create_task(asyncio.to_thread(operator.submit, address, **asked, why="weeded"))
            await one_waits_for_a_lock(database)
        answer = await answering
    assert "2 of 3 items: taken off the queue" in operator.page(answer.headers["location"])
    assert database.fetch("SELECT item_record_id FROM update_queue") == [(1001,)]


async def test_item_that_is_marked_again_after_the_question_is_not_dismissed(
    operator: ConsoleClient, database: TestDatabase
) -> None:
    items = [database.add_item(number, item_record_id=number) for number in (1001, 1002)]
    mark(database, *items)
    address = "/queue/act?state=waiting&act=dismiss+all"
    asked = hidden(operator.page(address))
    mark(database, items[0])
    answer = operator.submit(address, **asked, why="weeded")
    assert "1 of 2 items: taken off the queue" in operator.page(answer.headers["location"])
    assert database.fetch("SELECT item_record_id FROM update_queue") == [(1001,)]
