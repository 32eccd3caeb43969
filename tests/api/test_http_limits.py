"""A client that asks for nothing takes a bounded number of bytes and seconds."""

import contextlib
import socket
import threading
from queue import SimpleQueue

import pytest

from runtime import http_limits as connection
from runtime.http_limits import BoundedConnection
from tests.fix_api import ApiClient, read_answer
from tests.fix_postgres import TestDatabase

LIMIT_SECONDS = 30.0
ASK = b"GET /healthz HTTP/1.1\r\nHost: a\r\n"
FOREVER = 64 << 20
NGINX_REUSES_SECONDS = 60.0  # its default, and the longest of those we know


def connect(api: ApiClient) -> socket.socket:
    return socket.create_connection(("127.0.0.1", api.port), timeout=LIMIT_SECONDS)


def notice(monkeypatch: pytest.MonkeyPatch, name: str) -> threading.Event:
    """Set when a connection's method of this name has been called."""
    noticed = threading.Event()
    its_own = getattr(BoundedConnection, name)

    def noticing(self: BoundedConnection) -> None:
        its_own(self)
        noticed.set()

    monkeypatch.setattr(BoundedConnection, name, noticing)
    return noticed


def test_endless_header_is_refused_before_it_fills_the_memory(api: ApiClient) -> None:
    with connect(api) as wire:
        wire.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Long: ")
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            wire.sendall(b"a" * FOREVER)


@pytest.mark.parametrize("trailers", [b"X: y\r\n", b"a", b"\r\n"], ids=["many", "a long one", "none"])
def test_what_stands_behind_a_body_is_cut_off_before_it_fills_the_memory(api: ApiClient, trailers: bytes) -> None:
    with connect(api) as wire:
        wire.sendall(b"POST /nothing HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            wire.sendall(trailers * (FOREVER // len(trailers)))


def test_trailers_are_no_headers(api: ApiClient) -> None:
    body = b"5\r\nabcde\r\n0\r\nX-Request-ID: from-a-trailer\r\n\r\n"
    ask = b"POST /nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = api.raw(ask + body)
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert b"from-a-trailer" not in answer


@pytest.mark.parametrize("place", ["path", "query", "header"])
def test_head_within_the_bound_is_served(api: ApiClient, place: str) -> None:
    long = b"a" * (connection.MOST_BYTES - 1000)
    heads = {
        "path": b"GET /itemdata/%b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % long,
        "query": b"GET /healthz?%b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % long,
        "header": b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: %b\r\n\r\n" % long,
    }
    assert api.raw(heads[place]).split(b" ")[1] in (b"200", b"401", b"422"), "still within the bound"
    assert api.get("/healthz").status_code == 200


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HT", b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: "])
def test_head_that_never_ends_is_cut_off(api: ApiClient, monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.2)
    with connect(api) as wire:
        wire.sendall(sent)
        assert wire.recv(100) == b""


@pytest.mark.parametrize(
    ("ask", "more"),
    [(ASK + b"\r\n", b"\r\n"), (ASK + b"Content-Length: 1000\r\n\r\n", b"x")],
    ids=["a line end", "a byte of the body"],
)
def test_client_that_has_its_answer_but_neither_closes_nor_sends_on_is_cut_off(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch, ask: bytes, more: bytes
) -> None:
    monkeypatch.setattr(connection, "REST_SECONDS", 0.2)
    with connect(api) as wire:
        wire.sendall(ask)
        assert read_answer(wire).startswith(b"HTTP/1.1 200 ")
        with contextlib.suppress(ConnectionError):  # which may have been cut before we sent
            wire.sendall(more)
            assert wire.recv(100) == b""


def test_client_that_does_not_read_a_long_answer_is_cut_off(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "STALL_SECONDS", 0.2)
    cut_off = notice(monkeypatch, "_cut_off")
    with socket.socket() as wire:
        wire.settimeout(LIMIT_SECONDS)
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        wire.connect(("127.0.0.1", api.port))
        for _ in range(20):  # what the kernel takes off our hands differs: 30 MB are more than it takes
            wire.sendall(b"GET /assets/redoc.standalone.js HTTP/1.1\r\nHost: a\r\n\r\n")
        assert cut_off.wait(LIMIT_SECONDS)
    assert api.get("/healthz").status_code == 200


def test_a_route_at_work_is_not_cut_off(api: ApiClient, printer_key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.1)
    time_is_up = notice(monkeypatch, "_on_deadline")
    body = b"internal_hostname=a&internal_ip_address=None"
    head = f"POST /status HTTP/1.1\r\nHost: a\r\nx-api-key: {printer_key}\r\nContent-Length: {len(body)}\r\n\r\n"
    with connect(api) as wire:
        wire.sendall(head.encode())
        assert time_is_up.wait(LIMIT_SECONDS)
        wire.sendall(body)
        assert wire.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_head_in_pieces_and_one_after_the_other_is_served(api: ApiClient) -> None:
    with connect(api) as wire:
        for _ in range(2):
            for piece in (b"GET /healthz HT", b"TP/1.1\r\nHost:", b" a\r\n\r\n"):
                wire.sendall(piece)
            assert read_answer(wire).startswith(b"HTTP/1.1 200 ")


def test_idle_connection_outlives_its_reuse_by_clients_and_proxies(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    armed: SimpleQueue[float] = SimpleQueue()
    its_own = BoundedConnection.on_response_complete

    def measuring(self: BoundedConnection) -> None:
        its_own(self)
        assert self.timeout_keep_alive_task is not None
        armed.put(self.timeout_keep_alive_task.when() - self.loop.time())

    monkeypatch.setattr(BoundedConnection, "on_response_complete", measuring)
    with connect(api) as wire:
        wire.sendall(ASK + b"\r\n")
        assert NGINX_REUSES_SECONDS + 10 < armed.get(timeout=LIMIT_SECONDS) < connection.REST_SECONDS


@pytest.mark.parametrize("crowd", [0, 1000], ids=["among many", "among few"])
def test_idle_connection_is_closed_in_the_end(api: ApiClient, monkeypatch: pytest.MonkeyPatch, crowd: int) -> None:
    monkeypatch.setattr(connection, "CROWD", crowd)
    monkeypatch.setattr(connection, "IDLE_SECONDS" if crowd else "CROWDED_IDLE_SECONDS", 0.2)
    with connect(api) as wire:
        wire.sendall(ASK + b"\r\n")
        assert read_answer(wire).startswith(b"HTTP/1.1 200 ")
        assert wire.recv(100) == b""


BLANKS = [(b"", b" "), (b"", b"\t"), (b"\t ", b""), (b"  ", b" \t \t")]


@pytest.mark.parametrize(("before", "behind"), BLANKS)
def test_blanks_around_a_headers_value_are_none_of_it(
    api: ApiClient, database: TestDatabase, printer_key: str, before: bytes, behind: bytes
) -> None:
    database.add_item(1, barcode="1231231230012")
    body = b"internal_hostname=a&internal_ip_address=None"
    headers = {
        b"Host": b"a",
        b"Connection": b"close",
        b"x-api-key": printer_key.encode(),
        b"X-Request-ID": b"desk-1.42",
        b"Content-Type": b"application/x-www-form-urlencoded",
        b"Content-Length": b"%d" % len(body),
    }
    head = b"".join(b"%b:%b%b%b\r\n" % (name, before, value, behind) for name, value in headers.items())
    for request_line, sent in ((b"GET /itemdata/1231231230012", b"x" * len(body)), (b"POST /status", body)):
        answer = api.raw(request_line + b" HTTP/1.1\r\n" + head + b"\r\n" + sent)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b"x-request-id: desk-1.42\r\n" in answer


@pytest.mark.parametrize(("before", "behind"), BLANKS)
def test_blanks_around_expect_do_not_keep_it_from_being_met(
    api: ApiClient, etl_key: str, before: bytes, behind: bytes
) -> None:
    length = b"%d" % (1 << 40)  # more than is taken, so it is told so in place of the 100
    for size, answer in ((length, b"HTTP/1.1 413 "), (b"10", b"HTTP/1.1 100 Continue\r\n")):
        headers = (b"Host", b"a"), (b"x-api-key", etl_key.encode()), (b"Content-Length", size)
        kind = b"Content-Type", b"multipart/form-data; boundary=b"
        pairs = (*headers, kind, (b"Expect", b"100-continue"))
        head = b"".join(b"%b:%b%b%b\r\n" % (name, before, value, behind) for name, value in pairs)
        with connect(api) as wire:
            wire.sendall(b"POST /sync HTTP/1.1\r\n" + head + b"\r\n")
            assert wire.recv(65536).startswith(answer)


def test_blank_behind_a_headers_name_is_refused(api: ApiClient) -> None:
    ask = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\nx-api-key : a\r\n\r\n"
    assert api.raw(ask).startswith(b"HTTP/1.1 400 ")
