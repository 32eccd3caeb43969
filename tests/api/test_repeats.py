"""In an outage the log has each mark that was not made, and of everything else a line a minute."""

import logging
from collections.abc import Callable

import pytest

from api.app import make_app
from api.repeats import MOST_KINDS, REPEATS_SECONDS, Repeats
from runtime.settings import ApiSettings
from sandbox.postgres import free_port
from tests.fix_api import ApiClient, serving
from tests.fix_postgres import TestDatabase

REPORT = {"internal_hostname": "a", "internal_ip_address": "None"}
KEY = {"x-api-key": "sig_nobody-has-this-key"}
NO_HTTP = b"\x16\x03\x01 hello\r\n\r\n"


class Clock:
    """An event loop's `call_later` whose minutes end when a test says so."""

    def __init__(self) -> None:
        self._due: list[Callable[[], object]] = []

    def call_later(self, delay: float, callback: Callable[[], object]) -> None:
        assert delay == REPEATS_SECONDS
        self._due.append(callback)

    def end_minute(self) -> None:
        due, self._due = self._due, []
        for callback in due:
            callback()


def test_line_is_said_at_once_and_then_once_a_minute_while_it_goes_on() -> None:
    clock, told = Clock(), list[int]()
    repeats = Repeats(clock.call_later)
    assert [repeats.is_first("a", told.append) for _ in range(4)] == [True, False, False, False]
    assert told == []
    clock.end_minute()
    assert [repeats.is_first("a", told.append), told] == [False, [3]]
    clock.end_minute()
    assert told == [3, 1]
    clock.end_minute()
    assert told == [3, 1], "none were held back"
    assert repeats.is_first("a", told.append)


def test_kinds_do_not_hold_each_other_back() -> None:
    repeats = Repeats(Clock().call_later)
    assert [repeats.is_first(kind, print) for kind in ("a", "b", ("a", "b"))] == [True] * 3


def test_kinds_have_a_bound_and_the_log_says_what_was_left_out(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    repeats = Repeats(clock.call_later)
    assert sum(repeats.is_first(number, print) for number in range(2 * MOST_KINDS)) == MOST_KINDS
    clock.end_minute()
    assert [record.getMessage() for record in caplog.records] == [
        f"{MOST_KINDS} more lines of other kinds were left out within {REPEATS_SECONDS} s"
    ]
    clock.end_minute()
    assert repeats.is_first(MOST_KINDS, print)


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """Lines of the log from WARNING on, as a process has them: the paths or routes, and the texts."""

    def lines() -> list[str]:
        found = (one for one in caplog.records if one.levelno >= logging.WARNING and one.name != "psycopg.pool")
        return [f"{getattr(one, 'path', '') or getattr(one, 'route', '')} {one.getMessage()}".strip() for one in found]

    return lines


def test_outage_is_a_line_for_each_mark_and_one_for_each_other_route(
    database: TestDatabase, warnings: Callable[[], list[str]]
) -> None:
    settings = ApiSettings(**{**database.settings(), "db_port": free_port()})
    with serving(make_app(settings)) as api:
        for number in range(3):
            statuses = [
                api.get(f"/itemdata/123123123001{number}", headers=KEY).status_code,
                api.post("/status", data=REPORT, headers=KEY).status_code,
                api.put(f"/itemdata/{number}", headers=KEY).status_code,
                api.get("/readiness").status_code,
            ]
            assert statuses == [503] * 4
        said = [line.partition(" the database")[0] for line in warnings()]
    assert said == [
        "/itemdata/1231231230010 request was not done,",
        "/status request was not done,",
        "/itemdata/0 request was not done,",
        "/readiness request was not done,",
        "/itemdata/1 request was not done,",
        "/itemdata/2 request was not done,",
    ]
    assert [line.partition(" the database")[0] for line in warnings()[6:]] == [
        "/itemdata/{barcode} 2 more requests were not done within 60 s,",
        "/status 2 more requests were not done within 60 s,",
        "/readiness 2 more requests were not done within 60 s,",
    ], "told at the stop at the latest"


def test_refused_key_is_a_line_a_minute(api: ApiClient, warnings: Callable[[], list[str]]) -> None:
    for _ in range(3):
        assert api.get("/itemdata/1231231230012", headers=KEY).status_code == 403
        assert api.put("/itemdata/1", headers=KEY).status_code == 403
    assert warnings() == ["x-api-key refused: unknown"]


def test_refused_mark_of_a_client_that_is_known_has_a_line_with_its_item(
    api: ApiClient, database: TestDatabase, printer_key: str, warnings: Callable[[], list[str]]
) -> None:
    database.fetch("UPDATE client SET revoked_at = now()")
    for number in range(3):
        assert api.put(f"/itemdata/{number}", headers={"x-api-key": printer_key}).status_code == 403
        assert api.get("/itemdata/1231231230012", headers={"x-api-key": printer_key}).status_code == 403
    assert warnings() == [
        "/itemdata/0 x-api-key refused: revoked",
        "x-api-key refused: revoked",
        "/itemdata/1 x-api-key refused: revoked",
        "/itemdata/2 x-api-key refused: revoked",
    ]


def test_bug_is_one_traceback_a_minute(api: ApiClient, warnings: Callable[[], list[str]]) -> None:
    async def fall_over(which: str) -> None:
        if which == "a":
            raise RuntimeError("the wheel came off")
        raise RuntimeError("so did the other one")

    api.app.add_api_route("/bug/{which}", fall_over, methods=["GET", "PUT"])
    for which in "aabb":
        assert api.get(f"/bug/{which}").status_code == 500
    for which in "aa":
        assert api.put(f"/bug/{which}").status_code == 500
    assert warnings() == [f"/bug/{which} request failed" for which in "abaa"]


def test_what_is_no_http_is_a_line_a_minute(api: ApiClient, warnings: Callable[[], list[str]]) -> None:
    for _ in range(3):
        assert api.raw(NO_HTTP).startswith(b"HTTP/1.1 400 ")
    assert warnings() == ["Invalid HTTP request received."]
