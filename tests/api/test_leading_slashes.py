"""A path with several slashes in front is the path with one: clients put theirs behind a URL that ends in a slash."""

import gzip
import logging
from typing import Any

import httpx
import pytest

from tests.fix_api import ApiClient, StartApi
from tests.fix_batch import row, tsv
from tests.fix_postgres import TestDatabase

REPORT = {"internal_hostname": "a", "internal_ip_address": "None"}
UNKEYED = ["/", "/redoc", "/redoc/", "/openapi.json", "/healthz", "/healthz/", "/readiness", "/assets/favicon.png"]
FRONTS = ["/", "//", "/" * 50]


def ask(api: ApiClient, method: str, target: str, key: str = "", **more: Any) -> int:
    """The status of an answer to a request for exactly this target."""
    answer = httpx.request(
        method, f"http://127.0.0.1:{api.port}{target}", headers={"x-api-key": key}, trust_env=False, timeout=60, **more
    )
    return answer.status_code


@pytest.mark.parametrize("root_path", ["", "/signum"])
def test_every_route_answers_behind_any_number_of_slashes(
    start_api: StartApi, database: TestDatabase, printer_key: str, etl_key: str, root_path: str
) -> None:
    api = start_api(api_root_path=root_path)
    item = database.add_item(1, barcode="1231231230012")
    file = ("data.tsv.gz", gzip.compress(tsv([row(7)])), "application/gzip")
    batch = {"data": {"timestamp": "2026-11-20T12:00:00+02:00"}, "files": {"file": file}}
    answers: dict[tuple[str, ...], int] = {}
    for front in FRONTS:
        for path in UNKEYED:
            answers["GET", front + path] = ask(api, "GET", f"{front}{path}")
        for behind in ("", "/"):
            answers |= {
                ("read", front, behind): ask(api, "GET", f"{front}/itemdata/1231231230012{behind}", printer_key),
                ("mark", front, behind): ask(api, "PUT", f"{front}/itemdata/{item}{behind}", printer_key),
                ("report", front, behind): ask(api, "POST", f"{front}/status{behind}?a=b", printer_key, data=REPORT),
                ("ask what to send", front, behind): ask(api, "GET", f"{front}/sync{behind}", etl_key),
                ("send a batch", front, behind): ask(api, "POST", f"{front}/sync{behind}", etl_key, **batch),
            }
    assert answers == dict.fromkeys(answers, 200)
    assert database.fetch("SELECT revision FROM update_queue") == [(2 * len(FRONTS),)]


@pytest.mark.parametrize("target", ["//healthz", "http://a/healthz", "http://a//healthz", "http://a:80///healthz/"])
def test_target_with_a_host_in_front_is_not_taken_for_slashes(api: ApiClient, target: str) -> None:
    answer = api.raw(b"GET %b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % target.encode())
    assert answer.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "target",
    [
        *("//a/healthz", "//a:80/healthz", "http://a//b/healthz"),
        *(
            "/%2Fhealthz",
            "//%2Fhealthz",
            "/%2F/healthz",
            "%2Fhealthz",
            "/healthz//",
            "//redoc//",
            "/assets//favicon.png",
        ),
    ],
)
def test_other_slashes_stay_what_they_are(api: ApiClient, target: str) -> None:
    answer = api.raw(b"GET %b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % target.encode())
    assert answer[:12] in (b"HTTP/1.1 404", b"HTTP/1.1 400")
    assert b"location:" not in answer.lower()


def test_what_stands_behind_itemdata_is_checked_as_ever(
    api: ApiClient, database: TestDatabase, printer_key: str
) -> None:
    database.add_item(1, barcode="1231231230012")
    assert ask(api, "GET", "//itemdata//1231231230012", printer_key) == 422
    assert ask(api, "GET", "//itemdata/%2F1231231230012", printer_key) == 422


def test_log_has_the_plain_path(api: ApiClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "signum.api")
    assert ask(api, "GET", "///healthz") == 200
    assert ask(api, "GET", "/healthz") == 200
    about = [vars(record) for record in caplog.records if record.getMessage() == "request answered"]
    assert {one["path"] for one in about} == {"/healthz"}
