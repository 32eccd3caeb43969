"""Bytes that no HTTP library would send are refused or dropped, nothing is stored, and the next client is served."""

import gzip
import socket

import pytest

from tests.fix_api import ApiClient
from tests.fix_batch import row, tsv
from tests.fix_postgres import TestDatabase

FIELD = b'--b\r\nContent-Disposition: form-data; name="timestamp"\r\n\r\n2026-11-20T12:00:00+02:00\r\n'
FILE = b'--b\r\nContent-Disposition: form-data; name="file"; filename="data.tsv.gz"\r\n\r\n%s\r\n' % gzip.compress(
    tsv([row(1)])
)
END = b"--b--\r\n"
BOUNDARY = "Content-Type: multipart/form-data; boundary=b"


def request(key: str, body: bytes, *headers: str, path: str = "/sync", length: int | None = None) -> bytes:
    """A POST of these bytes; `length` is what it says of them, -1: nothing."""
    said = len(body) if length is None else length
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"x-api-key: {key}", "Connection: close", *headers]
    if said >= 0:
        lines.append(f"Content-Length: {said}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def status_of(answer: bytes) -> int:
    """0 where the connection ended without an answer."""
    return int(answer.split(b" ", 2)[1]) if answer else 0


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        (FIELD + FILE + END, [BOUNDARY], {200}),
        (FILE + FIELD + END, [BOUNDARY], {200}),
        (FIELD + FILE + END, ["Content-Type: multipart/form-data; boundary=c"], {400}),
        (FIELD + FILE + END, ["Content-Type: multipart/form-data"], {400, 422}),
        (FIELD + FILE + END, ["Content-Type: multipart/form-data; boundary="], {400, 422}),
        (FIELD + FILE + END, ["Content-Type: text/plain"], {400, 415, 422}),
        (FIELD + FILE, [BOUNDARY], {400}),
        (FIELD + FILE[:40], [BOUNDARY], {400}),
        (FIELD + FILE + FILE + END, [BOUNDARY], {422}),
        (FIELD + FIELD + FILE + END, [BOUNDARY], {422}),
        (gzip.compress(FIELD + FILE + END), [BOUNDARY, "Content-Encoding: gzip"], {400, 415}),
        (b"zzz\r\ngarbage", [BOUNDARY, "Transfer-Encoding: chunked"], {400, 0}),
        (b"5\r\nabc\r\n0\r\n\r\n", [BOUNDARY, "Transfer-Encoding: chunked"], {400, 0}),
        (b"ffffffffffffffffff\r\n", [BOUNDARY, "Transfer-Encoding: chunked"], {400, 0}),
        (FIELD + FILE + END, [BOUNDARY, "X-Long: " + "x" * 100_000], {200, 400, 431, 0}),
        (b"", [BOUNDARY], {400, 422}),
        (b"\0" * 5000, [BOUNDARY], {400}),
        (b"--b\r\n" + b"x: y\r\n" * 5000, [BOUNDARY], {400}),
    ],
    ids=(
        "right",
        "field after the file",
        "wrong boundary",
        "no boundary",
        "empty boundary",
        "no multipart",
        "no end",
        "cut",
        "two files",
        "two fields",
        "coded",
        "no chunk",
        "wrong chunk",
        "huge chunk",
        "huge header",
        "nothing",
        "NULs",
        "endless headers",
    ),
)
def test_a_malformed_upload_is_refused(
    api: ApiClient, etl_key: str, database: TestDatabase, body: bytes, headers: list[str], expected: set[int]
) -> None:
    length = -1 if any("chunked" in header for header in headers) else None
    assert status_of(api.raw(request(etl_key, body, *headers, length=length))) in expected
    stored = database.fetch("SELECT count(*) FROM sierra_item")[0][0]
    assert stored == (1 if 200 in expected else 0) or 431 in expected
    assert api.get("/healthz").status_code == 200


@pytest.mark.parametrize("length", [-1, 10, 10**15])
def test_an_upload_with_a_wrong_length_stores_nothing(
    api: ApiClient, etl_key: str, database: TestDatabase, length: int
) -> None:
    with socket.create_connection(("127.0.0.1", api.port), timeout=10) as wire:
        wire.sendall(request(etl_key, FIELD + FILE + END, BOUNDARY, length=length))
        wire.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: wire.recv(65536), b""))
    assert status_of(answer) in (0, 400, 413, 422)
    assert database.fetch("SELECT count(*) FROM sierra_item") == [(0,)]


def test_client_that_leaves_in_the_middle_of_an_upload_leaves_nothing_behind(
    api: ApiClient, etl_key: str, database: TestDatabase
) -> None:
    whole = request(etl_key, FIELD + FILE + END, BOUNDARY)
    with socket.create_connection(("127.0.0.1", api.port), timeout=10) as wire:
        wire.sendall(whole[: len(whole) - 60])
    assert status_of(api.raw(whole)) in (200, 409)
    assert api.get("/sync", headers={"x-api-key": etl_key}).status_code == 200


@pytest.mark.parametrize("headers", [["Content-Encoding: gzip"], ["Transfer-Encoding: chunked"]])
def test_a_report_above_8_kib_or_in_another_coding_is_refused(
    api: ApiClient, printer_key: str, headers: list[str]
) -> None:
    form = "Content-Type: application/x-www-form-urlencoded"
    body = b"internal_hostname=" + b"x" * 9000 + b"&internal_ip_address=None"
    chunked = "chunked" in headers[0]
    sent = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if chunked else gzip.compress(body)
    answer = api.raw(request(printer_key, sent, form, *headers, path="/status", length=-1 if chunked else None))
    assert status_of(answer) in ((413,) if chunked else (415, 422))
