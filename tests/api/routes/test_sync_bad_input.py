"""Uploads that are broken, hostile or given up leave nothing stored, and the answer says why."""

import contextlib
import gzip
import shutil
import socket
import sys
import zlib
from collections.abc import Iterator
from itertools import product
from typing import Any

import psycopg
import pytest

from api.ingest.rows import COLUMNS
from api.routes import sync as sync_routes
from tests.fix_api import ApiClient, StartApi, detail, read_answer
from tests.fix_batch import TIMESTAMP, Send, heading, row, tsv
from tests.fix_postgres import TestDatabase

MIB = 1024 * 1024
BOUNDARY = "limit"
FORM = f"multipart/form-data; boundary={BOUNDARY}"


def head(path: str = "/sync", **headers: str) -> bytes:
    """The head of a request, byte for byte."""
    lines = (f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{''.join(lines)}\r\n".encode()


def upload(key: str, packed: bytes) -> bytes:
    """An upload, byte for byte."""
    parts = (("file", packed), ("timestamp", TIMESTAMP.encode()))
    body = b"".join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + content + b"\r\n"
        for name, content in parts
    )
    body += f"--{BOUNDARY}--\r\n".encode()
    return head(x_api_key=key, Content_Type=FORM, Content_Length=str(len(body)), Connection="close") + body


@pytest.fixture(autouse=True)
def nothing_is_stored(database: TestDatabase) -> Iterator[None]:
    """Whatever these tests send, the catalogue stays empty and the sync where it was."""
    position = "SELECT sync_mode, last_synced_id, sync_changes_since, last_sync_run_completed_at FROM sync_state"
    before = database.fetch(position)
    yield
    assert database.fetch("SELECT count(*) FROM sierra_item") == [(0,)]
    assert database.fetch("SELECT count(*) FROM rejected_row") == [(0,)]
    assert database.fetch(position) == before


def test_only_the_etl_s_key_opens_it(api: ApiClient, printer_key: str) -> None:
    for method, path in product(("GET", "POST"), ("/sync", "/sync/")):
        assert api.request(method, path).status_code == 401
        for wrong in (printer_key, "unknown"):
            answer = api.request(method, path, headers={"x-api-key": wrong})
            assert (answer.status_code, detail(answer)) == (403, "Invalid x-api-key")


def test_key_is_checked_before_any_byte_of_the_body_is_read(api: ApiClient, printer_key: str) -> None:
    sent = head(x_api_key=printer_key, Content_Length="1000000", Connection="close")
    assert b" 403 " in api.raw(sent).partition(b"\r\n")[0]


PACKED = gzip.compress(tsv([row(number) for number in range(200)]))


BAD_FILES = [
    (tsv([row(1)]), "not gzip"),
    (b"", "cut off"),
    (PACKED[: len(PACKED) // 2], "cut off"),
    (PACKED[:-4], "cut off"),
    (PACKED[:200] + b"xxxxxxxx" + PACKED[208:], "damaged"),
]
BAD_CONTENTS = [
    (b"", "no header"),
    (tsv([row(1)]).partition(b"\n")[2], "lacks item_record_id"),
    (tsv([], [column for column in COLUMNS if column != "barcode"]), "lacks barcode"),
    (tsv([], [*COLUMNS, "barcode"]), "more than one barcode"),
    (tsv([row(1, best_title="Yö")]).decode().encode("latin-1"), "line 2 is not UTF-8"),
    (tsv([row(1)]) + b'1\t"never closed\n', "a quote is never closed"),
    (tsv([row(1), row(2, shelfmark_json=heading("x" * MIB))]), "over 1 MiB"),
]


def test_file_that_can_not_be_unpacked_is_refused(send: Send, subtests: pytest.Subtests) -> None:
    for packed, reason in BAD_FILES:
        with subtests.test(reason):
            answer = send(packed=packed)
            assert answer.status_code == 400
            assert reason in detail(answer)


def test_file_whose_rows_can_not_be_told_apart_is_refused(send: Send, subtests: pytest.Subtests) -> None:
    for content, reason in BAD_CONTENTS:
        with subtests.test(reason):
            answer = send(content)
            assert answer.status_code == 400
            assert reason in detail(answer)


def ten_gigabytes_of(data: bytes) -> bytes:
    """Some 10 MB of gzip: 64 MiB of it, packed once, again and again."""
    packer = zlib.compressobj(9, wbits=31)
    member = packer.compress(data * (64 * MIB // len(data))) + packer.flush()
    return member * 160


def test_ten_gigabytes_of_zeros_stop_at_the_first_record(send: Send) -> None:
    packed = ten_gigabytes_of(b"\0")
    assert 9_000_000 < len(packed) < 12_000_000
    answer = send(packed=gzip.compress(tsv([row(1)])) + packed)
    assert answer.status_code == 400
    assert "over 1 MiB" in detail(answer)


def test_ten_gigabytes_of_rows_stop_at_the_limit(start_api: StartApi, etl_key: str) -> None:
    api = start_api(sync_unpacked_limit_mib=8)
    packed = gzip.compress(tsv([])) + ten_gigabytes_of(b"\t" * 12 + b"x" * 5000 + b"\n")
    answer = api.post(
        "/sync", data={"timestamp": TIMESTAMP}, files={"file": packed}, headers={"x-api-key": etl_key}, timeout=60
    )
    assert (answer.status_code, detail(answer)) == (413, "the file unpacks to more than 8 MiB")


@pytest.mark.parametrize("in_chunks", [False, True])
def test_upload_that_is_too_large_is_refused(start_api: StartApi, etl_key: str, in_chunks: bool) -> None:
    api = start_api(sync_upload_limit_mib=1)
    size = {"Transfer_Encoding": "chunked"} if in_chunks else {"Content_Length": str(2 * MIB)}
    body = b'--limit\r\nContent-Disposition: form-data; name="file"\r\n\r\n' + b"x" * MIB
    sent = head(x_api_key=etl_key, Content_Type=FORM, Connection="close", **size)
    answer = api.raw(sent + (b"%x\r\n" % len(body) + body if in_chunks else b""))
    assert b" 413 " in answer.partition(b"\r\n")[0]
    assert b"larger than 1 MiB" in answer


BAD_TIMESTAMPS = [
    "",
    "yesterday",
    "2026-11-20T12:00:00",
    "2026-11-20",
    "2026-02-30T12:00:00+02:00",
    "2026-11-20T25:00:00+02:00",
    "1700000000",
    "1700000000.5",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-12:00",
    "2026-11-20T12:00:00+02:00" + " " * 100,
    "\0",
]


def test_timestamp_that_is_no_point_in_time_is_refused(send: Send, subtests: pytest.Subtests) -> None:
    for timestamp in BAD_TIMESTAMPS:
        with subtests.test(timestamp):
            answer = send([row(1)], timestamp=timestamp)
            assert answer.status_code == 422
            assert detail(answer)[0]["loc"] == ["body", "timestamp"]


INCOMPLETE_FORMS: list[tuple[dict[str, Any], str]] = [
    ({"files": {"file": gzip.compress(tsv([row(1)]))}}, "timestamp"),
    ({"data": {"timestamp": TIMESTAMP}, "files": {"other": b""}}, "file"),
    ({"data": {"timestamp": TIMESTAMP}}, "file"),
    ({}, "file"),
]


def test_missing_field_is_named(etl: ApiClient, subtests: pytest.Subtests) -> None:
    for form, missing in INCOMPLETE_FORMS:
        with subtests.test(missing):
            answer = etl.post("/sync", **form)
            assert answer.status_code == 422
            assert detail(answer)[0]["loc"] == ["body", missing]


def wait_for_batch(etl: ApiClient) -> None:
    """Return when a batch is being taken in; the test's own limit bounds it."""
    while etl.get("/sync").json()["sync_status"] == "idle":
        pass


def wait_for_the_end_of_the_batch(database: TestDatabase) -> None:
    """Return when its lock is free, and with it whatever it had written is gone."""
    with psycopg.connect(**database.parameters) as connection:
        connection.execute("SET lock_timeout = '20s'")
        connection.execute("SELECT pg_advisory_xact_lock(1398361667)")


HELD_BACK = 1000


@contextlib.contextmanager
def upload_under_way(etl: ApiClient, key: str) -> Iterator[socket.socket]:
    """An upload that hangs just before its end."""
    with socket.create_connection(("127.0.0.1", etl.port), timeout=20) as wire:
        wire.sendall(upload(key, PACKED)[:-HELD_BACK])
        wait_for_batch(etl)
        yield wire


def test_client_that_goes_away_leaves_nothing_behind(etl: ApiClient, etl_key: str, database: TestDatabase) -> None:
    with upload_under_way(etl, etl_key):
        pass
    wait_for_the_end_of_the_batch(database)


def test_upload_beside_one_under_way_is_refused_without_a_process_of_its_own_however_long_it_is(
    etl: ApiClient, etl_key: str, send: Send, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    with upload_under_way(etl, etl_key):
        monkeypatch.setattr(sys, "executable", shutil.which("false"))
        answer = send(packed=bytes(8 * MIB))
    assert (answer.status_code, detail(answer)) == (409, "another batch is being taken in")
    wait_for_the_end_of_the_batch(database)


def test_batch_that_is_not_in_by_the_deadline_is_rolled_back(
    etl: ApiClient, etl_key: str, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync_routes, "DEADLINE_SECONDS", 2)
    with upload_under_way(etl, etl_key) as wire:
        answer = read_answer(wire)
    assert b" 503 " in answer.partition(b"\r\n")[0]
    assert b"timed out after 2 s" in answer
    wait_for_the_end_of_the_batch(database)


def test_database_that_goes_away_is_told_as_such(etl: ApiClient, etl_key: str, database: TestDatabase) -> None:
    with upload_under_way(etl, etl_key) as wire:
        ended = database.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'signum sync' AND datname = current_database()"
        )
        assert ended == [(True,)]
        wire.sendall(upload(etl_key, PACKED)[-HELD_BACK:])
        answer = read_answer(wire)
    assert b" 503 " in answer.partition(b"\r\n")[0]
    assert b"database does not answer" in answer


def test_ingest_process_that_dies_while_it_is_sent_much_is_a_503(
    send: Send, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    assert send([row(number) for number in range(20_000)]).status_code == 503
    assert "ended with code 1" in caplog.text
