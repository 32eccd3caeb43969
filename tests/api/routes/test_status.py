"""A print station's report: it is stored, and answered with the state of the sync."""

from typing import Any

import pytest

from api.routes import status
from tests.fix_api import ApiClient, detail
from tests.fix_postgres import TestDatabase

REPORT = {"internal_hostname": "kirjasto-pc-12", "internal_ip_address": "192.168.1.12"}


def client(database: TestDatabase) -> tuple[Any, ...]:
    return database.fetch("SELECT internal_hostname, internal_ip_address, last_seen_at FROM client")[0]


@pytest.mark.parametrize("path", ["/status", "/status/"])
def test_report_sets_where_the_print_station_is_and_when_it_was_seen(
    printer: ApiClient, database: TestDatabase, path: str
) -> None:
    assert printer.post(path, data=REPORT).status_code == 200
    ((hostname, address, ago),) = database.fetch(
        "SELECT internal_hostname, internal_ip_address, now() - last_seen_at FROM client"
    )
    assert (hostname, address) == ("kirjasto-pc-12", "192.168.1.12")
    assert 0 <= ago.total_seconds() < 5


def test_report_is_answered_with_where_the_sync_stands(printer: ApiClient, database: TestDatabase) -> None:
    ((initialized_at,),) = database.fetch("SELECT initialized_at FROM sync_state")
    assert printer.post("/status", data=REPORT).json() == {
        "full_sync_completed_at": None,
        "initialized_at": initialized_at.isoformat(),
        "last_sync_run_completed_at": None,
        "sync_changes_since": None,
        "sync_mode": "SYNC_FULL",
    }


def test_times_have_a_numeric_offset(printer: ApiClient, database: TestDatabase) -> None:
    database.fetch("UPDATE sync_state SET sync_changes_since = '2026-11-20 12:00:00+02', sync_mode = 'SYNC_CHANGES'")
    answer = printer.post("/status", data=REPORT).json()
    assert answer["sync_mode"] == "SYNC_CHANGES"
    assert answer["sync_changes_since"] in ("2026-11-20T10:00:00+00:00", "2026-11-20T12:00:00+02:00")


def test_address_none_is_no_address(printer: ApiClient, database: TestDatabase) -> None:
    printer.post("/status", data=REPORT)
    assert printer.post("/status", data={**REPORT, "internal_ip_address": "None"}).status_code == 200
    assert client(database)[:2] == ("kirjasto-pc-12", None)


def test_repeated_report_writes_nothing(printer: ApiClient, database: TestDatabase) -> None:
    printer.post("/status", data=REPORT)
    version = "SELECT xmin::text, ctid::text FROM client"
    before = database.fetch(version)
    assert printer.post("/status", data=REPORT).status_code == 200
    assert database.fetch(version) == before


def test_new_address_is_written_at_once(printer: ApiClient, database: TestDatabase) -> None:
    printer.post("/status", data=REPORT)
    printer.post("/status", data={**REPORT, "internal_ip_address": "fe80::1%eth0"})
    assert client(database)[1] == "fe80::1%eth0"


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({}, "internal_hostname"),
        ({"internal_hostname": "a"}, "internal_ip_address"),
        ({"internal_ip_address": "a"}, "internal_hostname"),
        ({**REPORT, "internal_hostname": "a\0b"}, "internal_hostname"),
        ({**REPORT, "internal_hostname": "x" * 256}, "internal_hostname"),
        ({**REPORT, "internal_ip_address": "1.2.3.4\0"}, "internal_ip_address"),
    ],
)
def test_report_that_can_not_be_stored_is_a_422(
    printer: ApiClient, database: TestDatabase, form: dict[str, str], field: str
) -> None:
    answer = printer.post("/status", data=form)
    assert answer.status_code == 422
    assert ["body", field] in [problem["loc"] for problem in detail(answer)]
    assert client(database) == (None, None, None)


@pytest.mark.parametrize(
    "body", [b"\xff\xfe=%ED%A0%80", b"{}", b"&&&===", b"internal_hostname=%ED%A0%80&internal_ip_a"]
)
def test_garbage_is_a_422(printer: ApiClient, body: bytes) -> None:
    answer = printer.post("/status", content=body, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status_code == 422


def test_report_over_8_kib_is_too_long(printer: ApiClient) -> None:
    form = {**REPORT, "internal_hostname": "x" * 8192}
    answer = printer.post("/status", data=form)
    assert (answer.status_code, detail(answer)) == (413, "The report is longer than 8 KiB")


def test_key_is_checked_before_the_report_is_read(api: ApiClient) -> None:
    head = (
        b"POST /status HTTP/1.1\r\nHost: a\r\nConnection: close\r\nx-api-key: wrong\r\nContent-Length: 1000000\r\n\r\n"
    )
    assert api.raw(head).startswith(b"HTTP/1.1 403 ")


def test_report_that_comes_too_slowly_is_given_up(
    api: ApiClient, printer_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "BODY_SECONDS", 0.1)
    head = f"POST /status HTTP/1.1\r\nHost: a\r\nx-api-key: {printer_key}\r\nContent-Length: 100\r\n"
    assert api.raw(head.encode() + b"Connection: close\r\n\r\n" + b"internal_hostname").startswith(b"HTTP/1.1 408 ")
