"""Every answer has what keeps browsers from harm, and every error is a page that says why."""

import socket

import pytest

from console import fields
from sandbox.postgres import free_port
from tests.fix_console import TOKEN, ConsoleClient, StartConsole
from tests.fix_postgres import TestDatabase

HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}


@pytest.mark.parametrize("path", ["/stations", "/sign-in", "/nothing", "/static/nothing.css"])
def test_answer_forbids_what_no_page_needs(admin: ConsoleClient, path: str) -> None:
    answer = admin.get(path)
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "server" not in answer.headers


def test_page_has_no_script_or_style_within_and_nothing_from_outside(admin: ConsoleClient) -> None:
    page = admin.page("/stations")
    assert "style=" not in page
    assert "<style" not in page
    assert "onclick" not in page
    assert page.count("<script") == page.count('<script src="/static/') == 1
    assert "http:" not in page.replace("http://www.w3.org", "")
    assert "https:" not in page


def test_files_are_kept_by_browsers_until_they_change(console: ConsoleClient) -> None:
    for name in ("console.css", "console.js", "icon.svg"):
        assert "immutable" in console.get(f"/static/{name}").headers["cache-control"]
    assert "/static/console.css?v=" in console.page("/sign-in")


def test_first_load_is_small(admin: ConsoleClient) -> None:
    files = [admin.get(f"/static/{name}").content for name in ("console.css", "console.js", "icon.svg")]
    assert sum(map(len, [admin.get("/stations").content, *files])) < 40_000


def test_address_that_is_none_is_told_in_the_frame_of_a_page(admin: ConsoleClient) -> None:
    answer = admin.get("/nothing")
    assert (answer.status_code, "<main" in answer.text) == (404, True)


def test_database_that_is_away_is_told_on_the_page(start_console: StartConsole) -> None:
    answer = start_console(db_port=free_port()).get("/stations")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "The database can" in answer.text


def test_statement_that_takes_too_long_is_ended(admin: ConsoleClient, database: TestDatabase) -> None:
    with database.connect() as holder, holder.transaction():
        holder.execute("LOCK TABLE client IN ACCESS EXCLUSIVE MODE")
        assert admin.get("/stations").status_code == 503
    assert admin.get("/stations").status_code == 200


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "\"'><img src=x>", "{{ 7*7 }}", "%(name)s %s"])
def test_names_from_outside_are_shown_as_they_are(admin: ConsoleClient, database: TestDatabase, text: str) -> None:
    page = admin.act("/stations", act="add", name=text, type="etl")
    raw = admin.get("/stations").text
    assert text in page
    assert "<script>alert" not in raw
    assert "<img" not in raw


def form(browser: ConsoleClient) -> dict[str, str]:
    token = TOKEN.search(browser.get("/stations").text)
    assert token
    return {"form_token": token[1], "act": "add", "type": "etl"}


def test_form_that_is_too_large_or_none_is_refused(admin: ConsoleClient, database: TestDatabase) -> None:
    origin = {"Origin": admin.origin}
    assert admin.post_form("/stations", **form(admin), name="a" * (1 << 20)).status_code == 413
    assert admin.post("/stations", json=form(admin), headers=origin).status_code == 415
    assert admin.post("/stations", data={**form(admin), "name": "a\0b"}, headers=origin).status_code == 400
    many = {f"n{number}": "" for number in range(fields.MOST_FIELDS + 1)}
    assert admin.post("/stations", data={**form(admin), **many}, headers=origin).status_code == 400
    assert database.fetch("SELECT count(*) FROM act") == [(0,)]


def test_endless_form_is_refused_before_it_fills_the_memory(console: ConsoleClient) -> None:
    head = f"POST /stations HTTP/1.1\r\nHost: a\r\nContent-Type: {fields.FORM}\r\nTransfer-Encoding: chunked\r\n\r\n"
    piece = b"10000\r\n" + b"a" * 65536 + b"\r\n"
    with socket.create_connection(("127.0.0.1", console.base_url.port or 0), timeout=30) as wire:
        wire.sendall(head.encode())
        for _ in range(fields.MOST_BYTES // 65536 + 1):
            wire.sendall(piece)
        assert wire.recv(65536).startswith(b"HTTP/1.1 413")


def test_form_that_dawdles_is_given_up(admin: ConsoleClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fields, "MOST_SECONDS", 0.1)
    head = f"POST /stations HTTP/1.1\r\nHost: a\r\nContent-Type: {fields.FORM}\r\nContent-Length: 9\r\n\r\na"
    with socket.create_connection(("127.0.0.1", admin.base_url.port or 0), timeout=30) as wire:
        wire.sendall(head.encode())
        assert wire.recv(65536).startswith(b"HTTP/1.1 408")


def test_console_works_below_a_root_path(start_console: StartConsole) -> None:
    console = start_console(console_root_path="/tarrat")
    assert console.get("/stations").headers["location"] == "/tarrat/sign-in?to=/tarrat/stations"
    assert 'href="/tarrat/static/console.css' in console.page("/sign-in")


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("fi", "Lomake ei ole enää voimassa"), ("sv", "Formuläret gäller inte längre"), ("en", "")],
)
def test_error_that_a_person_meets_is_told_in_the_browsers_language(
    console: ConsoleClient, language: str, sentence: str
) -> None:
    console.headers["Accept-Language"] = language
    answer = console.post_form("/sign-in", form_token="old", key="")
    assert (answer.status_code, sentence in answer.text) == (403, True)
    assert ('<p lang="en">' in answer.text) == (language == "en")
