"""Open pages hear that there is something new, seldom enough, and are let go at once when the console stops."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue

import httpx
import pytest

from console import refresher
from runtime.console_settings import ConsoleSettings
from tests.fix_console import ConsoleClient, serving
from tests.fix_notifier import mark
from tests.fix_postgres import TestDatabase

LIMIT_SECONDS = 30.0
LOOK = "data: look"
LISTENING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%%max(update_log_id)%%' "
    "AND pid <> pg_backend_pid()"
)
PUSHED = (
    "INSERT INTO update_log (item_record_id, outcome, queued_at, queued_by, finished_by, attempts) "
    "VALUES (%s, 'pushed', now(), 'desk 1', 'n1', 1)"
)


@pytest.fixture(autouse=True)
def no_event_without_news(monkeypatch: pytest.MonkeyPatch) -> None:
    """Events come for a reason only."""
    monkeypatch.setattr(refresher, "QUIET_SECONDS", 3600.0)


@contextmanager
def listening(browser: ConsoleClient, port: int | None = None) -> Iterator[SimpleQueue[str]]:
    """The events that the browser hears, at that port if not at its own; `end` once they have ended."""
    heard: SimpleQueue[str] = SimpleQueue()
    origin = f"http://127.0.0.1:{port}" if port else browser.origin
    answer = stack_of(origin, browser)
    thread = threading.Thread(target=_hear, args=(answer, heard))
    thread.start()
    try:
        assert heard.get(timeout=LIMIT_SECONDS) == LOOK  # it looks once it listens
        yield heard
    finally:
        answer.extensions["network_stream"].get_extra_info("socket").shutdown(socket.SHUT_RDWR)
        thread.join(LIMIT_SECONDS)
        answer.close()


def stack_of(origin: str, browser: ConsoleClient) -> httpx.Response:
    """The answer that does not end."""
    asked = httpx.Request("GET", f"{origin}/events", headers={"Cookie": f"signum={browser.cookies['signum']}"})
    answer = httpx.Client(timeout=None, trust_env=False).send(asked, stream=True)
    assert answer.headers["content-type"].startswith("text/event-stream")
    return answer


def _hear(answer: httpx.Response, heard: SimpleQueue[str]) -> None:
    try:
        for line in answer.iter_lines():
            if line.startswith("data:"):
                heard.put(line)
    except (httpx.HTTPError, httpx.StreamError, OSError):
        pass
    heard.put("end")


def test_mark_and_push_are_heard_by_every_open_page(viewer: ConsoleClient, database: TestDatabase) -> None:
    with listening(viewer) as one, listening(viewer) as other:
        item = database.add_item(1)
        for change in (lambda: mark(database, item), lambda: database.fetch(PUSHED, item)):
            change()
            assert [heard.get(timeout=LIMIT_SECONDS) for heard in (one, other)] == [LOOK, LOOK]
        assert database.fetch(LISTENING) == [(1,)]


def test_there_is_at_most_one_event_a_second(viewer: ConsoleClient, database: TestDatabase) -> None:
    items = [database.add_item(number) for number in range(1, 30)]
    with listening(viewer) as heard:
        began = time.monotonic()
        for item in items:
            mark(database, item)
        heard.get(timeout=LIMIT_SECONDS)
        mark(database, items[0])
        heard.get(timeout=LIMIT_SECONDS)
        assert 2 + heard.qsize() <= (time.monotonic() - began) / refresher.BETWEEN_SECONDS + 2


def test_nothing_listens_once_no_page_is_open(
    viewer: ConsoleClient, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening(viewer):
        pass
    until = time.monotonic() + LIMIT_SECONDS
    while database.fetch(LISTENING) != [(0,)]:
        assert time.monotonic() < until
        mark(database, database.add_item(time.monotonic_ns() % 10**9))  # an event notices that the browser has gone


def test_events_end_at_once_when_the_console_stops(viewer: ConsoleClient, database: TestDatabase) -> None:
    with serving(ConsoleSettings(**database.settings())) as port:
        answer = stack_of(f"http://127.0.0.1:{port}", viewer)
        lines = answer.iter_lines()
        assert next(lines).startswith("retry")
    assert "end" not in list(lines)  # `serving` has the server end sooner than requests under way would


def test_lost_connection_is_made_anew(
    viewer: ConsoleClient, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresher, "AGAIN_SECONDS", 0.01)
    with listening(viewer) as heard:
        database.fetch(LISTENING.replace("count(*)", "pg_terminate_backend(pid)"))
        assert heard.get(timeout=LIMIT_SECONDS) == LOOK
