"""The first page: the verdict before all else, in the person's language; pause and resume."""

import re

import pytest

from tests.fix_console import ConsoleClient, SignIn
from tests.fix_postgres import TestDatabase

ACT = "SELECT person, action, number, result, reason FROM act ORDER BY act_id DESC LIMIT 1"

PAUSE = "SELECT paused_by, reason, resume_at FROM queue_control"


def shown(page: str) -> dict[str, str]:
    """The hidden field that says which pause the page shows."""
    return dict(re.findall(r'name="(paused_at)" value="([^"]+)"', page))


def headline(browser: ConsoleClient) -> str:
    found = re.search(r'<h1 id="verdict">(.*?)</h1>', browser.page("/"))
    assert found
    return found[1]


def test_first_sentence_is_the_verdict(viewer: ConsoleClient, filled: TestDatabase) -> None:
    page = viewer.page("/")
    assert headline(viewer) == "No ETL has a key, so that no catalogue comes."
    assert "Give it one, in Stations and keys." in page
    assert "1 item is rejected: Sierra shows the record and refuses to save it." in page
    assert "<ins>84.31 Jännitys</ins>" in page


def test_verdict_is_in_the_persons_language(viewer: ConsoleClient, filled: TestDatabase) -> None:
    filled.fetch("DELETE FROM notifier_state")
    filled.fetch("UPDATE person SET language = 'fi'")
    assert headline(viewer) == "Yhtään päivittäjää ei ole käynnissä, joten Sierraan ei lähde mitään."


def test_pause_and_resume_say_what_they_did_and_leave_their_acts(
    operator: ConsoleClient, database: TestDatabase
) -> None:
    page = operator.act("/", act="pause", reason="Sierra is upgraded", hours="2")
    assert "The pushes are paused" in page
    assert "operator paused the pushes until" in page
    assert database.fetch(ACT)[0][:3] == ("operator", "queue pause", 1)
    assert database.fetch(ACT)[0][4] == "Sierra is upgraded"
    assert "The pushes go on" in operator.act("/", act="resume", **shown(page))
    assert "paused the pushes" not in operator.page("/")
    assert "the pause that was shown is over" in operator.act("/", act="resume", **shown(page))


def test_pause_that_another_person_made_since_the_page_was_shown_stays(
    operator: ConsoleClient, sign_in: SignIn, database: TestDatabase
) -> None:
    aino = sign_in("aino", "operator")
    before = shown(aino.act("/", act="pause", reason="Sierra is upgraded", hours=""))
    assert "the pushes are paused already" in operator.act("/", act="pause", reason="lunch", hours="1")
    assert database.fetch(PAUSE) == [("aino", "Sierra is upgraded", None)]
    aino.act("/", act="resume", **before)
    operator.act("/", act="pause", reason="wrong labels", hours="")
    assert "the pause that was shown is over" in aino.act("/", act="resume", **before)
    assert database.fetch(PAUSE) == [("operator", "wrong labels", None)]
    assert [row[2] for row in database.fetch(ACT)] == [0]
    database.fetch("UPDATE queue_control SET resume_at = now()")
    assert "The pushes are paused;" in operator.act("/", act="pause", reason="x", hours=""), "the other one is over"


def test_viewer_sees_no_person_and_no_button(sign_in: SignIn, database: TestDatabase) -> None:
    sign_in("aino", "operator").act("/", act="pause", reason="x", hours="")
    page = sign_in("eino", "viewer").page("/")
    assert "A person paused the pushes until a person resumes them." in page
    assert "aino" not in page
    assert 'name="act"' not in page


@pytest.mark.parametrize("reason", ["", "x" * 201, "a\nb"])
def test_pause_needs_a_reason_that_others_can_read(
    operator: ConsoleClient, database: TestDatabase, reason: str
) -> None:
    assert "A reason has 1 to 200 printable characters" in operator.act("/", act="pause", reason=reason)
    assert database.fetch("SELECT paused_at FROM queue_control") == [(None,)]


def test_text_from_outside_is_no_markup(viewer: ConsoleClient, filled: TestDatabase) -> None:
    evil = "<script>alert(1)</script>"
    filled.fetch("UPDATE notifier_state SET breaker = 'open', waits_for = 'person', reason = %s", evil)
    filled.fetch("UPDATE update_log SET title = %s, call_number_after = %s, queued_by = %s", evil, evil, evil)
    assert "<script>alert" not in viewer.get("/").text
