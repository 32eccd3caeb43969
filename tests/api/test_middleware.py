"""Every answer has an id, and a bug of ours is a 500 that shows nothing of it."""

import logging
import socket
from collections.abc import AsyncIterator
from logging.handlers import QueueHandler
from queue import SimpleQueue

import pytest
from starlette.responses import StreamingResponse

from tests.fix_api import ApiClient, detail


async def fall_over() -> None:
    raise RuntimeError("the wheel came off at item 42")


@pytest.mark.parametrize("path", ["/", "/healthz", "/openapi.json", "/nowhere", "/itemdata/1", "/assets/nothing.js"])
def test_every_answer_has_a_request_id(api: ApiClient, path: str) -> None:
    first, second = api.get(path).headers["X-Request-ID"], api.get(path).headers["X-Request-ID"]
    assert len(first) == 32
    assert first != second


def test_request_id_of_the_client_is_kept_if_it_is_sane(api: ApiClient) -> None:
    for given, is_kept in {
        "desk-1.42_a": True,
        "x" * 64: True,
        "x" * 65: False,
        "a b": False,
        "ä": False,
        "": False,
    }.items():
        answer = api.get("/healthz", headers=[(b"x-request-id", given.encode())])
        assert (answer.headers["X-Request-ID"] == given) is is_kept


def test_no_answer_is_taken_by_a_browser_for_what_it_does_not_say_it_is(printer: ApiClient) -> None:
    printer.app.add_api_route("/bug", fall_over)
    statuses = {}
    for path in (
        "/",
        "/redoc",
        "/openapi.json",
        "/assets/favicon.png",
        "/healthz",
        "/nowhere",
        "/sync",
        "/itemdata/1",
        "/bug",
    ):
        answer = printer.get(path)
        statuses[path] = answer.status_code
        assert answer.headers.get_list("X-Content-Type-Options") == ["nosniff"], path
    assert set(statuses.values()) == {200, 403, 404, 422, 500}
    assert b"\r\nx-content-type-options: nosniff\r\n" in printer.raw(b"no HTTP\r\n\r\n").lower()


def test_bug_is_logged_once_with_the_request_id_and_the_client_sees_no_traceback(
    api: ApiClient, caplog: pytest.LogCaptureFixture
) -> None:
    api.app.add_api_route("/bug", fall_over)
    answer = api.get("/bug", headers={"X-Request-ID": "bug-1"})
    assert (answer.status_code, answer.headers["X-Request-ID"]) == (500, "bug-1")
    assert "X-Request-ID" in detail(answer)
    assert "wheel" not in answer.text
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.exc_info is not None
    assert "the wheel came off" in str(record.exc_info[1])
    assert api.get("/healthz").status_code == 200


def test_answer_that_breaks_off_is_cut_and_logged_once(api: ApiClient, caplog: pytest.LogCaptureFixture) -> None:
    async def begin_and_fall_over() -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"begin"
            raise RuntimeError("the wheel came off")

        return StreamingResponse(pieces())

    api.app.add_api_route("/bug", begin_and_fall_over)
    answer = api.raw(b"GET /bug HTTP/1.1\r\nHost: a\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert not answer.endswith(b"0\r\n\r\n")
    assert len([record for record in caplog.records if record.levelno >= logging.ERROR]) == 1


ODD_PATHS = [
    *(b"/%00", b"/%ED%A0%80", b"/\xc3\xa4", b"/redoc%00", b"/status%ED%A0%80"),
    *(
        b"/assets/%00",
        b"/assets/%ED%A0%80",
        b"/assets/../app.py",
        b"/assets/%2e%2e/consts.py",
        b"/assets/" + b"a" * 4000,
    ),
]
ODD_HEADERS = [
    *(b"x-api-key: \xed\xa0\x80", b"x-api-key: \0", b"x-request-id: \xff", b"sentry-trace: \xff-\xfe"),
    *(b"content-type: \xff", b"cookie: \xff=\xfe", b"content-length: -1", b"content-length: 1e9"),
]


def test_odd_path_is_no_bug(api: ApiClient, caplog: pytest.LogCaptureFixture) -> None:
    for path in ODD_PATHS:
        answer = api.raw(b"GET " + path + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert answer[:12] in (b"HTTP/1.1 404", b"HTTP/1.1 400"), path
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_odd_header_is_no_bug(printer: ApiClient, caplog: pytest.LogCaptureFixture) -> None:
    for request_line in (b"GET /itemdata/1231231230012", b"PUT /itemdata/1", b"POST /status"):
        for header in ODD_HEADERS:
            lines = [request_line + b" HTTP/1.1", b"Host: a", b"Connection: close", header]
            if not header.startswith(b"x-api-key"):
                lines.append(b"x-api-key: " + printer.headers["x-api-key"].encode())
            answer = printer.raw(b"\r\n".join((*lines, b"", b"")))
            assert answer[:10] == b"HTTP/1.1 4", (request_line, header)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_client_that_goes_away_is_no_bug(api: ApiClient, printer_key: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "signum")
    head = f"POST /status HTTP/1.1\r\nHost: a\r\nx-api-key: {printer_key}\r\nContent-Length: 100\r\n\r\n"
    with socket.create_connection(("127.0.0.1", api.port)) as wire:
        wire.sendall(head.encode() + b"internal_hostname=")
        assert api.get("/healthz").status_code == 200
    assert api.get("/readiness").status_code == 200
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("path", ["/healthz", "/itemdata/1231231230012", "/status/"])
def test_wrong_method_is_a_405(api: ApiClient, path: str) -> None:
    answer = api.delete(path)
    assert (answer.status_code, detail(answer)) == (405, "Method Not Allowed")


TITLES = {  # of RFC 9110: those of Python differ by its version
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    413: "Content Too Large",
    422: "Unprocessable Content",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("DELETE", "/healthz", 405), ("GET", "/sync", 403), ("GET", "/itemdata/12", 422)],
)
def test_problem_says_what_it_is(printer: ApiClient, method: str, path: str, status: int) -> None:
    answer = printer.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    said = {"type": "about:blank", "title": TITLES[status], "status": status}
    assert answer.json() == {**said, "detail": detail(answer)}


def test_title_is_one_text_whatever_python_it_is(api: ApiClient) -> None:
    described: dict[int, set[str]] = {}
    for methods in api.get("/openapi.json").json()["paths"].values():
        for response in (response for found in methods.values() for response in found["responses"].items()):
            for content in response[1]["content"].values():
                if "title" in content.get("example", {}):
                    described.setdefault(int(response[0]), set()).add(content["example"]["title"])
    assert described == {status: {TITLES[status]} for status in described}
    assert {401, 403, 404, 408, 409, 413, 422, 503} <= described.keys()


def test_request_is_one_line_in_the_log_at_debug(api: ApiClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "signum.api")
    heard: SimpleQueue[logging.LogRecord] = SimpleQueue()
    ear = QueueHandler(heard)
    logging.getLogger("signum.api").addHandler(ear)
    api.get("/healthz?secret=1")
    about = vars(heard.get(timeout=5))
    logging.getLogger("signum.api").removeHandler(ear)
    assert (about["method"], about["path"], about["status"]) == ("GET", "/healthz", 200)
    assert float(about["ms"]) > 0
