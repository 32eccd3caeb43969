"""One act on all that match is bounded: more is refused when it is asked, and when it is done."""

import re

import pytest

from console import words
from console.pages import history, queue
from tests.fix_console import TOKEN, ConsoleClient
from tests.fix_notifier import mark
from tests.fix_postgres import TestDatabase

QUEUED = "SELECT item_record_id, revision FROM update_queue ORDER BY item_record_id"
HIDDEN = re.compile(r'name="(asked\w*)" value="([^"]*)"')


@pytest.fixture
def three_of_each(database: TestDatabase) -> None:
    """Three rejected items, and pushes of three others."""
    mark(database, *(database.add_item(number, item_record_id=number) for number in (1001, 1002, 1003)))
    database.fetch("UPDATE update_queue SET due_at = NULL, last_error = 'in use', reason_code = 'in_use'")
    for number in (2001, 2002, 2003):
        database.fetch(
            "INSERT INTO update_log (item_record_id, barcode, queued_at, queued_by, finished_by, outcome, attempts,"
            " call_number_before, call_number_after) VALUES (%s, %s, now(), 'desk 1', 'host:1', 'pushed', 1, 'a', 'b')",
            *(database.add_item(number, item_record_id=number), str(number)),
        )


@pytest.mark.usefixtures("three_of_each")
@pytest.mark.parametrize(
    ("address", "back"),
    [
        ("/queue/act?act=retry+all&state=rejected", "/queue?state=rejected"),
        ("/queue/act?act=dismiss+all&state=rejected", "/queue?state=rejected"),
        ("/history/undo?act=undo+all&outcome=pushed", "/history?outcome=pushed"),
    ],
)
def test_act_on_more_than_the_most_is_refused_when_asked_and_when_done(
    operator: ConsoleClient, database: TestDatabase, monkeypatch: pytest.MonkeyPatch, address: str, back: str
) -> None:
    question, queued = operator.page(address), database.fetch(QUEUED)
    token = TOKEN.search(question)
    assert token
    sent = {"form_token": token[1], "why": "weeded", **dict(HIDDEN.findall(question))}
    for module in (words, history, queue):
        monkeypatch.setattr(module, "MOST_AT_ONCE", 2)
    for send in (operator.get, lambda to: operator.post_form(to, **sent)):
        answer = send(address)
        assert answer.headers["location"] == back
        assert "Nothing was done: more than 2 match" in operator.page(back)
    assert database.fetch(QUEUED) == queued
    for page in (history, queue):
        monkeypatch.setattr(page, "MOST_AT_ONCE", 3)
    operator.post_form(address, **sent)
    assert database.fetch(QUEUED) != queued
