"""The API as its clients meet it: real HTTP on 127.0.0.1, a client that follows no redirects, and keys.

The server runs in a thread of the tests' own process, so that a test can reach into `app.state` and hear its log.
"""

import contextlib
import hashlib
import http.client
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from api.app import make_app
from api.server import WIRE
from runtime.settings import ApiSettings
from tests.fix_postgres import TestDatabase

STOP_SECONDS = 10.0


class ApiClient(httpx.Client):
    """A client of one running API, which is its `app`."""

    def __init__(self, port: int, app: FastAPI) -> None:
        super().__init__(base_url=f"http://127.0.0.1:{port}", follow_redirects=False, timeout=10.0, trust_env=False)
        self.port = port
        self.app = app

    def raw(self, request: bytes) -> bytes:
        """The answer to bytes that httpx would not send; they should ask for `Connection: close`."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10.0) as wire:
            wire.sendall(request)
            return b"".join(iter(lambda: wire.recv(65536), b""))


@contextlib.contextmanager
def serving(app: FastAPI, root_path: str = "") -> Iterator[ApiClient]:
    """Serve the application. The socket listens from the start, so that no test has to wait for it."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        config = uvicorn.Config(app, root_path=root_path, timeout_graceful_shutdown=1, **WIRE)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), name="api under test")
        thread.start()
        try:
            with ApiClient(listener.getsockname()[1], app) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join(STOP_SECONDS)
            assert not thread.is_alive()


StartApi = Callable[..., ApiClient]


@pytest.fixture
def start_api(database: TestDatabase) -> Iterator[StartApi]:
    """Starts an API with the settings given, on the test's database where they don't say otherwise."""
    with contextlib.ExitStack() as stack:

        def start(**given: Any) -> ApiClient:
            settings = ApiSettings(**{**database.settings(), "api_db_pool_size": 4, **given})
            return stack.enter_context(serving(make_app(settings), settings.api_root_path))

        yield start


@pytest.fixture
def api(start_api: StartApi) -> ApiClient:
    """The API on the test's database, asked without a key."""
    return start_api()


def add_key(database: TestDatabase, name: str, client_type: str) -> str:
    """A new client's key."""
    key = "sig_" + secrets.token_urlsafe(32)
    database.fetch(
        "INSERT INTO client (client_name, client_type, api_key_sha256, api_key_prefix) VALUES (%s, %s, %s, %s)",
        name,
        client_type,
        hashlib.sha256(key.encode()).digest(),
        key[:8],
    )
    return key


@pytest.fixture
def printer_key(database: TestDatabase) -> str:
    """The key of the print station `desk 1`."""
    return add_key(database, "desk 1", "signum-printer")


@pytest.fixture
def etl_key(database: TestDatabase) -> str:
    """The key of the ETL `nightly`."""
    return add_key(database, "nightly", "etl")


@pytest.fixture
def printer(api: ApiClient, printer_key: str) -> ApiClient:
    """The API, asked with the print station's key."""
    api.headers["x-api-key"] = printer_key
    return api


@pytest.fixture
def etl(api: ApiClient, etl_key: str) -> ApiClient:
    """The API, asked with the ETL's key."""
    api.headers["x-api-key"] = etl_key
    return api


def read_answer(wire: socket.socket) -> bytes:
    """One answer, whole, off a connection that stays: its head and body may come apart."""
    answer = http.client.HTTPResponse(wire)
    answer.begin()
    head = f"HTTP/1.1 {answer.status} {answer.reason}\r\n{answer.headers}"
    return head.encode() + answer.read()


def detail(answer: httpx.Response) -> Any:
    """The `detail` of a problem."""
    return answer.json()["detail"]
