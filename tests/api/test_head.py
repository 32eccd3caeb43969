"""What comes before a request can be looked at is bounded, in bytes and in time."""

import socket

import pytest

from api import head
from tests.fix_api import ApiClient

LIMIT_SECONDS = 30.0


def test_endless_header_is_refused_before_it_fills_the_memory(api: ApiClient) -> None:
    with socket.create_connection(("127.0.0.1", api.port), timeout=LIMIT_SECONDS) as wire:
        wire.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Long: ")
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            wire.sendall(b"a" * (64 << 20))


@pytest.mark.parametrize("place", ["path", "query", "header"])
def test_head_within_the_bound_is_served(api: ApiClient, place: str) -> None:
    long = b"a" * (head.MOST_BYTES - 1000)
    heads = {
        "path": b"GET /itemdata/%b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % long,
        "query": b"GET /healthz?%b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % long,
        "header": b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: %b\r\n\r\n" % long,
    }
    assert api.raw(heads[place]).split(b" ")[1] in (b"200", b"401", b"422"), "still within the bound"
    assert api.get("/healthz").status_code == 200


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HT", b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: "])
def test_head_that_never_ends_is_cut_off(api: ApiClient, monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    monkeypatch.setattr(head, "SECONDS", 0.2)
    with socket.create_connection(("127.0.0.1", api.port), timeout=LIMIT_SECONDS) as wire:
        wire.sendall(sent)
        assert wire.recv(100) == b""


def test_head_in_pieces_and_one_after_the_other_is_served(api: ApiClient) -> None:
    with socket.create_connection(("127.0.0.1", api.port), timeout=LIMIT_SECONDS) as wire:
        for _ in range(2):
            for piece in (b"GET /healthz HT", b"TP/1.1\r\nHost:", b" a\r\n\r\n"):
                wire.sendall(piece)
            assert wire.recv(65536).startswith(b"HTTP/1.1 200 ")
