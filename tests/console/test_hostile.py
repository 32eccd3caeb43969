"""A form that no page of ours sends is refused with a page that says why, and is no error of ours in the log."""

import itertools
import logging
import socket
from base64 import urlsafe_b64encode
from collections.abc import Sequence

import httpx
import pytest

from console.pages import queue
from db import queue_filter
from db.queue import Connection
from db.queue_filter import Row
from runtime.console_settings import ConsoleSettings
from tests.fix_console import TOKEN, ConsoleClient, serving
from tests.fix_notifier import mark
from tests.fix_postgres import TestDatabase

LIMIT_SECONDS = 30
WENT_AWAY = "browser went away before its form was complete"
FORM = "POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"


@pytest.fixture(autouse=True)
def no_errors(caplog: pytest.LogCaptureFixture) -> None:
    """Have each test hear errors: a refusal is none."""
    caplog.set_level(logging.INFO, "signum.console")


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize(
    "address",
    ["/acts?before=", "/queue?after=", "/history?before=", "/queue/act?act=retry&id=", "/history/undo?act=undo&id="],
)
def test_number_that_is_none_is_refused(
    operator: ConsoleClient, caplog: pytest.LogCaptureFixture, address: str
) -> None:
    for odd in ("9" * 5000, "9" * 19, "-1", "1_0", "%00", "%C2%B2", "%F0%9F%98%80", "%FF"):
        assert operator.get(address + odd).status_code == 400, odd
    assert errors(caplog) == []


def test_origin_that_is_none_is_another_site(console: ConsoleClient, caplog: pytest.LogCaptureFixture) -> None:
    token = TOKEN.search(console.get("/sign-in").text)
    assert token
    host = console.origin.removeprefix("http://")
    for origin in ("http://[", "http://[::1", "://", "http://", host, f"//{host}", f"http://{host}@evil.example"):
        answer = console.post("/sign-in", data={"form_token": token[1]}, headers={"Origin": origin})
        assert (answer.status_code, "another site" in answer.text) == (403, True), origin
    assert errors(caplog) == []


def test_browser_that_hangs_up_amid_its_form_is_no_error(
    database: TestDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        serving(ConsoleSettings(**database.settings())) as port,
        socket.create_connection(("127.0.0.1", port)) as browser,
    ):
        browser.sendall(FORM.encode() + b"Content-Length: 9\r\n\r\nkey=")
        browser.shutdown(socket.SHUT_WR)
        browser.settimeout(LIMIT_SECONDS)
        assert browser.recv(1) == b""
    assert [record.getMessage() for record in caplog.records if record.name == "signum.console"] == [WENT_AWAY]


def test_notice_that_the_console_has_not_left_is_not_shown(
    viewer: ConsoleClient, caplog: pytest.LogCaptureFixture
) -> None:
    for forged in ('["Call 555 for a new key", true, null]', "1", "null", '["\\ud800", true, null]', "[" * 2000):
        value = urlsafe_b64encode(forged.encode()).decode()
        answer = viewer.get(
            "/stations", headers={"Cookie": f"signum={viewer.cookies['signum']}; signum_notice={value}"}
        )
        assert (answer.status_code, "Call 555" in answer.text) == (200, False), forged
    assert errors(caplog) == []


def test_download_that_the_database_breaks_off_is_cut_and_is_no_error(
    viewer: ConsoleClient, database: TestDatabase, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark(database, *(database.add_item(number) for number in range(1001, 1010)))
    monkeypatch.setattr(queue, "PORTION", 3)
    portions = itertools.count(1)

    async def show_items(connection: Connection, ids: Sequence[int]) -> list[Row]:
        if next(portions) > 1:
            await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return await queue_filter.show_items(connection, ids)

    monkeypatch.setattr(queue, "show_items", show_items)
    with pytest.raises(httpx.TransportError):  # or a spreadsheet would show a part as the whole
        viewer.get("/queue.csv")
    assert viewer.get("/healthz").status_code == 200
    assert errors(caplog) == []
    assert [record.levelname for record in caplog.records if "download broke off" in record.message] == ["WARNING"]


def test_act_whose_commit_has_no_answer_is_not_called_undone(admin: ConsoleClient, database: TestDatabase) -> None:
    database.fetch(
        "CREATE FUNCTION end_session() RETURNS trigger LANGUAGE plpgsql AS "
        "$$BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END$$"
    )
    database.fetch(
        "CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON act DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION end_session()"
    )
    answer = admin.submit("/stations", act="add", name="desk 9", type="etl")
    assert (answer.status_code, "It is not known whether this was done" in answer.text) == (503, True), answer.text
    assert "notice good" not in admin.get("/stations").text
    database.fetch("DROP TRIGGER at_commit ON act")
    assert "desk 9 is added" in admin.act("/stations", act="add", name="desk 9", type="etl")


@pytest.mark.parametrize("path", ["/stations", "/people"])
def test_name_longer_than_any_is_refused_at_every_act(admin: ConsoleClient, database: TestDatabase, path: str) -> None:
    for act in ("add", "rotate", "revoke"):
        said = admin.act(path, act=act, name="n" * 100_000, type="etl", role="viewer")
        assert "A name has 1 to 100 printable characters" in said, act
    assert database.fetch("SELECT count(*) FROM act") == [(0,)]


@pytest.mark.parametrize("barcode", ["a/b", "a?b", "a#b", "a%41", "a b+c", "ä\\b", "//evil.example"])
def test_item_is_found_and_acted_on_whatever_its_barcode_is(
    operator: ConsoleClient, database: TestDatabase, barcode: str
) -> None:
    item = database.add_item(1001, barcode=barcode)
    address = operator.get("/item", params={"of": barcode}).headers["location"]
    assert address.startswith("/item/")
    assert barcode in operator.page(address)
    assert "Marked: it is written to Sierra next" in operator.act(address, act="mark", item_record_id=item)
